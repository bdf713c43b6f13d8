
/*
 * The setters of the directives.  They only store what is written; what needs
 * other directives, too, is planned when the location is merged.
 */

#ifndef _NGX_SCALE_DIRECTIVES_H_INCLUDED_
#define _NGX_SCALE_DIRECTIVES_H_INCLUDED_


#include "ngx_scale_conf.h"


/* blocks, each read whole: ngx_scale_database.c, _cache.c, _queue_conf.c */

char *ngx_scale_database_directive(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_scale_cache_directive(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


char *ngx_scale_queue_directive(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/* ngx_scale_queue_api.c */

char *ngx_scale_queue_api_directive(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/* ngx_scale_directives_enqueue.c */

char *ngx_scale_directives_enqueue(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/* ngx_scale_directives_stores.c */

char *ngx_scale_directives_zone(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_scale_directives_secret_file(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_scale_directives_use(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_scale_directives_deadline(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_scale_directives_consistency(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_scale_directives_shard_key(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/* ngx_scale_directives.c */

char *ngx_scale_directives_route(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_scale_directives_sqlstate(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/* ngx_scale_openapi.c */

char *ngx_scale_openapi_directive(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/* ngx_scale_cors_conf.c */

char *ngx_scale_cors_directive(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/* ngx_scale_cdn_conf.c */

char *ngx_scale_cdn_directive(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/* ngx_scale_directives_param.c */

char *ngx_scale_directives_param(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_scale_directives_identity(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* by name: what the outer level declares and the inner one does not */
ngx_int_t ngx_scale_directives_merge_params(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *prev, ngx_scale_loc_conf_t *conf);
ngx_int_t ngx_scale_directives_merge_identities(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *prev, ngx_scale_loc_conf_t *conf);


/* ngx_scale_directives_query.c */

char *ngx_scale_directives_query(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/*
 * ngx_scale_directives_option.c: NGX_DECLINED: the word is no option of
 * scale_query; NGX_OK: it is, and "rv" is what its setter has returned.
 */
ngx_int_t ngx_scale_directives_option(ngx_conf_t *cf, ngx_scale_query_t *query,
    ngx_str_t *word, char **rv);

/* column[:asc|:desc],... as an array of ngx_scale_shard_sort_t; NULL: none */
ngx_array_t *ngx_scale_directives_order(ngx_conf_t *cf, ngx_str_t *value);


/* ngx_scale_directives_cache.c */

char *ngx_scale_directives_valid(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_scale_directives_audit(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_scale_directives_scope(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_scale_directives_key(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_scale_directives_tags(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_scale_directives_purge(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/* ngx_scale_directives_limit.c */

char *ngx_scale_directives_limit(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* the outer level's where the inner one has none */
ngx_int_t ngx_scale_directives_merge_limits(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *prev, ngx_scale_loc_conf_t *conf);


/* ngx_scale_directives_http.c */

char *ngx_scale_directives_etag(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_scale_directives_if_match(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_scale_directives_page(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_scale_directives_batch(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_scale_directives_idempotency(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


#endif /* _NGX_SCALE_DIRECTIVES_H_INCLUDED_ */
