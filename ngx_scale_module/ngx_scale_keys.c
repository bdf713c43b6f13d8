
/* keys and tags, of a request's values and of rows */

#include "ngx_scale_values.h"


typedef struct {
    ngx_scale_flow_t            *f;
    ngx_scale_loc_conf_t        *loc;        /* whose parameters are named */
    ngx_scale_purge_t           *purge;
    ngx_scale_rows_t            *rows;
    ngx_uint_t                   row;
    ngx_uint_t                   hide;
} ngx_scale_keys_source_t;


typedef struct {
    ngx_uint_t                   oid;
    ngx_uint_t                   type;
} ngx_scale_keys_oid_t;


static ngx_int_t ngx_scale_keys_part(void *data, ngx_scale_key_part_t *part,
    ngx_str_t *text);
static ngx_int_t ngx_scale_keys_purge_part(void *data,
    ngx_scale_key_part_t *part, ngx_str_t *text);
static ngx_int_t ngx_scale_keys_column(ngx_scale_keys_source_t *source,
    ngx_str_t *name, ngx_str_t *text);
static ngx_int_t ngx_scale_keys_canon(ngx_scale_flow_t *f, ngx_uint_t type,
    ngx_str_t *text);
static ngx_int_t ngx_scale_keys_digest(ngx_scale_flow_t *f, ngx_str_t *text);
static ngx_int_t ngx_scale_keys_utc(ngx_pool_t *pool, ngx_uint_t type,
    ngx_str_t *text);
static ngx_int_t ngx_scale_keys_hide(ngx_scale_keys_source_t *source,
    ngx_scale_declared_t *declared, ngx_str_t *text);


/* types whose text is not the one spelling that a parameter's value has */

static ngx_scale_keys_oid_t  ngx_scale_keys_oids[] = {
    { 1700, NGX_SCALE_NUMERIC },
    { 700, NGX_SCALE_FLOAT8 },
    { 701, NGX_SCALE_FLOAT8 },
    { 1184, NGX_SCALE_TIMESTAMPTZ },
    { 17, NGX_SCALE_BYTEA },
    { 0, 0 }
};


ngx_int_t
ngx_scale_keys_make(ngx_scale_flow_t *f, ngx_scale_key_t *made,
    ngx_scale_rows_t *rows, ngx_uint_t row, ngx_str_t *key)
{
    ngx_scale_keys_source_t  source;

    source.f = f;
    source.loc = f->loc;
    source.purge = NULL;
    source.rows = rows;
    source.row = row;
    source.hide = !made->tag;

    return ngx_scale_key_make(f->r->pool, &made->parts, ngx_scale_keys_part,
                              &source, key);
}


ngx_int_t
ngx_scale_keys_purge(ngx_scale_flow_t *f, ngx_scale_purge_t *purge,
    ngx_scale_rows_t *rows, ngx_uint_t row, ngx_str_t *key)
{
    ngx_scale_keys_source_t  source;

    source.f = f;
    source.loc = f->loc;
    source.purge = purge;
    source.rows = rows;
    source.row = row;
    source.hide = !purge->target->reach->tag;

    return ngx_scale_key_make(f->r->pool, &purge->target->reach->parts,
                              ngx_scale_keys_purge_part, &source, key);
}


static ngx_int_t
ngx_scale_keys_part(void *data, ngx_scale_key_part_t *part, ngx_str_t *text)
{
    ngx_scale_keys_source_t  *source = data;

    ngx_scale_value_t     *value;
    ngx_scale_declared_t  *declared;

    if (part->row) {
        return ngx_scale_keys_column(source, &part->name, text);
    }

    declared = ngx_scale_conf_find_param(source->loc, &part->name);
    value = &source->f->values[declared
                      - (ngx_scale_declared_t *) source->loc->params->elts];

    if (value->null) {
        return NGX_DECLINED;
    }

    *text = value->canon;

    return source->purge ? NGX_OK
                         : ngx_scale_keys_hide(source, declared, text);
}


/* a parameter of the target, by the value that the purge gives it */

static ngx_int_t
ngx_scale_keys_purge_part(void *data, ngx_scale_key_part_t *part,
    ngx_str_t *text)
{
    ngx_scale_keys_source_t  *source = data;

    ngx_int_t              rc;
    ngx_scale_key_part_t  *given;
    ngx_scale_declared_t  *declared;

    given = ngx_scale_conf_given(source->purge, &part->name)->parts.elts;

    if (given->name.len) {
        rc = ngx_scale_keys_part(data, given, text);

        if (rc != NGX_OK) {
            return rc;
        }

    } else {
        *text = given->literal;
    }

    declared = ngx_scale_conf_find_param(source->purge->target, &part->name);

    if (declared->digest) {
        return ngx_scale_keys_digest(source->f, text);
    }

    rc = ngx_scale_keys_canon(source->f, declared->param.type, text);

    return rc == NGX_OK ? ngx_scale_keys_hide(source, declared, text)
                        : rc;
}


/* one of the columns, of rows that have it */

static ngx_int_t
ngx_scale_keys_column(ngx_scale_keys_source_t *source, ngx_str_t *name,
    ngx_str_t *text)
{
    ngx_int_t                rc;
    ngx_uint_t               i;
    ngx_scale_keys_oid_t  *oid;

    i = ngx_scale_meta_find(source->rows, name);

    rc = source->rows->get(source->rows, source->row, i, text);
    if (rc != NGX_OK) {
        return rc;
    }

    for (oid = ngx_scale_keys_oids; oid->oid; oid++) {
        if (oid->oid == source->rows->columns[i].oid) {
            return ngx_scale_keys_canon(source->f, oid->type, text);
        }
    }

    return NGX_OK;
}


ngx_uint_t
ngx_scale_keys_returned(ngx_array_t *parts, ngx_scale_rows_t *rows)
{
    ngx_uint_t             i;
    ngx_scale_key_part_t  *part;

    part = parts->elts;

    for (i = 0; i < parts->nelts; i++) {
        if (part[i].row
            && ngx_scale_meta_find(rows, &part[i].name) == rows->ncolumns)
        {
            return 0;
        }
    }

    return 1;
}


/* in the one spelling that a parameter of that type would have */

static ngx_int_t
ngx_scale_keys_canon(ngx_scale_flow_t *f, ngx_uint_t type, ngx_str_t *text)
{
    const char         *reason;
    ngx_scale_raw_t     raw;
    ngx_scale_param_t   param;
    ngx_scale_value_t   value;

    if (type == NGX_SCALE_BYTEA && text->len > 2
        && ngx_strncmp(text->data, "\\x", 2) == 0)
    {
        return NGX_OK;
    }

    ngx_scale_param_of_type(&param, type);

    ngx_memzero(&raw, sizeof(ngx_scale_raw_t));

    raw.kind = NGX_SCALE_RAW_TEXT;
    raw.text = *text;

    if (ngx_scale_keys_utc(f->r->pool, type, &raw.text) != NGX_OK) {
        return NGX_ERROR;
    }

    switch (ngx_scale_param_value(f->r->pool, &param, &raw, &value, &reason)) {

    case NGX_OK:
        *text = value.canon;
        return NGX_OK;

    case NGX_DECLINED:
        ngx_log_error(NGX_LOG_ERR, f->r->connection->log, 0,
                      "route \"%V\": a purge's value is not of its "
                      "parameter's type: %s", &f->loc->http.route, reason);
        return NGX_ERROR;

    default:
        return NGX_ERROR;
    }
}


/* of a text, or of a bytea; what is none would make nothing old */

static ngx_int_t
ngx_scale_keys_digest(ngx_scale_flow_t *f, ngx_str_t *text)
{
    size_t      i;
    ngx_str_t   hex;

    hex = *text;

    if (hex.len > 2 && ngx_strncmp(hex.data, "\\x", 2) == 0) {
        hex.data += 2;
        hex.len -= 2;
    }

    for (i = 0; i < hex.len && isxdigit(hex.data[i]); i++) { /* void */ }

    if (i < hex.len || hex.len != NGX_SCALE_SIGN_SHA256) {
        ngx_log_error(NGX_LOG_ERR, f->r->connection->log, 0,
                      "route \"%V\": a purge of a scale_key is given what is "
                      "no SHA-256 of 64 hexadecimal digits",
                      &f->loc->http.route);
        return NGX_ERROR;
    }

    text->len = hex.len;
    text->data = ngx_pnalloc(f->r->pool, hex.len);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    ngx_strlow(text->data, hex.data, hex.len);

    return NGX_OK;
}


/* PostgreSQL writes UTC as +00, RFC 3339 wants minutes */

static ngx_int_t
ngx_scale_keys_utc(ngx_pool_t *pool, ngx_uint_t type, ngx_str_t *text)
{
    u_char  *p;
    size_t   len;

    if (type != NGX_SCALE_TIMESTAMPTZ || text->len <= 3
        || ngx_strncmp(text->data + text->len - 3, "+00", 3) != 0)
    {
        return NGX_OK;
    }

    len = text->len - 3;

    p = ngx_pnalloc(pool, len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(p, text->data, len);
    p[len] = 'Z';

    text->data = p;
    text->len = len + 1;

    return NGX_OK;
}


/*
 * What a request field or a cookie says may be its client's secret, which has
 * no place in memcached.  A tag is hashed as a whole: where one route makes it
 * of a field, another may make the same of a row.
 */

static ngx_int_t
ngx_scale_keys_hide(ngx_scale_keys_source_t *source,
    ngx_scale_declared_t *declared, ngx_str_t *text)
{
    u_char  *hex;

    if (!source->hide || !declared->hashed) {
        return NGX_OK;
    }

    hex = ngx_pnalloc(source->f->r->pool, NGX_SCALE_SIGN_DIGEST);
    if (hex == NULL) {
        return NGX_ERROR;
    }

    ngx_scale_sign_digest(text->data, text->len, hex);

    text->data = hex;
    text->len = NGX_SCALE_SIGN_DIGEST;

    return NGX_OK;
}
