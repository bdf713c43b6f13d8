
/*
 * A statement as PostgreSQL takes it: the text, with a "$n" in the place of
 * every ":name", up to its ";".
 */

#include "route/route.h"
#include "route/fault.h"
#include "route/sql.h"


/* ":a" may grow to "$128": no text more than doubles */

#define NGX_SCALE_TEMPLATE_PARAMS  128
#define NGX_SCALE_TEMPLATE_GROWTH  2


typedef struct {
    ngx_scale_sql_t          sql;
    u_char                  *out;
    u_char                  *stop;         /* of the output, at ";" */
    u_char                  *glue;         /* where the last word ended */
    ngx_uint_t               ntokens;
    ngx_scale_template_t    *template;
} ngx_scale_template_ctx_t;


static ngx_int_t ngx_scale_template_rewrite(ngx_scale_template_ctx_t *s);
static ngx_int_t ngx_scale_template_put(ngx_scale_template_ctx_t *s);
static ngx_int_t ngx_scale_template_stop(ngx_scale_template_ctx_t *s);
static void ngx_scale_template_copy(ngx_scale_template_ctx_t *s);
static void ngx_scale_template_word(ngx_scale_template_ctx_t *s);
static ngx_int_t ngx_scale_template_param(ngx_scale_template_ctx_t *s);
static ngx_uint_t ngx_scale_template_number(ngx_scale_template_ctx_t *s,
    ngx_str_t *name);


#define ngx_scale_template_fault(s, ...)                                      \
    ngx_scale_route_fault((s)->sql.pool, (s)->sql.error, __VA_ARGS__)


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

    t->sql.data = ngx_pnalloc(pool, text->len * NGX_SCALE_TEMPLATE_GROWTH + 1);
    if (t->sql.data == NULL) {
        return NGX_ERROR;
    }

    s.sql.pos = text->data;
    s.sql.last = text->data + text->len;
    s.sql.pool = pool;
    s.sql.error = error;
    s.out = t->sql.data;
    s.template = t;

    if (ngx_scale_template_rewrite(&s) != NGX_OK) {
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
ngx_scale_template_rewrite(ngx_scale_template_ctx_t *s)
{
    ngx_int_t  rc;

    do {
        rc = ngx_scale_sql_next(&s->sql);

        /* whatever is wrong with a second statement, it is one too many */

        if (s->stop && s->sql.kind > NGX_SCALE_SQL_STOP) {
            return ngx_scale_template_fault(s, "a second statement follows "
                                            "\";\"; write one SQL statement");
        }

        if (rc == NGX_OK) {
            rc = ngx_scale_template_put(s);
        }

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }

    } while (s->sql.kind != NGX_SCALE_SQL_END);

    return NGX_OK;
}


static ngx_int_t
ngx_scale_template_put(ngx_scale_template_ctx_t *s)
{
    s->ntokens += (s->sql.kind > NGX_SCALE_SQL_STOP);

    switch (s->sql.kind) {

    case NGX_SCALE_SQL_STOP:
        return ngx_scale_template_stop(s);

    case NGX_SCALE_SQL_PARAM:
        return ngx_scale_template_param(s);

    case NGX_SCALE_SQL_WORD:
        ngx_scale_template_word(s);

        /* fall through */

    default:
        ngx_scale_template_copy(s);
        return NGX_OK;
    }
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

    return NGX_OK;
}


static void
ngx_scale_template_copy(ngx_scale_template_ctx_t *s)
{
    s->out = ngx_cpymem(s->out, s->sql.token.data, s->sql.token.len);
}


static void
ngx_scale_template_word(ngx_scale_template_ctx_t *s)
{
    ngx_str_t  *verb, *word;

    s->glue = s->sql.pos;

    if (s->ntokens > 1) {
        return;
    }

    word = &s->sql.token;

    for (verb = ngx_scale_template_verbs; verb->len; verb++) {

        if (verb->len == word->len
            && ngx_strncasecmp(verb->data, word->data, word->len) == 0)
        {
            s->template->dml = 1;
            return;
        }
    }
}


static ngx_int_t
ngx_scale_template_param(ngx_scale_template_ctx_t *s)
{
    ngx_str_t   name;
    ngx_uint_t  n;

    name.data = s->sql.token.data + 1;
    name.len = s->sql.token.len - 1;

    /* "lower:upper" would become "lower$1", which is an identifier */

    if (s->sql.token.data == s->glue) {
        return ngx_scale_template_fault(s, "\":%V\" follows a word or a "
                                        "number without a blank; write "
                                        "\" :%V\", or \" : %V\" where it is "
                                        "the end of an array slice",
                                        &name, &name, &name);
    }

    n = ngx_scale_template_number(s, &name);

    if (n == 0) {
        return NGX_ERROR;
    }

    s->out = ngx_sprintf(s->out, "$%ui", n);
    s->glue = s->sql.pos;

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
        if (ngx_scale_same(&param[i], name)) {
            return i + 1;
        }
    }

    if (params->nelts == NGX_SCALE_TEMPLATE_PARAMS) {
        (void) ngx_scale_template_fault(s, "the statement has more than %d "
                                        "parameters; pass some of them as an "
                                        "array or as json",
                                        NGX_SCALE_TEMPLATE_PARAMS);
        return 0;
    }

    param = ngx_array_push(params);
    if (param == NULL) {
        return 0;
    }

    *param = *name;

    return params->nelts;
}
