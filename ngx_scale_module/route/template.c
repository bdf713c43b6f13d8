#include "route/route.h"


#define NGX_SCALE_TEMPLATE_PARAMS  128


typedef struct {
    u_char                  *p;            /* input */
    u_char                  *end;
    u_char                  *out;
    u_char                  *stop;         /* of the output, at ";" */
    u_char                  *glue;         /* where the last word ended */
    ngx_uint_t               ntokens;
    ngx_pool_t              *pool;
    ngx_scale_template_t    *template;
    ngx_str_t               *error;
} ngx_scale_template_ctx_t;


typedef struct {
    u_char         ch;
    ngx_int_t    (*handler)(ngx_scale_template_ctx_t *s);
} ngx_scale_template_token_t;


static ngx_int_t ngx_scale_template_scan(ngx_scale_template_ctx_t *s);
static ngx_int_t ngx_scale_template_skip(ngx_scale_template_ctx_t *s);
static ngx_int_t ngx_scale_template_comment(ngx_scale_template_ctx_t *s);
static ngx_int_t ngx_scale_template_stop(ngx_scale_template_ctx_t *s);
static ngx_int_t ngx_scale_template_token(ngx_scale_template_ctx_t *s);
static ngx_int_t ngx_scale_template_word(ngx_scale_template_ctx_t *s);
static void ngx_scale_template_verb(ngx_scale_template_ctx_t *s, size_t len);
static ngx_int_t ngx_scale_template_string(ngx_scale_template_ctx_t *s);
static ngx_int_t ngx_scale_template_identifier(ngx_scale_template_ctx_t *s);
static ngx_int_t ngx_scale_template_escaped(ngx_scale_template_ctx_t *s);
static u_char *ngx_scale_template_continued(u_char *p, u_char *end);
static ngx_int_t ngx_scale_template_dollar(ngx_scale_template_ctx_t *s);
static ngx_int_t ngx_scale_template_body(ngx_scale_template_ctx_t *s,
    size_t len);
static ngx_int_t ngx_scale_template_variable(ngx_scale_template_ctx_t *s,
    u_char *p);
static ngx_int_t ngx_scale_template_colon(ngx_scale_template_ctx_t *s);
static ngx_int_t ngx_scale_template_param(ngx_scale_template_ctx_t *s,
    ngx_str_t *name);
static ngx_uint_t ngx_scale_template_number(ngx_scale_template_ctx_t *s,
    ngx_str_t *name);
static void ngx_scale_template_copy(ngx_scale_template_ctx_t *s, u_char *p);
static ngx_uint_t ngx_scale_template_blank(u_char ch);
static ngx_uint_t ngx_scale_template_first(u_char ch);
static ngx_uint_t ngx_scale_template_next(u_char ch);
static ngx_int_t ngx_scale_template_fault(ngx_scale_template_ctx_t *s,
    const char *fmt, ...);


static ngx_scale_template_token_t  ngx_scale_template_tokens[] = {
    { '\'', ngx_scale_template_string },
    { '"', ngx_scale_template_identifier },
    { '$', ngx_scale_template_dollar },
    { ':', ngx_scale_template_colon },
    { '\0', NULL }
};


static ngx_str_t  ngx_scale_template_verbs[] = {
    ngx_string("insert"),
    ngx_string("update"),
    ngx_string("delete"),
    ngx_string("merge"),
    ngx_null_string
};


ngx_int_t
ngx_scale_template_parse(ngx_pool_t *pool, ngx_str_t *text,
    ngx_scale_template_t *t, ngx_str_t *error)
{
    ngx_scale_template_ctx_t  s;

    ngx_str_null(error);
    ngx_memzero(t, sizeof(ngx_scale_template_t));
    ngx_memzero(&s, sizeof(ngx_scale_template_ctx_t));

    if (ngx_array_init(&t->params, pool, 4, sizeof(ngx_str_t)) != NGX_OK) {
        return NGX_ERROR;
    }

    /* ":a" may grow to "$128", so no text more than doubles */

    t->sql.data = ngx_pnalloc(pool, text->len * 2 + 1);
    if (t->sql.data == NULL) {
        return NGX_ERROR;
    }

    s.p = text->data;
    s.end = text->data + text->len;
    s.out = t->sql.data;
    s.pool = pool;
    s.template = t;
    s.error = error;

    if (ngx_scale_template_scan(&s) != NGX_OK) {
        return NGX_ERROR;
    }

    if (s.ntokens == 0) {
        return ngx_scale_template_fault(&s, "the statement is empty; "
                                        "write one SQL statement");
    }

    if (s.stop) {
        s.out = s.stop;
    }

    *s.out = '\0';
    t->sql.len = s.out - t->sql.data;

    return NGX_OK;
}


static ngx_int_t
ngx_scale_template_scan(ngx_scale_template_ctx_t *s)
{
    ngx_int_t  rc;

    while (s->p < s->end) {

        rc = ngx_scale_template_skip(s);

        if (rc == NGX_DECLINED) {
            rc = (*s->p == ';') ? ngx_scale_template_stop(s)
                                : ngx_scale_template_token(s);
        }

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_scale_template_skip(ngx_scale_template_ctx_t *s)
{
    u_char  *p;

    p = s->p;

    if (ngx_scale_template_blank(*p)) {
        ngx_scale_template_copy(s, p + 1);
        return NGX_OK;
    }

    if (s->end - p < 2) {
        return NGX_DECLINED;
    }

    if (p[0] == '/' && p[1] == '*') {
        return ngx_scale_template_comment(s);
    }

    if (p[0] == '-' && p[1] == '-') {

        while (p < s->end && *p != LF && *p != CR) {
            p++;
        }

        ngx_scale_template_copy(s, p);
        return NGX_OK;
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_scale_template_comment(ngx_scale_template_ctx_t *s)
{
    u_char      *p;
    ngx_uint_t   depth;

    depth = 0;

    for (p = s->p; s->end - p >= 2; p++) {

        if (p[0] == '/' && p[1] == '*') {
            depth++;
            p++;
            continue;
        }

        if (p[0] == '*' && p[1] == '/') {
            depth--;
            p++;

            if (depth == 0) {
                ngx_scale_template_copy(s, p + 1);
                return NGX_OK;
            }
        }
    }

    return ngx_scale_template_fault(s, "a comment is not ended; "
                                    "close every \"/*\" with \"*/\"");
}


static ngx_int_t
ngx_scale_template_stop(ngx_scale_template_ctx_t *s)
{
    if (s->ntokens == 0) {
        return ngx_scale_template_fault(s, "the statement before \";\" is "
                                        "empty; write one SQL statement");
    }

    if (s->stop == NULL) {
        s->stop = s->out;
    }

    s->p++;

    return NGX_OK;
}


static ngx_int_t
ngx_scale_template_token(ngx_scale_template_ctx_t *s)
{
    ngx_scale_template_token_t  *token;

    if (s->stop) {
        return ngx_scale_template_fault(s, "a second statement follows "
                                        "\";\"; write one SQL statement");
    }

    s->ntokens++;

    for (token = ngx_scale_template_tokens; token->handler; token++) {
        if (*s->p == token->ch) {
            return token->handler(s);
        }
    }

    if (ngx_scale_template_next(*s->p)) {
        return ngx_scale_template_word(s);
    }

    ngx_scale_template_copy(s, s->p + 1);

    return NGX_OK;
}


/* "$" may be within an identifier, where it opens no dollar quotes */

static ngx_int_t
ngx_scale_template_word(ngx_scale_template_ctx_t *s)
{
    u_char  *p;

    for (p = s->p; p < s->end; p++) {

        if (*p == '$') {
            if (ngx_scale_template_variable(s, p) != NGX_OK) {
                return NGX_ERROR;
            }

            continue;
        }

        if (!ngx_scale_template_next(*p)) {
            break;
        }
    }

    if (p < s->end && *p == '\'' && p - s->p == 1
        && (*s->p == 'e' || *s->p == 'E'))
    {
        return ngx_scale_template_escaped(s);
    }

    if (s->ntokens == 1) {
        ngx_scale_template_verb(s, p - s->p);
    }

    ngx_scale_template_copy(s, p);
    s->glue = p;

    return NGX_OK;
}


static void
ngx_scale_template_verb(ngx_scale_template_ctx_t *s, size_t len)
{
    ngx_str_t  *verb;

    for (verb = ngx_scale_template_verbs; verb->len; verb++) {

        if (verb->len == len
            && ngx_strncasecmp(verb->data, s->p, len) == 0)
        {
            s->template->dml = 1;
            return;
        }
    }
}


/* a doubled quote closes a string and opens the next one: the same extent */

static ngx_int_t
ngx_scale_template_string(ngx_scale_template_ctx_t *s)
{
    u_char  *p;

    p = ngx_strlchr(s->p + 1, s->end, '\'');

    if (p == NULL) {
        return ngx_scale_template_fault(s, "a string is not ended; close it "
                                        "with \"'\", a quote within it is "
                                        "\"''\"");
    }

    ngx_scale_template_copy(s, p + 1);

    return NGX_OK;
}


static ngx_int_t
ngx_scale_template_identifier(ngx_scale_template_ctx_t *s)
{
    u_char  *p;

    p = ngx_strlchr(s->p + 1, s->end, '"');

    if (p == NULL) {
        return ngx_scale_template_fault(s, "a quoted identifier is not "
                                        "ended; close it with '\"', a quote "
                                        "within it is '\"\"'");
    }

    ngx_scale_template_copy(s, p + 1);

    return NGX_OK;
}


static ngx_int_t
ngx_scale_template_escaped(ngx_scale_template_ctx_t *s)
{
    u_char  *p, *next;

    for (p = s->p + 2; p < s->end; p++) {

        if (*p == '\\') {
            p++;
            continue;
        }

        if (*p != '\'') {
            continue;
        }

        next = ngx_scale_template_continued(p + 1, s->end);

        if (next == NULL) {
            ngx_scale_template_copy(s, p + 1);
            return NGX_OK;
        }

        p = next;
    }

    return ngx_scale_template_fault(s, "a string of E'' is not ended; close "
                                    "it with \"'\", a quote within it is "
                                    "\"\\'\" or \"''\"");
}


/*
 * PostgreSQL manual, 4.1.2.1: strings separated by blanks with a newline are
 * one string, so backslashes are escapes in the part after the newline, too.
 */

static u_char *
ngx_scale_template_continued(u_char *p, u_char *end)
{
    ngx_uint_t  newline;

    if (p < end && *p == '\'') {
        return p;
    }

    for (newline = 0; p < end; p++) {

        if (end - p >= 2 && p[0] == '-' && p[1] == '-') {
            while (p < end && *p != LF && *p != CR) {
                p++;
            }

            if (p == end) {
                break;
            }
        }

        if (*p == LF || *p == CR) {
            newline = 1;
            continue;
        }

        if (!ngx_scale_template_blank(*p)) {
            return (newline && *p == '\'') ? p : NULL;
        }
    }

    return NULL;
}


static ngx_int_t
ngx_scale_template_dollar(ngx_scale_template_ctx_t *s)
{
    u_char  *p;

    p = s->p + 1;

    if (p < s->end && ngx_scale_template_first(*p)) {
        while (p < s->end && ngx_scale_template_next(*p)) {
            p++;
        }
    }

    if (p < s->end && *p == '$') {
        return ngx_scale_template_body(s, p + 1 - s->p);
    }

    if (ngx_scale_template_variable(s, s->p) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_scale_template_copy(s, s->p + 1);

    return NGX_OK;
}


static ngx_int_t
ngx_scale_template_body(ngx_scale_template_ctx_t *s, size_t len)
{
    u_char     *p;
    ngx_str_t   tag;

    tag.data = s->p;
    tag.len = len;

    for (p = s->p + len; (size_t) (s->end - p) >= len; p++) {

        if (ngx_memcmp(p, tag.data, len) == 0) {
            ngx_scale_template_copy(s, p + len);
            return NGX_OK;
        }
    }

    return ngx_scale_template_fault(s, "the text quoted by \"%V\" is not "
                                    "ended; close it with \"%V\"; an nginx "
                                    "variable cannot stand in SQL",
                                    &tag, &tag);
}


static ngx_int_t
ngx_scale_template_variable(ngx_scale_template_ctx_t *s, u_char *p)
{
    u_char  *last;

    last = p + 1;

    if (last == s->end) {
        return NGX_OK;
    }

    if (*last >= '0' && *last <= '9') {
        return ngx_scale_template_fault(s, "\"$%c\" cannot stand in SQL; "
                                        "declare a parameter with "
                                        "scale_param and write :name",
                                        (int) *last);
    }

    if (*last != '{' && !ngx_scale_template_first(*last)) {
        return NGX_OK;
    }

    do {
        last++;
    } while (last < s->end && ngx_scale_template_next(*last));

    if (p[1] == '{' && last < s->end && *last == '}') {
        last++;
    }

    return ngx_scale_template_fault(s, "an nginx variable cannot stand in "
                                    "SQL, \"%*s\" does; declare it with "
                                    "scale_param and write :name",
                                    (size_t) (last - p), p);
}


static ngx_int_t
ngx_scale_template_colon(ngx_scale_template_ctx_t *s)
{
    u_char     *p;
    ngx_str_t   name;

    p = s->p + 1;

    if (p < s->end && *p == ':') {
        ngx_scale_template_copy(s, p + 1);
        return NGX_OK;
    }

    if (p == s->end || *p >= 0x80 || !ngx_scale_template_first(*p)) {
        ngx_scale_template_copy(s, p);
        return NGX_OK;
    }

    name.data = p;

    while (p < s->end && ngx_scale_template_next(*p)) {

        if (*p++ >= 0x80) {
            return ngx_scale_template_fault(s, "a parameter's name has a "
                                            "non-ASCII character; use "
                                            "letters, digits and \"_\"");
        }
    }

    name.len = p - name.data;

    return ngx_scale_template_param(s, &name);
}


static ngx_int_t
ngx_scale_template_param(ngx_scale_template_ctx_t *s, ngx_str_t *name)
{
    ngx_uint_t  n;

    /* "lower:upper" would become "lower$1", which is an identifier */

    if (s->p == s->glue) {
        return ngx_scale_template_fault(s, "\":%V\" follows a word or a "
                                        "number without a blank; write "
                                        "\" :%V\", or \" : %V\" where it is "
                                        "the end of an array slice",
                                        name, name, name);
    }

    n = ngx_scale_template_number(s, name);

    if (n == 0) {
        return NGX_ERROR;
    }

    s->out = ngx_sprintf(s->out, "$%ui", n);
    s->p = name->data + name->len;
    s->glue = s->p;

    return NGX_OK;
}


/* 0 is an error */

static ngx_uint_t
ngx_scale_template_number(ngx_scale_template_ctx_t *s, ngx_str_t *name)
{
    ngx_str_t    *param;
    ngx_uint_t    i;
    ngx_array_t  *params;

    params = &s->template->params;
    param = params->elts;

    for (i = 0; i < params->nelts; i++) {

        if (param[i].len == name->len
            && ngx_strncmp(param[i].data, name->data, name->len) == 0)
        {
            return i + 1;
        }
    }

    if (params->nelts == NGX_SCALE_TEMPLATE_PARAMS) {
        ngx_scale_template_fault(s, "the statement has more than %d "
                                 "parameters; pass some of them as an array "
                                 "or as json", NGX_SCALE_TEMPLATE_PARAMS);
        return 0;
    }

    param = ngx_array_push(params);
    if (param == NULL) {
        return 0;
    }

    *param = *name;

    return params->nelts;
}


static void
ngx_scale_template_copy(ngx_scale_template_ctx_t *s, u_char *p)
{
    s->out = ngx_cpymem(s->out, s->p, p - s->p);
    s->p = p;
}


static ngx_uint_t
ngx_scale_template_blank(u_char ch)
{
    return ch == ' ' || (ch >= '\t' && ch <= '\r');
}


static ngx_uint_t
ngx_scale_template_first(u_char ch)
{
    u_char  c;

    c = ch | 0x20;

    return (c >= 'a' && c <= 'z') || ch == '_' || ch >= 0x80;
}


static ngx_uint_t
ngx_scale_template_next(u_char ch)
{
    return ngx_scale_template_first(ch) || (ch >= '0' && ch <= '9');
}


static ngx_int_t
ngx_scale_template_fault(ngx_scale_template_ctx_t *s, const char *fmt, ...)
{
    u_char    *p, buf[NGX_MAX_ERROR_STR];
    va_list    args;
    ngx_str_t  text;

    va_start(args, fmt);
    p = ngx_vslprintf(buf, buf + sizeof(buf), fmt, args);
    va_end(args);

    text.data = buf;
    text.len = p - buf;

    s->error->data = ngx_pstrdup(s->pool, &text);
    if (s->error->data) {
        s->error->len = text.len;
    }

    return NGX_ERROR;
}
