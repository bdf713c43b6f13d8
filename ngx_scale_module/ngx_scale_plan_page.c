
/*
 * scale_page: the statement of a list becomes two, of the first page and of
 * one after a cursor.  A row more than asked for says that there are more.
 */

#include "ngx_scale_plan.h"


static char *ngx_scale_plan_page_check(ngx_conf_t *cf,
    ngx_scale_main_conf_t *main, ngx_scale_loc_conf_t *loc,
    ngx_scale_query_t *query);
static ngx_scale_query_t *ngx_scale_plan_page_list(ngx_scale_loc_conf_t *loc);
static ngx_int_t ngx_scale_plan_page_params(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc);
static ngx_int_t ngx_scale_plan_page_wrap(ngx_conf_t *cf,
    ngx_scale_query_t *query, ngx_scale_page_t *page, ngx_uint_t next);
static u_char *ngx_scale_plan_page_where(u_char *p, u_char *last,
    ngx_scale_page_t *page, ngx_uint_t first);
static ngx_uint_t ngx_scale_plan_page_is_mixed(ngx_scale_page_t *page);
static ngx_uint_t ngx_scale_plan_page_is_named(ngx_scale_page_t *page);
static u_char *ngx_scale_plan_page_columns(u_char *p, u_char *last,
    ngx_array_t *keyset);


/* what stands around the statement; around a column's four places */
#define NGX_SCALE_PLAN_PAGE_TEXT    256
#define NGX_SCALE_PLAN_PAGE_COLUMN  192


/* with a dot, which no name that is written has */

static ngx_str_t  ngx_scale_plan_page_limit = ngx_string("page.limit");

static ngx_str_t  ngx_scale_plan_page_cursor[NGX_SCALE_PAGE_MAX_KEYSET] = {
    ngx_string("page.1"),
    ngx_string("page.2"),
    ngx_string("page.3"),
    ngx_string("page.4")
};


char *
ngx_scale_plan_page(ngx_conf_t *cf, ngx_scale_main_conf_t *main,
    ngx_scale_loc_conf_t *loc)
{
    char               *rv;
    ngx_scale_query_t  *query, *next;

    if (loc->page == NULL) {
        return NGX_CONF_OK;
    }

    query = ngx_scale_plan_page_list(loc);

    rv = ngx_scale_plan_page_check(cf, main, loc, query);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    loc->page->secrets = main->secrets;
    loc->page->scope = &loc->http.route;
    loc->page->limit = query->template.params.nelts;

    next = ngx_palloc(cf->pool, sizeof(ngx_scale_query_t));

    if (next == NULL || ngx_scale_plan_page_params(cf, loc) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    query->page = loc->page;
    *next = *query;
    query->next = next;

    return ngx_scale_plan_page_wrap(cf, query, loc->page, 0) == NGX_OK
           && ngx_scale_plan_page_wrap(cf, next, loc->page, 1) == NGX_OK
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static ngx_scale_query_t *
ngx_scale_plan_page_list(ngx_scale_loc_conf_t *loc)
{
    ngx_uint_t          i;
    ngx_scale_query_t  *query;

    query = loc->queries->elts;

    for (i = 0; i < loc->queries->nelts; i++) {
        if (query[i].methods == NGX_HTTP_GET
            && query[i].shape == NGX_SCALE_SHAPE_ROWS)
        {
            return &query[i];
        }
    }

    return NULL;
}


static char *
ngx_scale_plan_page_check(ngx_conf_t *cf, ngx_scale_main_conf_t *main,
    ngx_scale_loc_conf_t *loc, ngx_scale_query_t *query)
{
    const char  *reason;

    if (query == NULL || query->fanout || query->template.dml) {
        reason = "is for a \"scale_query GET rows\" of one shard; add that";

    } else if (main->secrets->n == 0) {
        reason = "signs its cursors; write \"scale_secret_file path;\" in "
                 "http{}";

    } else if (!ngx_scale_plan_page_is_named(loc->page)) {
        reason = "orders by columns of letters, digits and \"_\"; rename "
                 "those of the statement by AS";

    } else if (loc->key) {
        reason = "makes the key of each page itself; remove scale_cache_key";

    } else {
        return NGX_CONF_OK;
    }

    ngx_scale_conf_error(cf, &loc->page->place, "\"scale_page\" %s", reason);

    return NGX_CONF_ERROR;
}


static ngx_uint_t
ngx_scale_plan_page_is_named(ngx_scale_page_t *page)
{
    size_t                   j;
    ngx_uint_t               i;
    ngx_scale_shard_sort_t  *by;

    by = page->keyset->elts;

    for (i = 0; i < page->keyset->nelts; i++) {
        for (j = 0; j < by[i].column.len; j++) {
            if (!isalnum(by[i].column.data[j])
                && by[i].column.data[j] != '_')
            {
                return 0;
            }
        }
    }

    return 1;
}


/* ":page.limit" of limit=, and ":page.1" and others of after= */

static ngx_int_t
ngx_scale_plan_page_params(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc)
{
    ngx_uint_t             i;
    ngx_scale_declared_t  *declared;

    declared = ngx_scale_plan_declare(cf, loc, &ngx_scale_plan_page_limit,
                                      NGX_SCALE_INT, &loc->page->place);
    if (declared == NULL) {
        return NGX_ERROR;
    }

    declared->param.source = NGX_SCALE_SOURCE_ARG;
    ngx_str_set(&declared->param.argument, "limit");
    ngx_str_set(&declared->param.min, "1");
    declared->param.reason.range = "must be at least 1";

    for (i = 0; i < loc->page->keyset->nelts; i++) {
        declared = ngx_scale_plan_declare(cf, loc,
                                          &ngx_scale_plan_page_cursor[i],
                                          NGX_SCALE_TEXT, &loc->page->place);
        if (declared == NULL) {
            return NGX_ERROR;
        }

        declared->param.source = NGX_SCALE_SOURCE_CURSOR;
        ngx_str_set(&declared->param.argument, "after");
        declared->param.count_max = i;
        declared->untyped = 1;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_scale_plan_page_wrap(ngx_conf_t *cf, ngx_scale_query_t *query,
    ngx_scale_page_t *page, ngx_uint_t next)
{
    u_char                  *p, *last, *sql;
    size_t                   len;
    ngx_str_t               *name, *params;
    ngx_uint_t               i, n;
    ngx_scale_shard_sort_t  *by;

    n = query->template.params.nelts;
    params = query->template.params.elts;

    if (ngx_array_init(&query->template.params, cf->pool,
                       n + 1 + NGX_SCALE_PAGE_MAX_KEYSET, sizeof(ngx_str_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    name = ngx_array_push_n(&query->template.params,
                            n + 1 + (next ? page->keyset->nelts : 0));

    for (i = 0; i < query->template.params.nelts; i++) {
        name[i] = i < n ? params[i]
                  : i == n ? ngx_scale_plan_page_limit
                           : ngx_scale_plan_page_cursor[i - n - 1];
    }

    len = query->template.sql.len + NGX_SCALE_PLAN_PAGE_TEXT;
    by = page->keyset->elts;

    for (i = 0; i < page->keyset->nelts; i++) {
        len += NGX_SCALE_PLAN_PAGE_COLUMN + 4 * by[i].column.len;
    }

    sql = ngx_pnalloc(cf->pool, len);
    if (sql == NULL) {
        return NGX_ERROR;
    }

    last = sql + len - 1;
    p = ngx_slprintf(sql, last, "SELECT * FROM (\n%V\n) AS page",
                     &query->template.sql);

    if (next) {
        p = ngx_scale_plan_page_where(p, last, page, n + 2);
    }

    p = ngx_slprintf(p, last, " ORDER BY ");
    p = ngx_scale_plan_page_columns(p, last, page->keyset);
    p = ngx_slprintf(p, last, " LIMIT least(coalesce($%ui, %ui), %ui) + 1",
                     n + 1, page->usual, page->max);
    *p = '\0';

    query->template.sql.data = sql;
    query->template.sql.len = p - sql;

    return NGX_OK;
}


/*
 * A comparison of rows where all columns go one way: it is a range of an
 * index.  Else the first column bounds the range, and the others are a filter.
 */

static u_char *
ngx_scale_plan_page_where(u_char *p, u_char *last, ngx_scale_page_t *page,
    ngx_uint_t first)
{
    ngx_uint_t               i, n;
    ngx_scale_shard_sort_t  *by;

    by = page->keyset->elts;
    n = page->keyset->nelts;

    if (!ngx_scale_plan_page_is_mixed(page)) {
        p = ngx_slprintf(p, last, " WHERE (");

        for (i = 0; i < n; i++) {
            p = ngx_slprintf(p, last, "%s\"%V\"", i ? ", " : "", &by[i].column);
        }

        p = ngx_slprintf(p, last, ") %s (", by[0].desc ? "<" : ">");

        for (i = 0; i < n; i++) {
            p = ngx_slprintf(p, last, "%s$%ui", i ? ", " : "", first + i);
        }

        return ngx_slprintf(p, last, ")");
    }

    p = ngx_slprintf(p, last, " WHERE \"%V\" %s= $%ui AND (", &by[0].column,
                     by[0].desc ? "<" : ">", first);

    for (i = 0; i < n; i++) {
        p = ngx_slprintf(p, last, "\"%V\" %s $%ui", &by[i].column,
                         by[i].desc ? "<" : ">", first + i);

        if (i < n - 1) {
            p = ngx_slprintf(p, last, " OR (\"%V\" = $%ui AND (", &by[i].column,
                             first + i);
        }
    }

    for (i = 0; i < n - 1; i++) {
        p = ngx_slprintf(p, last, "))");
    }

    return ngx_slprintf(p, last, ")");
}


static ngx_uint_t
ngx_scale_plan_page_is_mixed(ngx_scale_page_t *page)
{
    ngx_uint_t               i;
    ngx_scale_shard_sort_t  *by;

    by = page->keyset->elts;

    for (i = 1; i < page->keyset->nelts; i++) {
        if (by[i].desc != by[0].desc) {
            return 1;
        }
    }

    return 0;
}


static u_char *
ngx_scale_plan_page_columns(u_char *p, u_char *last, ngx_array_t *keyset)
{
    ngx_uint_t               i;
    ngx_scale_shard_sort_t  *by;

    by = keyset->elts;

    for (i = 0; i < keyset->nelts; i++) {
        p = ngx_slprintf(p, last, "%s\"%V\"%s", i ? ", " : "", &by[i].column,
                         by[i].desc ? " DESC" : "");
    }

    return p;
}
