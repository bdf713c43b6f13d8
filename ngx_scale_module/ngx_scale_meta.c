
/*
 * A meta is a list of {kind, 8 bits; length of the name, 16; length of the
 * value, 32; name; value}, in the machine's own order of bytes: the layout of
 * an entry says whose it is.
 */

#include "ngx_scale_rows.h"


typedef struct {
    ngx_str_t                    prefix;
    ngx_scale_meta_e             kind;
} ngx_scale_meta_prefix_t;


static ngx_int_t ngx_scale_meta_column(ngx_scale_rows_t *rows, ngx_uint_t i,
    ngx_scale_meta_t *element);
static size_t ngx_scale_meta_size(ngx_scale_meta_t *element);
static u_char *ngx_scale_meta_put(u_char *p, ngx_scale_meta_t *element);
static ngx_scale_meta_prefix_t *ngx_scale_meta_prefix(ngx_str_t *column);


#define NGX_SCALE_META_HEADER  (1 + sizeof(uint16_t) + sizeof(uint32_t))
#define NGX_SCALE_META_STATUS_LEN  3


static ngx_scale_meta_prefix_t  ngx_scale_meta_prefixes[] = {
    { ngx_string("http:"), NGX_SCALE_META_FIELD },
    { ngx_string("row:"), NGX_SCALE_META_ROW },
    { ngx_null_string, NGX_SCALE_META_NONE }
};


ngx_int_t
ngx_scale_meta_make(ngx_pool_t *pool, ngx_scale_rows_t *rows,
    ngx_scale_answer_t *answer)
{
    u_char            *p, text[NGX_SCALE_META_STATUS_LEN];
    size_t             size;
    ngx_uint_t         i;
    ngx_scale_meta_t   status, element;

    text[0] = (u_char) ('0' + answer->status / 100);
    text[1] = (u_char) ('0' + answer->status / 10 % 10);
    text[2] = (u_char) ('0' + answer->status % 10);

    status.kind = NGX_SCALE_META_STATUS;
    ngx_str_null(&status.name);
    status.value.data = text;
    status.value.len = sizeof(text);

    size = ngx_scale_meta_size(&status);

    for (i = 0; i < rows->ncolumns; i++) {
        if (ngx_scale_meta_column(rows, i, &element) == NGX_OK) {
            size += ngx_scale_meta_size(&element);
        }
    }

    p = ngx_pnalloc(pool, size);
    if (p == NULL) {
        return NGX_ERROR;
    }

    answer->meta.data = p;
    answer->meta.len = size;

    p = ngx_scale_meta_put(p, &status);

    for (i = 0; i < rows->ncolumns; i++) {
        if (ngx_scale_meta_column(rows, i, &element) == NGX_OK) {
            p = ngx_scale_meta_put(p, &element);
        }
    }

    return NGX_OK;
}


/* what a column says; NGX_DECLINED: it belongs to the body, or is NULL */

static ngx_int_t
ngx_scale_meta_column(ngx_scale_rows_t *rows, ngx_uint_t i,
    ngx_scale_meta_t *element)
{
    ngx_str_t                *column;
    ngx_scale_meta_prefix_t  *prefix;

    column = &rows->columns[i].name;
    prefix = ngx_scale_meta_prefix(column);

    if (prefix->kind == NGX_SCALE_META_NONE || rows->nrows == 0
        || rows->get(rows, 0, i, &element->value) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    element->kind = prefix->kind;
    element->name.data = column->data + prefix->prefix.len;
    element->name.len = column->len - prefix->prefix.len;

    if (element->kind == NGX_SCALE_META_FIELD && element->name.len == 6
        && ngx_strncasecmp(element->name.data, (u_char *) "status", 6) == 0)
    {
        element->kind = NGX_SCALE_META_STATUS;
        element->name.len = 0;
    }

    return NGX_OK;
}


static size_t
ngx_scale_meta_size(ngx_scale_meta_t *element)
{
    return NGX_SCALE_META_HEADER + element->name.len + element->value.len;
}


static u_char *
ngx_scale_meta_put(u_char *p, ngx_scale_meta_t *element)
{
    uint16_t  name_len;
    uint32_t  value_len;

    name_len = (uint16_t) element->name.len;
    value_len = (uint32_t) element->value.len;

    *p++ = (u_char) element->kind;
    p = ngx_cpymem(p, &name_len, sizeof(uint16_t));
    p = ngx_cpymem(p, &value_len, sizeof(uint32_t));
    p = ngx_cpymem(p, element->name.data, element->name.len);

    return ngx_cpymem(p, element->value.data, element->value.len);
}


ngx_scale_meta_e
ngx_scale_meta_kind(ngx_str_t *column)
{
    return ngx_scale_meta_prefix(column)->kind;
}


static ngx_scale_meta_prefix_t *
ngx_scale_meta_prefix(ngx_str_t *column)
{
    ngx_scale_meta_prefix_t  *p;

    for (p = ngx_scale_meta_prefixes; p->kind != NGX_SCALE_META_NONE; p++) {
        if (column->len > p->prefix.len
            && column->data[0] == p->prefix.data[0]
            && ngx_memcmp(column->data, p->prefix.data, p->prefix.len) == 0)
        {
            break;
        }
    }

    return p;
}


ngx_int_t
ngx_scale_meta_add(ngx_pool_t *pool, ngx_str_t *meta,
    ngx_scale_meta_t *element)
{
    u_char     *p;
    ngx_str_t   longer;

    longer.len = meta->len + ngx_scale_meta_size(element);
    longer.data = ngx_pnalloc(pool, longer.len);
    if (longer.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(longer.data, meta->data, meta->len);
    (void) ngx_scale_meta_put(p, element);

    *meta = longer;

    return NGX_OK;
}


ngx_int_t
ngx_scale_meta_next(ngx_str_t *rest, ngx_scale_meta_t *element)
{
    u_char    *p;
    uint16_t   name_len;
    uint32_t   value_len;

    if (rest->len < NGX_SCALE_META_HEADER) {
        return NGX_DONE;
    }

    p = rest->data;

    element->kind = *p++;
    ngx_memcpy(&name_len, p, sizeof(uint16_t));
    p += sizeof(uint16_t);
    ngx_memcpy(&value_len, p, sizeof(uint32_t));
    p += sizeof(uint32_t);

    element->name.data = p;
    element->name.len = name_len;
    element->value.data = p + name_len;
    element->value.len = value_len;

    if (rest->len < ngx_scale_meta_size(element)) {
        return NGX_ERROR;
    }

    rest->len -= ngx_scale_meta_size(element);
    rest->data += ngx_scale_meta_size(element);

    return NGX_OK;
}


ngx_uint_t
ngx_scale_meta_is_plain(ngx_str_t *meta)
{
    ngx_str_t         rest;
    ngx_scale_meta_t  element;

    rest = *meta;

    while (ngx_scale_meta_next(&rest, &element) == NGX_OK) {
        if (element.kind == NGX_SCALE_META_FIELD
            || element.kind == NGX_SCALE_META_ROW)
        {
            return 0;
        }
    }

    return 1;
}


ngx_uint_t
ngx_scale_meta_find(ngx_scale_rows_t *rows, ngx_str_t *name)
{
    ngx_str_t   column;
    ngx_uint_t  i;

    for (i = 0; i < rows->ncolumns; i++) {
        column = rows->columns[i].name;

        if (column.len > 4 && ngx_strncmp(column.data, "row:", 4) == 0) {
            column.data += 4;
            column.len -= 4;
        }

        if (ngx_scale_same(&column, name)) {
            break;
        }
    }

    return i;
}
