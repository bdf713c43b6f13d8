
/* The check of a connection string. */

#include "pg/pg.h"
#include <libpq-fe.h>


static ngx_int_t ngx_scale_pg_conf_options(PQconninfoOption *options,
    ngx_str_t *error);


ngx_int_t
ngx_scale_pg_conf_check(ngx_pool_t *pool, ngx_scale_pg_conf_t *conf,
    ngx_str_t *error)
{
    char              *message;
    size_t             len;
    PQconninfoOption  *options;

    options = PQconninfoParse((char *) conf->conninfo.data, &message);

    if (options) {
        return ngx_scale_pg_conf_options(options, error);
    }

    if (message == NULL) {
        return NGX_ERROR;
    }

    /* libpq quotes what it stumbles over, which may be of the password */

    if (ngx_strstr(conf->conninfo.data, "pass")
        || ngx_strstr(conf->conninfo.data, "://"))
    {
        PQfreemem(message);

        ngx_str_set(error, "libpq does not understand it; quote values with "
                           "blanks, and put the password into password_file");
        return NGX_DECLINED;
    }

    /* libpq's sentence ends in a line feed */

    len = ngx_strlen(message) - 1;

    error->data = ngx_pnalloc(pool, len);
    if (error->data) {
        ngx_memcpy(error->data, message, len);
        error->len = len;
    }

    PQfreemem(message);

    return error->data ? NGX_DECLINED : NGX_ERROR;
}


/* libpq takes them all; some have a place of their own here */

static ngx_int_t
ngx_scale_pg_conf_options(PQconninfoOption *options, ngx_str_t *error)
{
    PQconninfoOption  *option;

    ngx_str_null(error);

    for (option = options; option->keyword; option++) {

        if (option->val == NULL) {
            continue;
        }

        if (ngx_strcmp(option->keyword, "password") == 0) {
            ngx_str_set(error, "it holds a password; put that into a file of "
                               "its own and name it by password_file");

        } else if (ngx_strcmp(option->keyword, "host") == 0
                   || ngx_strcmp(option->keyword, "hostaddr") == 0
                   || ngx_strcmp(option->keyword, "port") == 0)
        {
            ngx_str_set(error, "it names a server; write that as \"server "
                               "host:port\", and here such as "
                               "\"dbname=app user=api\"");
        }
    }

    PQconninfoFree(options);

    return error->len ? NGX_DECLINED : NGX_OK;
}
