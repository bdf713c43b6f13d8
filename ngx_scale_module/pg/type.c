
/*
 * Declared parameter types as PostgreSQL numbers them (pg_type.dat), and the
 * check of a connection string.
 */

#include "pg/pg_int.h"


typedef struct {
    ngx_uint_t    scalar;
    ngx_uint_t    array;
} ngx_scale_pg_oids_t;


static ngx_int_t ngx_scale_pg_conf_options(PQconninfoOption *options,
    ngx_str_t *error);


static ngx_scale_pg_oids_t  ngx_scale_pg_oids[NGX_SCALE_NTYPES] = {
    [NGX_SCALE_BOOL] =        { 16, 1000 },
    [NGX_SCALE_INT] =         { 23, 1007 },
    [NGX_SCALE_BIGINT] =      { 20, 1016 },
    [NGX_SCALE_NUMERIC] =     { 1700, 1231 },
    [NGX_SCALE_FLOAT8] =      { 701, 1022 },
    [NGX_SCALE_TEXT] =        { 25, 1009 },
    [NGX_SCALE_UUID] =        { 2950, 2951 },
    [NGX_SCALE_DATE] =        { 1082, 1182 },
    [NGX_SCALE_TIMESTAMPTZ] = { 1184, 1185 },
    [NGX_SCALE_JSON] =        { 114, 199 },
    [NGX_SCALE_JSONB] =       { 3802, 3807 },
    [NGX_SCALE_BYTEA] =       { 17, 1001 },
};


ngx_uint_t
ngx_scale_pg_type_oid(ngx_uint_t type)
{
    ngx_scale_pg_oids_t  *oids;

    oids = &ngx_scale_pg_oids[type & ~NGX_SCALE_ARRAY];

    return (type & NGX_SCALE_ARRAY) ? oids->array : oids->scalar;
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
