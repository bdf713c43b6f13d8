
/* what can be said only when all locations, and so all captures, are known */

#include "ngx_scale_plan.h"


char *
ngx_scale_plan_routes(ngx_conf_t *cf, ngx_scale_main_conf_t *main)
{
    char                   *rv;
    ngx_uint_t              i;
    ngx_scale_loc_conf_t  **route;

    route = main->routes.elts;

    for (i = 0; i < main->routes.nelts; i++) {

        rv = ngx_scale_plan_sources(cf, route[i]);

        if (rv == NGX_CONF_OK) {
            rv = ngx_scale_plan_unique(cf, main, i);
        }

        if (rv == NGX_CONF_OK) {
            rv = ngx_scale_plan_purges(cf, main, route[i]);
        }

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return ngx_scale_plan_idle_limits(cf, main);
}
