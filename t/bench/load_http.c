#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "load.h"


enum {
    LOAD_IN_HEAD,
    LOAD_IN_BODY,
    LOAD_IN_CHUNK_SIZE,
    LOAD_IN_CHUNK,
    LOAD_IN_CHUNK_END,
    LOAD_IN_TRAILER,
    LOAD_UNTIL_EOF
};


static unsigned load_digits(uint64_t n);
static char *load_number(char *p, uint64_t n);
static load_rc_t load_answer_head(load_answer_t *a, char **pos, char *last);
static load_rc_t load_answer_parse(load_answer_t *a, char *end);
static void load_answer_field(load_answer_t *a, char *line, char *end);
static load_rc_t load_answer_body(load_answer_t *a, char **pos, char *last);
static load_rc_t load_answer_line(load_answer_t *a, char **pos, char *last);
static load_rc_t load_answer_line_end(load_answer_t *a);
static int load_answer_keep(load_answer_t *a, char *p, size_t len);


void
load_text_init(load_text_t *t, const char *text)
{
    t->text = text;
    t->len = strlen(text);
    t->keys = 0;

    for (text = strstr(text, "%d"); text; text = strstr(text + 2, "%d")) {
        t->keys++;
    }
}


size_t
load_text_len(const load_text_t *t, uint64_t key)
{
    return t->len - 2 * t->keys + t->keys * load_digits(key);
}


char *
load_text_copy(char *p, const load_text_t *t, uint64_t key)
{
    const char  *from, *next, *end;

    from = t->text;
    end = from + t->len;

    if (t->keys) {
        while ((next = strstr(from, "%d")) != NULL) {
            p = mempcpy(p, from, next - from);
            p = load_number(p, key);
            from = next + 2;
        }
    }

    return mempcpy(p, from, end - from);
}


static unsigned
load_digits(uint64_t n)
{
    unsigned  digits;

    for (digits = 1; n >= 10; n /= 10) {
        digits++;
    }

    return digits;
}


static char *
load_number(char *p, uint64_t n)
{
    char  *end;

    end = p + load_digits(n);
    p = end;

    do {
        *--p = '0' + n % 10;
        n /= 10;
    } while (n);

    return end;
}


/* the text of the head is the program's until it ends */

int
load_request_init(load_request_t *r, const char *method, const char *path,
    const char *host, const char *body)
{
    char  *head;

    if (asprintf(&head, "%s %s HTTP/1.1\r\nHost: %s\r\n%s", method, path, host,
                 body ? "Content-Type: application/json\r\n" : "")
        == -1)
    {
        return -1;
    }

    load_text_init(&r->head, head);
    load_text_init(&r->body, body ? body : "");
    r->has_body = body != NULL;
    r->headless = strcmp(method, "HEAD") == 0;

    return 0;
}


/* room for any key, the length of the body, and line ends */

size_t
load_request_size(const load_request_t *r)
{
    return load_text_len(&r->head, UINT64_MAX)
           + load_text_len(&r->body, UINT64_MAX) + 64;
}


size_t
load_request_copy(char *p, const load_request_t *r, uint64_t key)
{
    char  *start;

    start = p;
    p = load_text_copy(p, &r->head, key);

    if (r->has_body) {
        p = mempcpy(p, "Content-Length: ", 16);
        p = load_number(p, load_text_len(&r->body, key));
        p = mempcpy(p, "\r\n\r\n", 4);
        p = load_text_copy(p, &r->body, key);

    } else {
        p = mempcpy(p, "\r\n", 2);
    }

    return p - start;
}


void
load_answer_begin(load_answer_t *a, int headless, int keep)
{
    a->state = LOAD_IN_HEAD;
    a->status = 0;
    a->close = 0;
    a->headless = headless;
    a->keep = keep;
    a->chunked = 0;
    a->left = 0;
    a->head_len = 0;
    a->body_len = 0;
    a->cache[0] = '\0';
}


void
load_answer_free(load_answer_t *a)
{
    free(a->body);
    a->body = NULL;
    a->body_size = 0;
}


/* LOAD_BAD is also what has something behind its end: nothing was asked for */

load_rc_t
load_answer_feed(load_answer_t *a, char *p, char *last)
{
    load_rc_t  rc;

    rc = LOAD_AGAIN;

    while (p < last && rc == LOAD_AGAIN) {
        switch (a->state) {

        case LOAD_IN_HEAD:
            rc = load_answer_head(a, &p, last);
            break;

        case LOAD_IN_BODY:
        case LOAD_IN_CHUNK:
        case LOAD_UNTIL_EOF:
            rc = load_answer_body(a, &p, last);
            break;

        default:
            rc = load_answer_line(a, &p, last);
        }
    }

    return rc == LOAD_DONE && p < last ? LOAD_BAD : rc;
}


load_rc_t
load_answer_eof(load_answer_t *a)
{
    return a->state == LOAD_UNTIL_EOF ? LOAD_DONE : LOAD_BAD;
}


/* The end of the head may lie between two reads. */

static load_rc_t
load_answer_head(load_answer_t *a, char **pos, char *last)
{
    char    *end, *from;
    size_t   len, known;

    known = a->head_len;
    len = last - *pos;

    if (len > LOAD_HEAD_SIZE - known) {
        len = LOAD_HEAD_SIZE - known;
    }

    memcpy(a->head + known, *pos, len);

    from = a->head + (known > 3 ? known - 3 : 0);
    end = memmem(from, a->head + known + len - from, "\r\n\r\n", 4);

    if (end == NULL) {
        a->head_len += len;
        *pos += len;
        return a->head_len == LOAD_HEAD_SIZE ? LOAD_BAD : LOAD_AGAIN;
    }

    *pos += end + 4 - (a->head + known);

    return load_answer_parse(a, end + 2);
}


/* "end" is behind the line end of the last field */

static load_rc_t
load_answer_parse(load_answer_t *a, char *end)
{
    char  *line, *next;

    if (end - a->head < 14 || memcmp(a->head, "HTTP/1.", 7) != 0) {
        return LOAD_BAD;
    }

    a->status = strtol(a->head + 9, NULL, 10);

    if (a->status < 200 || a->status > 599) {
        return LOAD_BAD;
    }

    a->state = LOAD_UNTIL_EOF;

    for (line = memchr(a->head, '\n', end - a->head) + 1; line < end;
         line = next + 1)
    {
        next = memchr(line, '\n', end - line);
        load_answer_field(a, line, next - 1);
    }

    if (a->headless || a->status == 204 || a->status == 304) {
        return LOAD_DONE;
    }

    if (a->chunked) {
        a->state = LOAD_IN_CHUNK_SIZE;
        a->head_len = 0;
    }

    return a->state == LOAD_IN_BODY && a->left == 0 ? LOAD_DONE : LOAD_AGAIN;
}


static void
load_answer_field(load_answer_t *a, char *line, char *end)
{
    char    *value;
    size_t   name, len;

    value = memchr(line, ':', end - line);

    if (value == NULL) {
        return;
    }

    name = value++ - line;

    while (value < end && *value == ' ') {
        value++;
    }

    len = end - value;

    if (name == 14 && strncasecmp(line, "Content-Length", 14) == 0) {
        a->left = strtoull(value, NULL, 10);
        a->state = LOAD_IN_BODY;

    } else if (name == 17 && strncasecmp(line, "Transfer-Encoding", 17) == 0) {
        a->chunked = 1;

    } else if (name == 10 && strncasecmp(line, "Connection", 10) == 0) {
        a->close = len >= 5 && strncasecmp(value, "close", 5) == 0;

    } else if (name == 7 && strncasecmp(line, "X-Cache", 7) == 0) {
        len = len < LOAD_CACHE_SIZE ? len : LOAD_CACHE_SIZE - 1;
        *(char *) mempcpy(a->cache, value, len) = '\0';
    }
}


static load_rc_t
load_answer_body(load_answer_t *a, char **pos, char *last)
{
    char      *p;
    uint64_t   len;

    p = *pos;
    len = last - p;

    if (a->state != LOAD_UNTIL_EOF) {
        len = len < a->left ? len : a->left;
        a->left -= len;
    }

    *pos = p + len;

    if (a->keep && load_answer_keep(a, p, len) == -1) {
        return LOAD_BAD;
    }

    if (a->state == LOAD_IN_BODY) {
        return a->left ? LOAD_AGAIN : LOAD_DONE;
    }

    if (a->state == LOAD_IN_CHUNK && a->left == 0) {
        a->state = LOAD_IN_CHUNK_END;
        a->head_len = 0;
    }

    return LOAD_AGAIN;
}


/* The head's buffer is free by now: lines between chunks are put there. */

static load_rc_t
load_answer_line(load_answer_t *a, char **pos, char *last)
{
    char  *p;

    for (p = *pos; p < last; p++) {
        if (*p == '\n') {
            *pos = p + 1;
            return load_answer_line_end(a);
        }

        if (*p != '\r') {
            if (a->head_len == LOAD_HEAD_SIZE - 1) {
                return LOAD_BAD;
            }

            a->head[a->head_len++] = *p;
        }
    }

    *pos = p;

    return LOAD_AGAIN;
}


static load_rc_t
load_answer_line_end(load_answer_t *a)
{
    char    *end;
    size_t   len;

    len = a->head_len;
    a->head[len] = '\0';
    a->head_len = 0;

    switch (a->state) {

    case LOAD_IN_CHUNK_SIZE:
        a->left = strtoull(a->head, &end, 16);
        a->state = a->left ? LOAD_IN_CHUNK : LOAD_IN_TRAILER;
        return end == a->head ? LOAD_BAD : LOAD_AGAIN;

    case LOAD_IN_CHUNK_END:
        a->state = LOAD_IN_CHUNK_SIZE;
        return len ? LOAD_BAD : LOAD_AGAIN;

    default:
        return len ? LOAD_AGAIN : LOAD_DONE;
    }
}


static int
load_answer_keep(load_answer_t *a, char *p, size_t len)
{
    char    *body;
    size_t   size;

    if (a->body_len + len + 1 > a->body_size) {
        size = 2 * (a->body_len + len + 1);
        body = realloc(a->body, size);

        if (body == NULL) {
            return -1;
        }

        a->body = body;
        a->body_size = size;
    }

    memcpy(a->body + a->body_len, p, len);
    a->body_len += len;
    a->body[a->body_len] = '\0';

    return 0;
}
