
/*
 * The files with secrets in them: a worker looks at them every two seconds and
 * reads one that has changed, so that a rotation needs no reload.  What cannot
 * be used leaves what was used before, and is in the log once.  password_file
 * is the room's of the database, which reads it for each connection.
 */

#ifndef _NGX_SCALE_SECRETS_H_INCLUDED_
#define _NGX_SCALE_SECRETS_H_INCLUDED_


#include "ngx_scale_conf.h"


#define NGX_SCALE_SECRET_FILES  3


/*
 * Reads the files anew.  NGX_DECLINED: "error" continues the title; NGX_ERROR:
 * errno says why one of them could not be read.
 */
typedef ngx_int_t (*ngx_scale_secret_renew_pt)(void *data, ngx_pool_t *pool,
    ngx_str_t *error);


/* NGX_ERROR: memory */
ngx_int_t ngx_scale_secrets_create(ngx_conf_t *cf,
    ngx_scale_main_conf_t *main);

/* full names, up to NGX_SCALE_SECRET_FILES of them; empty ones do not count */
ngx_int_t ngx_scale_secrets_follow(ngx_conf_t *cf, const char *title,
    ngx_str_t *files, ngx_uint_t n, ngx_scale_secret_renew_pt renew,
    void *data);

/* NGX_ERROR: errno says why; NGX_DECLINED: it is longer than content->len */
ngx_int_t ngx_scale_secrets_read(ngx_str_t *file, ngx_str_t *content);

/* in a worker: of a configuration that may be older than the files */
void ngx_scale_secrets_open(ngx_scale_main_conf_t *main, ngx_log_t *log);
void ngx_scale_secrets_close(ngx_scale_main_conf_t *main);

/* what clients send over TLS is wiped when it was read */
void ngx_scale_secrets_cleanse(ngx_conf_t *cf);


#endif /* _NGX_SCALE_SECRETS_H_INCLUDED_ */
