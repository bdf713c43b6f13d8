
#include "cache/reply.h"


typedef struct {
    ngx_str_t                 name;
    ngx_scale_reply_code_e    code;
} ngx_scale_reply_name_t;


static ngx_int_t ngx_scale_reply_code(ngx_str_t *word,
    ngx_scale_reply_t *reply);
static ngx_uint_t ngx_scale_reply_word(u_char **pos, u_char *last,
    ngx_str_t *word);
static ngx_int_t ngx_scale_reply_flag(ngx_str_t *word,
    ngx_scale_reply_t *reply);
static ngx_int_t ngx_scale_reply_number(ngx_str_t *word, ngx_uint_t base,
    uint64_t *value);


#define NGX_SCALE_REPLY_MAX_NUMBER  (~(uint64_t) 0)
#define NGX_SCALE_REPLY_MAX_TTL     0x7fffffff


static ngx_scale_reply_name_t  ngx_scale_reply_names[] = {
    { ngx_string("VA"), NGX_SCALE_REPLY_VA },
    { ngx_string("HD"), NGX_SCALE_REPLY_HD },
    { ngx_string("EN"), NGX_SCALE_REPLY_EN },
    { ngx_string("NF"), NGX_SCALE_REPLY_NF },
    { ngx_string("EX"), NGX_SCALE_REPLY_EX },
    { ngx_string("NS"), NGX_SCALE_REPLY_NS },
    { ngx_string("MN"), NGX_SCALE_REPLY_MN },
    { ngx_string("SERVER_ERROR"), NGX_SCALE_REPLY_SERVER_ERROR },
    { ngx_null_string, 0 }
};


ngx_int_t
ngx_scale_reply_parse(u_char **pos, u_char *last, ngx_scale_reply_t *reply)
{
    u_char     *p, *eol, *next;
    uint64_t    len;
    ngx_str_t   word;

    ngx_memzero(reply, sizeof(ngx_scale_reply_t));

    reply->ttl = -1;

    p = *pos;
    eol = memchr(p, '\n', ngx_min(last - p, NGX_SCALE_REPLY_MAX_LINE));

    if (eol == NULL) {
        return last - p < NGX_SCALE_REPLY_MAX_LINE ? NGX_AGAIN : NGX_ERROR;
    }

    if (eol == p || eol[-1] != '\r') {
        return NGX_ERROR;
    }

    next = eol + 1;
    eol--;

    if (!ngx_scale_reply_word(&p, eol, &word)
        || ngx_scale_reply_code(&word, reply) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (reply->code == NGX_SCALE_REPLY_SERVER_ERROR) {
        *pos = next;
        return NGX_OK;
    }

    len = 0;

    if (reply->code == NGX_SCALE_REPLY_VA
        && (!ngx_scale_reply_word(&p, eol, &word)
            || ngx_scale_reply_number(&word, 10, &len) != NGX_OK
            || len > NGX_SCALE_REPLY_MAX_VALUE))
    {
        return NGX_ERROR;
    }

    while (ngx_scale_reply_word(&p, eol, &word)) {
        if (ngx_scale_reply_flag(&word, reply) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (reply->code != NGX_SCALE_REPLY_VA) {
        *pos = next;
        return NGX_OK;
    }

    if ((uint64_t) (last - next) < len + 2) {
        reply->size = next - *pos + len + 2;
        return NGX_AGAIN;
    }

    if (next[len] != '\r' || next[len + 1] != '\n') {
        return NGX_ERROR;
    }

    reply->value.data = next;
    reply->value.len = len;
    *pos = next + len + 2;

    return NGX_OK;
}


static ngx_int_t
ngx_scale_reply_code(ngx_str_t *word, ngx_scale_reply_t *reply)
{
    ngx_scale_reply_name_t  *name;

    for (name = ngx_scale_reply_names; name->name.len; name++) {
        if (name->name.len == word->len
            && ngx_memcmp(name->name.data, word->data, word->len) == 0)
        {
            reply->code = name->code;
            return NGX_OK;
        }
    }

    return NGX_ERROR;
}


static ngx_uint_t
ngx_scale_reply_word(u_char **pos, u_char *last, ngx_str_t *word)
{
    u_char  *p;

    for (p = *pos; p < last && *p == ' '; p++) { /* void */ }

    word->data = p;

    while (p < last && *p != ' ') {
        p++;
    }

    word->len = p - word->data;
    *pos = p;

    return word->len != 0;
}


static ngx_int_t
ngx_scale_reply_flag(ngx_str_t *word, ngx_scale_reply_t *reply)
{
    uint64_t   value;
    ngx_str_t  rest;

    rest.data = word->data + 1;
    rest.len = word->len - 1;

    switch (word->data[0]) {

    case 'W':
        reply->won = 1;
        return NGX_OK;

    case 'Z':
        reply->wait = 1;
        return NGX_OK;

    case 'X':
        reply->old = 1;
        return NGX_OK;

    case 'c':
        return ngx_scale_reply_number(&rest, 10, &reply->cas);

    case 'O':
        reply->has_opaque = 1;
        return ngx_scale_reply_number(&rest, 16, &reply->opaque);

    case 'f':
        if (ngx_scale_reply_number(&rest, 10, &value) != NGX_OK
            || value > 0xffffffff)
        {
            return NGX_ERROR;
        }

        reply->flags = (uint32_t) value;
        return NGX_OK;

    case 't':
        if (rest.len == 2 && rest.data[0] == '-' && rest.data[1] == '1') {
            reply->ttl = -1;
            return NGX_OK;
        }

        if (ngx_scale_reply_number(&rest, 10, &value) != NGX_OK
            || value > NGX_SCALE_REPLY_MAX_TTL)
        {
            return NGX_ERROR;
        }

        reply->ttl = (time_t) value;
        return NGX_OK;

    default:
        return NGX_OK;
    }
}


static ngx_int_t
ngx_scale_reply_number(ngx_str_t *word, ngx_uint_t base, uint64_t *value)
{
    u_char    ch, *p;
    uint64_t  n;

    n = 0;

    if (word->len == 0) {
        return NGX_ERROR;
    }

    for (p = word->data; p < word->data + word->len; p++) {

        ch = *p;

        if (ch >= '0' && ch <= '9') {
            ch -= '0';

        } else if (base == 16 && ch >= 'a' && ch <= 'f') {
            ch -= 'a' - 10;

        } else {
            return NGX_ERROR;
        }

        if (n > (NGX_SCALE_REPLY_MAX_NUMBER - ch) / base) {
            return NGX_ERROR;
        }

        n = n * base + ch;
    }

    *value = n;

    return NGX_OK;
}
