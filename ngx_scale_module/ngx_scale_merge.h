
/* what nginx's HTTP module context has of the configuration's levels */

#ifndef _NGX_SCALE_MERGE_H_INCLUDED_
#define _NGX_SCALE_MERGE_H_INCLUDED_


#include "ngx_scale_conf.h"


void *ngx_scale_merge_create_main(ngx_conf_t *cf);
char *ngx_scale_merge_init_main(ngx_conf_t *cf, void *conf);
void *ngx_scale_merge_create_loc(ngx_conf_t *cf);
char *ngx_scale_merge_loc(ngx_conf_t *cf, void *parent, void *child);


#endif /* _NGX_SCALE_MERGE_H_INCLUDED_ */
