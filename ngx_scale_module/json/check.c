
/*
 * The grammar of RFC 8259 over a whole body, without recursion: a state's
 * handler eats one token and sets the next state.
 */

#include "json/json.h"
#include "json/check_string.h"
#include "json/members.h"


#define NGX_SCALE_JSON_MAX_DEPTH  1024
#define NGX_SCALE_JSON_IN_ARRAY   NGX_MAX_UINT32_VALUE


typedef enum {
    sw_value = 0,
    sw_first_element,
    sw_first_name,
    sw_name,
    sw_after
} ngx_scale_json_state_e;

typedef struct {
    u_char                   *pos;
    u_char                   *last;
    ngx_scale_json_state_e    state;
    const char               *reason;

    u_char                   *decoded;     /* room for names with escapes */
    ngx_scale_json_names_t    names;

    ngx_uint_t                depth;
    ngx_uint_t                level;

    /* of each level: its first name, or that it is an array */
    uint32_t                  base[NGX_SCALE_JSON_MAX_DEPTH];
} ngx_scale_json_check_t;

typedef ngx_int_t (*ngx_scale_json_state_pt)(ngx_scale_json_check_t *c);


static ngx_int_t ngx_scale_json_check_start(ngx_scale_json_check_t *c);
static ngx_int_t ngx_scale_json_check_tokens(ngx_scale_json_check_t *c);
static ngx_int_t ngx_scale_json_check_value(ngx_scale_json_check_t *c);
static ngx_int_t ngx_scale_json_check_first_element(
    ngx_scale_json_check_t *c);
static ngx_int_t ngx_scale_json_check_first_name(ngx_scale_json_check_t *c);
static ngx_int_t ngx_scale_json_check_name(ngx_scale_json_check_t *c);
static ngx_int_t ngx_scale_json_check_after(ngx_scale_json_check_t *c);
static ngx_int_t ngx_scale_json_check_colon(ngx_scale_json_check_t *c);
static ngx_int_t ngx_scale_json_check_open(ngx_scale_json_check_t *c);
static ngx_int_t ngx_scale_json_check_close(ngx_scale_json_check_t *c);
static ngx_int_t ngx_scale_json_check_literal(ngx_scale_json_check_t *c);
static ngx_int_t ngx_scale_json_check_number(ngx_scale_json_check_t *c);
static u_char *ngx_scale_json_check_exponent(u_char *p, u_char *last);
static u_char *ngx_scale_json_check_digits(u_char *p, u_char *last);
static ngx_int_t ngx_scale_json_check_decode(ngx_scale_json_check_t *c,
    ngx_str_t *name);
static void ngx_scale_json_check_blank(ngx_scale_json_check_t *c);
static ngx_int_t ngx_scale_json_refuse(ngx_scale_json_check_t *c, u_char *at,
    const char *reason);


static const char  ngx_scale_json_unexpected[] = "an unexpected character";
static const char  ngx_scale_json_malformed[] = "a malformed number";


static ngx_scale_json_state_pt  ngx_scale_json_states[] = {
    ngx_scale_json_check_value,            /* sw_value */
    ngx_scale_json_check_first_element,    /* sw_first_element */
    ngx_scale_json_check_first_name,       /* sw_first_name */
    ngx_scale_json_check_name,             /* sw_name */
    ngx_scale_json_check_after             /* sw_after */
};

static ngx_str_t  ngx_scale_json_literals[] = {
    ngx_string("true"),
    ngx_string("false"),
    ngx_string("null"),
    ngx_null_string
};


ngx_int_t
ngx_scale_json_check(ngx_pool_t *pool, ngx_str_t *body, ngx_uint_t depth,
    uint32_t seed, const char **reason, size_t *offset)
{
    ngx_int_t               rc;
    ngx_scale_json_check_t  c;

    c.pos = body->data;
    c.last = body->data + body->len;
    c.state = sw_value;
    c.reason = NULL;
    c.decoded = NULL;
    c.depth = ngx_min(depth, NGX_SCALE_JSON_MAX_DEPTH);
    c.level = 0;

    ngx_scale_json_names_init(&c.names, pool, seed);

    rc = ngx_scale_json_check_start(&c);

    if (rc == NGX_OK) {
        rc = ngx_scale_json_check_tokens(&c);
    }

    ngx_scale_json_names_done(&c.names);

    *reason = c.reason;
    *offset = c.pos - body->data;

    return rc;
}


static ngx_int_t
ngx_scale_json_check_start(ngx_scale_json_check_t *c)
{
    /* RFC 8259, section 8.1: a mark must not be added and may be refused */

    if (c->last - c->pos >= 3
        && ngx_memcmp(c->pos, "\xef\xbb\xbf", 3) == 0)
    {
        return ngx_scale_json_refuse(c, c->pos, "a byte order mark");
    }

    ngx_scale_json_check_blank(c);

    if (c->pos == c->last) {
        return ngx_scale_json_refuse(c, c->pos, "an empty body");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_scale_json_check_tokens(ngx_scale_json_check_t *c)
{
    ngx_int_t  rc;

    for ( ;; ) {
        ngx_scale_json_check_blank(c);

        if (c->pos == c->last) {
            break;
        }

        rc = ngx_scale_json_states[c->state](c);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (c->state == sw_after && c->level == 0) {
        return NGX_OK;
    }

    return ngx_scale_json_refuse(c, c->last, ngx_scale_json_truncated);
}


static ngx_int_t
ngx_scale_json_check_value(ngx_scale_json_check_t *c)
{
    ngx_uint_t  escaped;

    c->state = sw_after;

    switch (*c->pos) {

    case '"':
        c->pos++;
        return ngx_scale_json_check_string(&c->pos, c->last, &escaped,
                                           &c->reason);

    case '{':
    case '[':
        return ngx_scale_json_check_open(c);

    case 't':
    case 'f':
    case 'n':
        return ngx_scale_json_check_literal(c);

    default:
        return ngx_scale_json_check_number(c);
    }
}


static ngx_int_t
ngx_scale_json_check_first_element(ngx_scale_json_check_t *c)
{
    return (*c->pos == ']') ? ngx_scale_json_check_close(c)
                            : ngx_scale_json_check_value(c);
}


static ngx_int_t
ngx_scale_json_check_first_name(ngx_scale_json_check_t *c)
{
    return (*c->pos == '}') ? ngx_scale_json_check_close(c)
                            : ngx_scale_json_check_name(c);
}


static ngx_int_t
ngx_scale_json_check_name(ngx_scale_json_check_t *c)
{
    u_char      *quote;
    ngx_int_t    rc;
    ngx_str_t    name;
    ngx_uint_t   escaped;

    quote = c->pos;

    if (*quote != '"') {
        return ngx_scale_json_refuse(c, quote, ngx_scale_json_unexpected);
    }

    c->pos++;

    rc = ngx_scale_json_check_string(&c->pos, c->last, &escaped, &c->reason);

    if (rc != NGX_OK) {
        return rc;
    }

    name.data = quote + 1;
    name.len = c->pos - name.data - 1;

    if (escaped && ngx_scale_json_check_decode(c, &name) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = ngx_scale_json_names_add(&c->names, c->base[c->level - 1], &name);

    if (rc == NGX_DECLINED) {
        return ngx_scale_json_refuse(c, quote, "a member is given twice");
    }

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    return ngx_scale_json_check_colon(c);
}


static ngx_int_t
ngx_scale_json_check_colon(ngx_scale_json_check_t *c)
{
    ngx_scale_json_check_blank(c);

    if (c->pos == c->last) {
        return ngx_scale_json_refuse(c, c->last, ngx_scale_json_truncated);
    }

    if (*c->pos != ':') {
        return ngx_scale_json_refuse(c, c->pos, ngx_scale_json_unexpected);
    }

    c->pos++;
    c->state = sw_value;

    return NGX_OK;
}


/* all decoded names together are no longer than what is left of the body */

static ngx_int_t
ngx_scale_json_check_decode(ngx_scale_json_check_t *c, ngx_str_t *name)
{
    if (c->decoded == NULL) {
        c->decoded = ngx_pnalloc(c->names.pool, c->last - name->data);
        if (c->decoded == NULL) {
            return NGX_ERROR;
        }
    }

    name->len = ngx_scale_json_decode(c->decoded, name);
    name->data = c->decoded;
    c->decoded += name->len;

    return NGX_OK;
}


static ngx_int_t
ngx_scale_json_check_after(ngx_scale_json_check_t *c)
{
    u_char      ch;
    ngx_uint_t  array;

    ch = *c->pos;

    if (c->level == 0) {
        return ngx_scale_json_refuse(c, c->pos, "text after the value");
    }

    array = (c->base[c->level - 1] == NGX_SCALE_JSON_IN_ARRAY);

    if (ch == ',') {
        c->pos++;
        c->state = array ? sw_value : sw_name;
        return NGX_OK;
    }

    if (ch == (array ? ']' : '}')) {
        return ngx_scale_json_check_close(c);
    }

    return ngx_scale_json_refuse(c, c->pos, ngx_scale_json_unexpected);
}


static ngx_int_t
ngx_scale_json_check_open(ngx_scale_json_check_t *c)
{
    if (c->level == c->depth) {
        return ngx_scale_json_refuse(c, c->pos, "nested too deep");
    }

    if (*c->pos == '[') {
        c->base[c->level] = NGX_SCALE_JSON_IN_ARRAY;
        c->state = sw_first_element;

    } else {
        c->base[c->level] = c->names.n;
        c->state = sw_first_name;
    }

    c->level++;
    c->pos++;

    return NGX_OK;
}


static ngx_int_t
ngx_scale_json_check_close(ngx_scale_json_check_t *c)
{
    c->level--;
    c->pos++;
    c->state = sw_after;

    /* an array's mark is above every index: nothing is dropped */

    ngx_scale_json_names_drop(&c->names, c->base[c->level]);

    return NGX_OK;
}


static ngx_int_t
ngx_scale_json_check_literal(ngx_scale_json_check_t *c)
{
    ngx_str_t  *literal;

    for (literal = ngx_scale_json_literals; literal->len; literal++) {
        if ((size_t) (c->last - c->pos) >= literal->len
            && ngx_memcmp(c->pos, literal->data, literal->len) == 0)
        {
            c->pos += literal->len;
            return NGX_OK;
        }
    }

    return ngx_scale_json_refuse(c, c->pos, ngx_scale_json_unexpected);
}


static ngx_int_t
ngx_scale_json_check_number(ngx_scale_json_check_t *c)
{
    u_char  *p, *digits;

    p = c->pos;

    if (*p != '-' && (*p < '0' || *p > '9')) {
        return ngx_scale_json_refuse(c, p, ngx_scale_json_unexpected);
    }

    digits = (*p == '-') ? p + 1 : p;

    p = ngx_scale_json_check_digits(digits, c->last);

    if (p && *digits == '0' && p - digits > 1) {
        p = NULL;
    }

    if (p && p < c->last && *p == '.') {
        p = ngx_scale_json_check_digits(p + 1, c->last);
    }

    if (p && p < c->last && (*p == 'e' || *p == 'E')) {
        p = ngx_scale_json_check_exponent(p + 1, c->last);
    }

    if (p == NULL) {
        return ngx_scale_json_refuse(c, c->pos, ngx_scale_json_malformed);
    }

    c->pos = p;

    return NGX_OK;
}


static u_char *
ngx_scale_json_check_exponent(u_char *p, u_char *last)
{
    if (p < last && (*p == '+' || *p == '-')) {
        p++;
    }

    return ngx_scale_json_check_digits(p, last);
}


/* past one digit or more; NULL: there is none */

static u_char *
ngx_scale_json_check_digits(u_char *p, u_char *last)
{
    u_char  *start;

    start = p;

    while (p < last && *p >= '0' && *p <= '9') {
        p++;
    }

    return p == start ? NULL : p;
}


static void
ngx_scale_json_check_blank(ngx_scale_json_check_t *c)
{
    u_char  *p;

    p = c->pos;

    while (p < c->last
           && (*p == ' ' || *p == LF || *p == CR || *p == '\t'))
    {
        p++;
    }

    c->pos = p;
}


static ngx_int_t
ngx_scale_json_refuse(ngx_scale_json_check_t *c, u_char *at,
    const char *reason)
{
    c->pos = at;
    c->reason = reason;

    return NGX_DECLINED;
}
