
/*
 * Where keys of AWS come from: the environment that nginx was started with, or
 * a file, which each worker reads again every few seconds.
 */

#ifndef _NGX_SCALE_CREDENTIALS_H_INCLUDED_
#define _NGX_SCALE_CREDENTIALS_H_INCLUDED_


#include "ngx_scale_conf.h"


struct ngx_scale_credentials_s {
    ngx_scale_aws_credentials_t  current;    /* the worker's */
    ngx_str_t                    file;       /* empty: the environment */
    u_char                      *content;    /* what "current" points into */
    size_t                       len;
    unsigned                     unreadable:1;
};


/*
 * Of a file or, without a path, of the environment, read now; one for all who
 * name the same.  NULL: an error was logged.
 */
ngx_scale_credentials_t *ngx_scale_credentials_conf(ngx_conf_t *cf,
    ngx_str_t *path);


/* in each worker: files are watched from here to there */

void ngx_scale_credentials_open(ngx_cycle_t *cycle,
    ngx_scale_main_conf_t *main);
void ngx_scale_credentials_close(ngx_scale_main_conf_t *main);


#endif /* _NGX_SCALE_CREDENTIALS_H_INCLUDED_ */
