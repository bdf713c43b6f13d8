
/* scale_batch: which methods run once for each element of an array */

#include "ngx_scale_plan.h"


static const char *ngx_scale_plan_no_batch(ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m);
static ngx_uint_t ngx_scale_plan_is_of_body(ngx_scale_loc_conf_t *loc);


/* after its statements: those that bind no member of the body have none */

char *
ngx_scale_plan_batch(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m)
{
    const char  *reason;

    if (loc->batch == 0 || !m->write || !m->json) {
        return NGX_CONF_OK;
    }

    m->batch = 1;
    m->transaction = 1;
    m->look = 1;

    reason = ngx_scale_plan_no_batch(loc, m);
    if (reason == NULL) {
        return NGX_CONF_OK;
    }

    ngx_scale_conf_error(cf, &loc->batched,
                         "%V of route \"%V\" cannot be a batch: %s",
                         ngx_scale_conf_method_name(m->method),
                         &loc->http.route, reason);

    return NGX_CONF_ERROR;
}


static const char *
ngx_scale_plan_no_batch(ngx_scale_loc_conf_t *loc, ngx_scale_method_t *m)
{
    if (m->current) {
        return "its version is that of one row; remove \":if_match\"";
    }

    if (m->answer && m->answer->type.len) {
        return "its answer is no JSON; remove \"type=\"";
    }

    if (loc->batch * m->nqueries > NGX_SCALE_PG_MAX_BATCH) {
        return "with all of its statements it runs more than 300; lower max=, "
               "or put them into a function";
    }

    if (ngx_scale_plan_is_of_body(loc)) {
        return "its elements may be of several shards; take scale_shard_key "
               "from the path";
    }

    return NULL;
}


static ngx_uint_t
ngx_scale_plan_is_of_body(ngx_scale_loc_conf_t *loc)
{
    ngx_str_t             *name;
    ngx_uint_t             i;
    ngx_scale_declared_t  *declared;

    if (loc->shard_key == NULL || loc->database->map == NULL) {
        return 0;
    }

    name = loc->shard_key->names.elts;

    for (i = 0; i < loc->shard_key->names.nelts; i++) {
        declared = ngx_scale_conf_find_param(loc, &name[i]);

        if (declared && declared->param.source == NGX_SCALE_SOURCE_JSON) {
            return 1;
        }
    }

    return 0;
}
