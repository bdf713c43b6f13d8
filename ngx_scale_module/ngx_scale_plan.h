
/*
 * From directives to methods, when a location is merged; what does not fit is
 * an error of the directive that stands where "place" is.
 */

#ifndef _NGX_SCALE_PLAN_H_INCLUDED_
#define _NGX_SCALE_PLAN_H_INCLUDED_


#include "ngx_scale_conf.h"


/* ngx_scale_plan.c: the methods of a location that has statements */
char *ngx_scale_plan(ngx_conf_t *cf, ngx_scale_main_conf_t *main,
    ngx_scale_loc_conf_t *loc);

/* ngx_scale_plan_routes.c: what can be said only when all are known */
char *ngx_scale_plan_routes(ngx_conf_t *cf, ngx_scale_main_conf_t *main);


/* one aspect of a location or a method each, for those above */

/* ngx_scale_plan_key.c: the key and tags of what GET caches */
char *ngx_scale_plan_key(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *get);

/* ngx_scale_plan_write.c: what a write makes old */
char *ngx_scale_plan_write(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m);

/* ngx_scale_plan_fresh.c: lifetimes, of what, and what a write stores */
char *ngx_scale_plan_kept(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc);
char *ngx_scale_plan_lifetime(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc);
char *ngx_scale_plan_store(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m);

/*
 * ngx_scale_plan_guard.c: declares :if_match before the methods are planned,
 * and guards a method that binds it
 */
char *ngx_scale_plan_if_match(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc);
char *ngx_scale_plan_guard(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m);

/* ngx_scale_plan_page.c: the list's statement, before it is planned */
char *ngx_scale_plan_page(ngx_conf_t *cf, ngx_scale_main_conf_t *main,
    ngx_scale_loc_conf_t *loc);

/* ngx_scale_plan_batch.c: a write may come with an array */
char *ngx_scale_plan_batch(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m);

/* ngx_scale_plan_queue.c: a method claims jobs; who may ask a queue at all */
char *ngx_scale_plan_claim(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m);
char *ngx_scale_plan_closed(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc);

/* ngx_scale_plan_keyed.c: a write may come with an Idempotency-Key */
char *ngx_scale_plan_keyed(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m);

/* ngx_scale_plan_limit.c: what limits the location; and what limits none */
char *ngx_scale_plan_limits(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc);
char *ngx_scale_plan_idle_limits(ngx_conf_t *cf, ngx_scale_main_conf_t *main);

/* ngx_scale_plan_shard.c: each method runs on one shard, or reads all */
char *ngx_scale_plan_shards(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc);

/* ngx_scale_identity.c: each method and each key has who asks */
char *ngx_scale_identity_plan(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m);
char *ngx_scale_identity_plan_key(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *get);

/*
 * ngx_scale_plan_scope.c: declares :identity before the methods are planned;
 * a method's entries are of one who asks, or its statements run for nobody
 */
char *ngx_scale_plan_identity(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc);
char *ngx_scale_plan_scope(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m);

/* ngx_scale_plan_vary.c: what chooses among the answers of one URL */
char *ngx_scale_plan_vary(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc);

/* ngx_scale_cdn_conf.c: what caches on the way are told */
char *ngx_scale_cdn_plan(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc);

/* ngx_scale_cors_conf.c: what pages of other origins may do here */
char *ngx_scale_cors_plan(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc);

/*
 * ngx_scale_plan_presign.c: what is signed for clients, before the methods are
 * planned, and those that hand it out, when it is known who asks
 */
char *ngx_scale_plan_presigns(ngx_conf_t *cf, ngx_scale_main_conf_t *main,
    ngx_scale_loc_conf_t *loc);
char *ngx_scale_plan_presigned(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc);

/* ngx_scale_plan_source.c: the variables of its parameters exist */
char *ngx_scale_plan_sources(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc);

/* and so do those that are wanted as JSON, anywhere */
char *ngx_scale_plan_json_variables(ngx_conf_t *cf);

/* ngx_scale_plan_purge.c: the targets of its scale_purge */
char *ngx_scale_plan_purges(ngx_conf_t *cf, ngx_scale_main_conf_t *main,
    ngx_scale_loc_conf_t *loc);

/*
 * ngx_scale_plan_unique.c: no route before main->routes' n-th has entries of
 * its key that are not the same.  The names of parameters make no difference.
 */
char *ngx_scale_plan_unique(ngx_conf_t *cf, ngx_scale_main_conf_t *main,
    ngx_uint_t n);
ngx_uint_t ngx_scale_plan_same_key(ngx_scale_key_t *a, ngx_scale_key_t *b);


/* ngx_scale_plan_use.c: which parameters a method needs */

/* one that no directive declares, which may stay unused; NULL: memory */
ngx_scale_declared_t *ngx_scale_plan_declare(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc, ngx_str_t *name, ngx_uint_t type,
    ngx_scale_place_in_conf_t *place);

/* NULL: it is not declared, which was logged */
ngx_scale_declared_t *ngx_scale_plan_param(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc, ngx_str_t *name,
    ngx_scale_place_in_conf_t *place);

/* its number among the parts, from 1; 0: it is none of them */
ngx_uint_t ngx_scale_plan_holds(ngx_array_t *parts, ngx_str_t *name);

/* the method evaluates it, or all that the parts or keys name */
char *ngx_scale_plan_use(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *m, ngx_str_t *name, ngx_scale_place_in_conf_t *place);
char *ngx_scale_plan_use_parts(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc, ngx_scale_method_t *m, ngx_array_t *parts,
    ngx_scale_place_in_conf_t *place);
char *ngx_scale_plan_use_keys(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc, ngx_scale_method_t *m, ngx_array_t *keys);


#endif /* _NGX_SCALE_PLAN_H_INCLUDED_ */
