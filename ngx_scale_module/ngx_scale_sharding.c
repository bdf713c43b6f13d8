
/* scale_shard_key: which cluster of a database a request is for */

#include "ngx_scale_query.h"


static ngx_int_t ngx_scale_sharding_key(ngx_scale_flow_t *f, ngx_str_t *key);


ngx_int_t
ngx_scale_sharding_all(ngx_scale_flow_t *f)
{
    ngx_str_set(&f->ctx.shard, "*");

    return NGX_OK;
}


ngx_int_t
ngx_scale_sharding_one(ngx_scale_flow_t *f)
{
    ngx_int_t               rc;
    ngx_str_t               key;
    ngx_scale_cluster_t    *clusters;
    ngx_scale_shard_map_t  *map;

    clusters = f->loc->database->clusters.elts;
    map = f->loc->database->map;

    if (map == NULL) {
        f->cluster = clusters;
        return NGX_OK;
    }

    rc = ngx_scale_sharding_key(f, &key);
    if (rc != NGX_OK) {
        return rc;
    }

    f->cluster = &clusters[ngx_scale_shard_map_find(map, &key)];
    f->ctx.shard = f->cluster->name;

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, f->r->connection->log, 0,
                   "scale shard \"%V\"", &f->cluster->name);

    if (f->method->write && ngx_scale_shard_map_is_frozen(map, &key)) {
        ngx_str_set(&f->problem.detail,
                    "what this writes to is being moved; nothing was executed");
        return ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_UNAVAILABLE);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_scale_sharding_key(ngx_scale_flow_t *f, ngx_str_t *key)
{
    ngx_str_t          *name, *values;
    ngx_uint_t          i, n;
    ngx_scale_value_t  *value;

    n = f->loc->shard_key->names.nelts;
    name = f->loc->shard_key->names.elts;

    values = ngx_palloc(f->r->pool, n * sizeof(ngx_str_t));
    if (values == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        value = &f->values[f->loc->shard_args[i]];

        if (value->null) {
            if (ngx_scale_problem_violation(f->r->pool, &f->problem,
                                            NGX_SCALE_CAUSE_PARAMETER,
                                            &name[i], "is required")
                != NGX_OK)
            {
                return NGX_ERROR;
            }

            continue;
        }

        values[i] = value->canon;
    }

    if (f->problem.nviolations) {
        return ngx_scale_flow_refuse(f, f->problem.cause);
    }

    return ngx_scale_shard_key(f->r->pool, values, n, key);
}
