
/*
 * What a write makes old: the entry of its location, and what scale_purge and
 * scale_purge_tags name, by the request's parameters or by the rows returned.
 */

#include "ngx_scale_write.h"
#include "ngx_scale_values.h"


static ngx_int_t ngx_scale_purge_element(ngx_scale_flow_t *f);
static ngx_int_t ngx_scale_purge_all(ngx_scale_flow_t *f, ngx_uint_t row);
static ngx_int_t ngx_scale_purge_rows(ngx_scale_flow_t *f,
    ngx_scale_key_t *tag, ngx_scale_purge_t *purge);
static ngx_int_t ngx_scale_purge_call(ngx_scale_flow_t *f, ngx_uint_t call,
    ngx_scale_key_t *tag, ngx_scale_purge_t *purge);
static void ngx_scale_purge_is_too_much(ngx_scale_flow_t *f);
static ngx_uint_t ngx_scale_purge_is_returned(ngx_scale_key_t *tag,
    ngx_scale_purge_t *purge, ngx_scale_rows_t *rows);
static ngx_int_t ngx_scale_purge_add(ngx_scale_flow_t *f,
    ngx_scale_key_t *tag, ngx_scale_purge_t *purge, ngx_scale_rows_t *rows,
    ngx_uint_t row);
static ngx_int_t ngx_scale_purge_entry(ngx_scale_flow_t *f,
    ngx_scale_loc_conf_t *route, ngx_str_t *key);


ngx_int_t
ngx_scale_purge_named(ngx_scale_flow_t *f)
{
    ngx_int_t           rc;
    ngx_uint_t          i;
    ngx_scale_value_t  *values;

    values = f->values;
    rc = NGX_OK;

    for (i = 0; i < ngx_max(f->elements, 1) && rc == NGX_OK; i++) {
        f->values = values ? values + i * f->loc->params->nelts : NULL;
        rc = ngx_scale_purge_element(f);
    }

    f->values = values;

    return rc;
}


static ngx_int_t
ngx_scale_purge_element(ngx_scale_flow_t *f)
{
    ngx_str_t  key;

    if (f->method->own_key
        && (ngx_scale_keys_make(f, f->loc->reach, NULL, 0, &key) != NGX_OK
            || ngx_scale_purge_entry(f, f->loc, &key) != NGX_OK))
    {
        return NGX_ERROR;
    }

    return ngx_scale_purge_all(f, 0);
}


ngx_int_t
ngx_scale_purge_returned(ngx_scale_flow_t *f)
{
    return ngx_scale_purge_all(f, 1);
}


static ngx_int_t
ngx_scale_purge_all(ngx_scale_flow_t *f, ngx_uint_t row)
{
    ngx_int_t           rc;
    ngx_uint_t          i;
    ngx_scale_key_t    *tag;
    ngx_scale_purge_t  *purge;

    tag = f->loc->purge_tags ? f->loc->purge_tags->elts : NULL;

    for (i = 0; tag && i < f->loc->purge_tags->nelts; i++) {

        if (tag[i].row != row) {
            continue;
        }

        rc = row ? ngx_scale_purge_rows(f, &tag[i], NULL)
                 : ngx_scale_purge_add(f, &tag[i], NULL, NULL, 0);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    purge = f->loc->purges ? f->loc->purges->elts : NULL;

    for (i = 0; purge && i < f->loc->purges->nelts; i++) {

        if (purge[i].row != row) {
            continue;
        }

        rc = row ? ngx_scale_purge_rows(f, NULL, &purge[i])
                 : ngx_scale_purge_add(f, NULL, &purge[i], NULL, 0);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


/*
 * Made of each row of each statement that returns its columns.  Where none of
 * the method does, what is cached would be old for good.
 */

static ngx_int_t
ngx_scale_purge_rows(ngx_scale_flow_t *f, ngx_scale_key_t *tag,
    ngx_scale_purge_t *purge)
{
    ngx_int_t          rc;
    ngx_uint_t         i, returned;
    ngx_scale_rows_t  *rows;

    returned = 0;

    for (i = 0; i < f->op.ncalls; i++) {
        rows = &f->op.calls[i].rows;

        if (!ngx_scale_purge_is_returned(tag, purge, rows)) {
            continue;
        }

        returned = 1;

        rc = ngx_scale_purge_call(f, i, tag, purge);

        if (rc == NGX_DECLINED) {
            ngx_scale_purge_is_too_much(f);
            return NGX_ERROR;
        }

        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (!returned) {
        ngx_log_error(NGX_LOG_ERR, f->r->connection->log, 0,
                      "route \"%V\": no statement of %V returns what \"%s%V\" "
                      "is made of; add such as id AS \"row:id\" to its "
                      "RETURNING", &f->loc->http.route,
                      ngx_scale_conf_method_name(f->method->method),
                      tag ? "scale_purge_tags " : "scale_purge ",
                      tag ? &tag->text : &purge->route);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* with the values of its element */

static ngx_int_t
ngx_scale_purge_call(ngx_scale_flow_t *f, ngx_uint_t call,
    ngx_scale_key_t *tag, ngx_scale_purge_t *purge)
{
    ngx_int_t           rc;
    ngx_uint_t          row;
    ngx_scale_rows_t   *rows;
    ngx_scale_value_t  *values;

    rows = &f->op.calls[call].rows;
    values = f->values;
    rc = NGX_OK;

    if (values) {
        f->values += call / f->method->ncalls * f->loc->params->nelts;
    }

    for (row = 0; row < rows->nrows && rc == NGX_OK; row++) {
        rc = ngx_scale_purge_add(f, tag, purge, rows, row);
    }

    f->values = values;

    return rc;
}


static void
ngx_scale_purge_is_too_much(ngx_scale_flow_t *f)
{
    ngx_log_error(NGX_LOG_ERR, f->r->connection->log, 0,
                  "route \"%V\": one %V makes more than %d entries old; give "
                  "them a tag in common and purge that", &f->loc->http.route,
                  ngx_scale_conf_method_name(f->method->method),
                  NGX_SCALE_CACHE_MAX_MARKS);
}


static ngx_uint_t
ngx_scale_purge_is_returned(ngx_scale_key_t *tag, ngx_scale_purge_t *purge,
    ngx_scale_rows_t *rows)
{
    ngx_uint_t                i;
    ngx_scale_purge_value_t  *value;

    if (tag) {
        return ngx_scale_keys_returned(&tag->parts, rows);
    }

    value = purge->given.elts;

    for (i = 0; i < purge->given.nelts; i++) {
        if (!ngx_scale_keys_returned(&value[i].parts, rows)) {
            return 0;
        }
    }

    return 1;
}


static ngx_int_t
ngx_scale_purge_add(ngx_scale_flow_t *f, ngx_scale_key_t *tag,
    ngx_scale_purge_t *purge, ngx_scale_rows_t *rows, ngx_uint_t row)
{
    ngx_int_t  rc;
    ngx_str_t  key;

    if (tag) {
        rc = ngx_scale_keys_make(f, tag, rows, row, &key);

        return rc == NGX_OK ? ngx_scale_cache_write_tag(&f->write, &key) : rc;
    }

    rc = ngx_scale_keys_purge(f, purge, rows, row, &key);

    return rc == NGX_OK ? ngx_scale_purge_entry(f, purge->target, &key) : rc;
}


/* a private route has one for each who asks, and one tag for all of them */

static ngx_int_t
ngx_scale_purge_entry(ngx_scale_flow_t *f, ngx_scale_loc_conf_t *route,
    ngx_str_t *key)
{
    return route->private ? ngx_scale_cache_write_tag(&f->write, key)
                          : ngx_scale_cache_write_key(&f->write, key);
}
