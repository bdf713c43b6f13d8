
/*
 * scale_jwt: whose tokens count, and the files that have their keys.
 */

#ifndef _NGX_SCALE_ISSUER_H_INCLUDED_
#define _NGX_SCALE_ISSUER_H_INCLUDED_


#include "ngx_scale_conf.h"
#include "jwt/jwt.h"


/* a file, and which version of it was read */

typedef struct {
    ngx_str_t                    path;
    ngx_scale_place_in_conf_t    place;
    ngx_str_t                    kid;        /* of PEM; data NULL: none */
    unsigned                     jwks:1;
    ngx_file_uniq_t              uniq;
    struct timespec              changed;
} ngx_scale_issuer_file_t;

typedef struct {
    ngx_scale_auth_block_t       block;      /* the first part */
    ngx_array_t                  files;      /* of ngx_scale_issuer_file_t */
    ngx_uint_t                   algs;       /* a bit of each */
    ngx_http_complex_value_t    *token;      /* NULL: Authorization has it */
    ngx_scale_jwt_trust_t        trust;      /* the keys are the worker's */
    ngx_event_t                  timer;
    const char                  *fault;      /* that was logged, or NULL */
    ngx_log_t                   *log;
} ngx_scale_issuer_t;


/* ngx_scale_issuer_conf.c */
char *ngx_scale_issuer_directive(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/*
 * ngx_scale_issuer_keys.c: reads the files when the configuration is read;
 * then each worker looks now and then whether they have changed, and keeps the
 * keys that it has where the new ones are no good.
 */
char *ngx_scale_issuer_load(ngx_conf_t *cf, ngx_scale_issuer_t *issuer);
void ngx_scale_issuers_open(ngx_cycle_t *cycle, ngx_scale_main_conf_t *main);
void ngx_scale_issuers_close(ngx_scale_main_conf_t *main);


#endif /* _NGX_SCALE_ISSUER_H_INCLUDED_ */
