
/* writes that may come with an Idempotency-Key */

#include "ngx_scale_plan.h"


static ngx_int_t ngx_scale_plan_keyed_statements(ngx_conf_t *cf,
    ngx_scale_database_t *database);


typedef struct {
    ngx_str_t      sql;
    ngx_uint_t     nparams;
    ngx_uint_t     oids[3];
} ngx_scale_plan_keyed_sql_t;


/* text, integer and bytea as pg_type.dat numbers them */

static ngx_scale_plan_keyed_sql_t  ngx_scale_plan_keyed_sql[] = {
    { ngx_string("SELECT scale.idempotency_begin($1, $2, $3)"), 3,
      { 25, 25, 23 } },
    { ngx_string("SELECT scale.idempotency_end($1, $2)"), 2,
      { 25, 17, 0 } },
    { ngx_null_string, 0, { 0, 0, 0 } }
};


/* the answer is made before COMMIT: it is stored with the write */

char *
ngx_scale_plan_keyed(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m)
{
    if (loc->idempotency == NGX_SCALE_OFF || !m->write || m->queue) {
        return NGX_CONF_OK;
    }

    m->keyed = 1;
    m->body = 1;

    return ngx_scale_plan_keyed_statements(cf, loc->database) == NGX_OK
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static ngx_int_t
ngx_scale_plan_keyed_statements(ngx_conf_t *cf,
    ngx_scale_database_t *database)
{
    ngx_uint_t                    i;
    ngx_scale_pg_statement_t    **slot;
    ngx_scale_plan_keyed_sql_t  *sql;

    if (database->keyed) {
        return NGX_OK;
    }

    database->keyed = ngx_pcalloc(cf->pool,
                                  2 * sizeof(ngx_scale_pg_statement_t));
    if (database->keyed == NULL) {
        return NGX_ERROR;
    }

    sql = ngx_scale_plan_keyed_sql;

    for (i = 0; sql[i].sql.len; i++) {
        slot = ngx_array_push(database->conf.statements);
        if (slot == NULL) {
            return NGX_ERROR;
        }

        *slot = &database->keyed[i];

        database->keyed[i].sql = sql[i].sql;
        database->keyed[i].nparams = sql[i].nparams;
        database->keyed[i].oids = sql[i].oids;
        database->keyed[i].index = database->conf.statements->nelts - 1;
    }

    return NGX_OK;
}
