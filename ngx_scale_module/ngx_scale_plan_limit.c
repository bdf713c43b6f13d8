
/* what limits a location, and that each scale_limit does limit one */

#include "ngx_scale_plan.h"


char *
ngx_scale_plan_limits(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc)
{
    ngx_uint_t           i;
    ngx_scale_limit_t  **limit;

    if (loc->limits == NULL) {
        return NGX_CONF_OK;
    }

    limit = loc->limits->elts;

    for (i = 0; i < loc->limits->nelts; i++) {
        limit[i]->used = 1;

        if (!limit[i]->cluster || (loc->store && loc->store->conf.shared)) {
            continue;
        }

        ngx_scale_conf_error(cf, &limit[i]->place,
                             "scale_limit \"%V\" has scope=cluster, and route "
                             "\"%V\" no cache that several web nodes share; "
                             "give its scale_cache a \"ring database=name\", "
                             "or write scope=node", &limit[i]->name,
                             &loc->http.route);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_scale_plan_idle_limits(ngx_conf_t *cf, ngx_scale_main_conf_t *main)
{
    ngx_uint_t           i;
    ngx_scale_limit_t  **limit;

    limit = main->limits.elts;

    for (i = 0; i < main->limits.nelts; i++) {

        if (limit[i]->used) {
            continue;
        }

        ngx_scale_conf_error(cf, &limit[i]->place,
                             "scale_limit \"%V\" limits nothing: no location "
                             "here has scale_query; for others nginx has "
                             "limit_req", &limit[i]->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}
