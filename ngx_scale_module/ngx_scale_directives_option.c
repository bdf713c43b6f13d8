
/* the options of scale_query: each a word, or a name with a value */

#include "ngx_scale_directives.h"
#include "ngx_scale_queue.h"


typedef struct {
    ngx_str_t      name;                   /* with its "=", or a bare word */
    char        *(*set)(ngx_conf_t *cf, ngx_scale_query_t *query,
                        ngx_str_t *value);
} ngx_scale_query_option_t;


static char *ngx_scale_directives_set_read(ngx_conf_t *cf,
    ngx_scale_query_t *query, ngx_str_t *value);
static char *ngx_scale_directives_set_write(ngx_conf_t *cf,
    ngx_scale_query_t *query, ngx_str_t *value);
static char *ngx_scale_directives_set_store(ngx_conf_t *cf,
    ngx_scale_query_t *query, ngx_str_t *value);
static char *ngx_scale_directives_set_type(ngx_conf_t *cf,
    ngx_scale_query_t *query, ngx_str_t *value);
static char *ngx_scale_directives_set_status(ngx_conf_t *cf,
    ngx_scale_query_t *query, ngx_str_t *value);
static char *ngx_scale_directives_set_empty(ngx_conf_t *cf,
    ngx_scale_query_t *query, ngx_str_t *value);
static char *ngx_scale_directives_set_role(ngx_conf_t *cf,
    ngx_scale_query_t *query, ngx_str_t *value);
static char *ngx_scale_directives_set_timeout(ngx_conf_t *cf,
    ngx_scale_query_t *query, ngx_str_t *value);
static char *ngx_scale_directives_set_fanout(ngx_conf_t *cf,
    ngx_scale_query_t *query, ngx_str_t *value);
static char *ngx_scale_directives_set_sort(ngx_conf_t *cf,
    ngx_scale_query_t *query, ngx_str_t *value);
static char *ngx_scale_directives_set_limit(ngx_conf_t *cf,
    ngx_scale_query_t *query, ngx_str_t *value);
static char *ngx_scale_directives_set_claim(ngx_conf_t *cf,
    ngx_scale_query_t *query, ngx_str_t *value);


static ngx_scale_query_option_t  ngx_scale_query_options[] = {
    { ngx_string("read"), ngx_scale_directives_set_read },
    { ngx_string("write"), ngx_scale_directives_set_write },
    { ngx_string("store"), ngx_scale_directives_set_store },
    { ngx_string("type="), ngx_scale_directives_set_type },
    { ngx_string("status="), ngx_scale_directives_set_status },
    { ngx_string("empty="), ngx_scale_directives_set_empty },
    { ngx_string("role="), ngx_scale_directives_set_role },
    { ngx_string("timeout="), ngx_scale_directives_set_timeout },
    { ngx_string("fanout"), ngx_scale_directives_set_fanout },
    { ngx_string("fanout="), ngx_scale_directives_set_fanout },
    { ngx_string("sort="), ngx_scale_directives_set_sort },
    { ngx_string("limit="), ngx_scale_directives_set_limit },
    { ngx_string("claim="), ngx_scale_directives_set_claim },
    { ngx_null_string, NULL }
};


ngx_int_t
ngx_scale_directives_option(ngx_conf_t *cf, ngx_scale_query_t *query,
    ngx_str_t *word, char **rv)
{
    ngx_str_t                  value;
    ngx_scale_query_option_t  *option;

    for (option = ngx_scale_query_options; option->name.len; option++) {

        if (word->len < option->name.len
            || ngx_strncmp(word->data, option->name.data, option->name.len)
               != 0)
        {
            continue;
        }

        value.data = word->data + option->name.len;
        value.len = word->len - option->name.len;

        if ((option->name.data[option->name.len - 1] == '=')
            == (value.len != 0))
        {
            *rv = option->set(cf, query, &value);
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


static char *
ngx_scale_directives_set_read(ngx_conf_t *cf, ngx_scale_query_t *query,
    ngx_str_t *value)
{
    query->read = 1;

    return query->write ? "cannot be both read and write; leave one"
                        : NGX_CONF_OK;
}


static char *
ngx_scale_directives_set_write(ngx_conf_t *cf, ngx_scale_query_t *query,
    ngx_str_t *value)
{
    query->write = 1;

    return query->read ? "cannot be both read and write; leave one"
                       : NGX_CONF_OK;
}


static char *
ngx_scale_directives_set_store(ngx_conf_t *cf, ngx_scale_query_t *query,
    ngx_str_t *value)
{
    query->store = 1;

    return NGX_CONF_OK;
}


static char *
ngx_scale_directives_set_type(ngx_conf_t *cf, ngx_scale_query_t *query,
    ngx_str_t *value)
{
    if (query->shape != NGX_SCALE_SHAPE_VALUE) {
        return "takes type= with the shape \"value\" only: that value is what "
               "is sent; all else is JSON";
    }

    if (ngx_strlchr(value->data, value->data + value->len, '/') == NULL) {
        return "takes a media type as type=, such as "
               "\"type=text/html; charset=utf-8\"";
    }

    query->type = *value;

    return NGX_CONF_OK;
}


static char *
ngx_scale_directives_set_status(ngx_conf_t *cf, ngx_scale_query_t *query,
    ngx_str_t *value)
{
    ngx_int_t  status;

    status = ngx_atoi(value->data, value->len);

    if (status < 200 || status > 399) {
        return "takes a status= of 200 to 399; refusals are scale.fail()'s";
    }

    query->status = status;

    return NGX_CONF_OK;
}


static char *
ngx_scale_directives_set_empty(ngx_conf_t *cf, ngx_scale_query_t *query,
    ngx_str_t *value)
{
    ngx_int_t  status;

    status = ngx_atoi(value->data, value->len);

    if (status < 200 || status > 599) {
        return "takes a status of 200 to 599 as empty=";
    }

    query->empty = status;

    return NGX_CONF_OK;
}


static char *
ngx_scale_directives_set_role(ngx_conf_t *cf, ngx_scale_query_t *query,
    ngx_str_t *value)
{
    if (ngx_strcmp(value->data, "primary") != 0) {
        return "takes role=primary; where it is not written, a replica "
               "answers if it can";
    }

    query->primary = 1;

    return NGX_CONF_OK;
}


static char *
ngx_scale_directives_set_timeout(ngx_conf_t *cf, ngx_scale_query_t *query,
    ngx_str_t *value)
{
    ngx_int_t  msec;

    msec = ngx_parse_time(value, 0);

    if (msec == NGX_ERROR || msec == 0) {
        return "takes a timeout= such as 500ms or 5s";
    }

    query->timeout = msec;

    return NGX_CONF_OK;
}


static char *
ngx_scale_directives_set_fanout(ngx_conf_t *cf, ngx_scale_query_t *query,
    ngx_str_t *value)
{
    if (value->len && ngx_strcmp(value->data, "partial") != 0) {
        return "takes fanout, or fanout=partial where rows of some shards "
               "are better than none";
    }

    query->fanout = 1;
    query->partial = value->len != 0;

    return NGX_CONF_OK;
}


/* sort=column[:asc|:desc],... */

static char *
ngx_scale_directives_set_sort(ngx_conf_t *cf, ngx_scale_query_t *query,
    ngx_str_t *value)
{
    query->sort = ngx_scale_directives_order(cf, value);

    return query->sort ? NGX_CONF_OK
                       : "takes the columns of its ORDER BY as sort=, such as "
                         "\"sort=created:desc,id\"";
}


ngx_array_t *
ngx_scale_directives_order(ngx_conf_t *cf, ngx_str_t *value)
{
    u_char                  *p, *last, *end;
    ngx_array_t             *order;
    ngx_scale_shard_sort_t  *by;

    order = ngx_array_create(cf->pool, 2, sizeof(ngx_scale_shard_sort_t));
    if (order == NULL) {
        return NULL;
    }

    last = value->data + value->len;

    for (p = value->data; p <= last; p = end + 1) {
        end = ngx_strlchr(p, last, ',');
        if (end == NULL) {
            end = last;
        }

        by = ngx_array_push(order);
        if (by == NULL) {
            return NULL;
        }

        by->column.data = p;
        by->column.len = end - p;
        by->desc = 0;

        if (by->column.len > 5 && ngx_strncmp(end - 5, ":desc", 5) == 0) {
            by->column.len -= 5;
            by->desc = 1;

        } else if (by->column.len > 4 && ngx_strncmp(end - 4, ":asc", 4) == 0)
        {
            by->column.len -= 4;
        }

        if (by->column.len == 0) {
            return NULL;
        }
    }

    return order;
}


/* limit=n, or limit=:param */

static char *
ngx_scale_directives_set_limit(ngx_conf_t *cf, ngx_scale_query_t *query,
    ngx_str_t *value)
{
    ngx_int_t  n;

    if (value->len > 1 && value->data[0] == ':') {
        query->limit_name.data = value->data + 1;
        query->limit_name.len = value->len - 1;

        return NGX_CONF_OK;
    }

    n = ngx_atoi(value->data, value->len);

    if (n < 1) {
        return "takes the number of its LIMIT as limit=, or its parameter, "
               "such as \"limit=50\" or \"limit=:n\"";
    }

    query->limit = n;

    return NGX_CONF_OK;
}


/* its rows are jobs of the queue, which are waited for */

static char *
ngx_scale_directives_set_claim(ngx_conf_t *cf, ngx_scale_query_t *query,
    ngx_str_t *value)
{
    query->queue = ngx_scale_queue_find(cf, value);

    return query->queue ? NGX_CONF_OK : NGX_CONF_ERROR;
}
