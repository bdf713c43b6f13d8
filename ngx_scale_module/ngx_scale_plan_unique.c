
/* one key, one statement: no route takes for its own what another caches */

#include "ngx_scale_plan.h"


static void ngx_scale_plan_share_hashed(ngx_scale_loc_conf_t *a,
    ngx_scale_loc_conf_t *b);
static ngx_uint_t ngx_scale_plan_same_tags(ngx_scale_loc_conf_t *a,
    ngx_scale_loc_conf_t *b);


char *
ngx_scale_plan_unique(ngx_conf_t *cf, ngx_scale_main_conf_t *main,
    ngx_uint_t n)
{
    ngx_uint_t              i;
    ngx_scale_loc_conf_t  **route;

    route = main->routes.elts;

    for (i = 0; i < n; i++) {

        if (route[i]->key == NULL || route[n]->key == NULL
            || route[i]->ttl == 0 || route[n]->ttl == 0
            || route[i]->store != route[n]->store
            || !ngx_scale_plan_same_key(route[i]->key, route[n]->key))
        {
            continue;
        }

        if (route[i]->statement == route[n]->statement
            && ngx_scale_plan_same_tags(route[i], route[n]))
        {
            ngx_scale_plan_share_hashed(route[i], route[n]);
            continue;
        }

        ngx_scale_conf_error(cf, &route[n]->key->place,
                             "key \"%V\" is already that of %s, in %V:%ui; "
                             "give one of them another scale_route or "
                             "scale_cache_key", &route[n]->key->text,
                             route[i]->statement == route[n]->statement
                             ? "entries with other tags"
                             : "another statement",
                             &route[i]->key->place.file,
                             route[i]->key->place.line);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* what is hashed in the key of one is so in that of the other */

static void
ngx_scale_plan_share_hashed(ngx_scale_loc_conf_t *a, ngx_scale_loc_conf_t *b)
{
    ngx_uint_t             i;
    ngx_scale_declared_t  *x, *y;
    ngx_scale_key_part_t  *p, *q;

    p = a->key->parts.elts;
    q = b->key->parts.elts;

    for (i = 0; i < a->key->parts.nelts; i++) {

        if (p[i].name.len == 0) {
            continue;
        }

        x = ngx_scale_conf_find_param(a, &p[i].name);
        y = ngx_scale_conf_find_param(b, &q[i].name);

        x->hashed |= y->hashed;
        y->hashed = x->hashed;
    }
}


static ngx_uint_t
ngx_scale_plan_same_tags(ngx_scale_loc_conf_t *a, ngx_scale_loc_conf_t *b)
{
    ngx_uint_t             i, j, n;
    ngx_scale_key_t       *x, *y;
    ngx_scale_key_part_t  *p, *q;

    n = a->tags ? a->tags->nelts : 0;

    if (n != (b->tags ? b->tags->nelts : 0)) {
        return 0;
    }

    x = n ? a->tags->elts : NULL;
    y = n ? b->tags->elts : NULL;

    for (i = 0; i < n; i++) {

        if (!ngx_scale_plan_same_key(&x[i], &y[i])) {
            return 0;
        }

        p = x[i].parts.elts;
        q = y[i].parts.elts;

        for (j = 0; j < x[i].parts.nelts; j++) {
            if (ngx_scale_plan_holds(&a->key->parts, &p[j].name)
                != ngx_scale_plan_holds(&b->key->parts, &q[j].name))
            {
                return 0;
            }
        }
    }

    return 1;
}


/* whatever the parameters are called: their values may be the same */

ngx_uint_t
ngx_scale_plan_same_key(ngx_scale_key_t *a, ngx_scale_key_t *b)
{
    ngx_uint_t             i;
    ngx_scale_key_part_t  *x, *y;

    if (a->parts.nelts != b->parts.nelts) {
        return 0;
    }

    x = a->parts.elts;
    y = b->parts.elts;

    for (i = 0; i < a->parts.nelts; i++) {
        if ((x[i].name.len == 0) != (y[i].name.len == 0)
            || x[i].literal.len != y[i].literal.len
            || ngx_strncmp(x[i].literal.data, y[i].literal.data,
                           x[i].literal.len) != 0)
        {
            return 0;
        }
    }

    return 1;
}
