
/*
 * Blocks of our own in nginx.conf (scale_database, scale_cache): a table of
 * inner directives, read into one structure.
 */

#ifndef _NGX_SCALE_BLOCK_H_INCLUDED_
#define _NGX_SCALE_BLOCK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_scale.h"


typedef struct ngx_scale_block_directive_s  ngx_scale_block_directive_t;

/* in "max": the directive is a block, which its setter parses */
#define NGX_SCALE_BLOCK_OPENS  0x100

struct ngx_scale_block_directive_s {
    ngx_str_t       name;
    ngx_uint_t      min;                   /* arguments after the name */
    ngx_uint_t      max;
    char         *(*set)(ngx_conf_t *cf, ngx_scale_block_directive_t *cmd,
                         void *block);
    size_t          offset;
};


/*
 * Parses the block whose opening line is cf->args.  The table ends with an
 * empty name.  Errors are logged with file and line.
 */
char *ngx_scale_block_parse(ngx_conf_t *cf, ngx_scale_block_directive_t *table,
    void *block);

/* setters for the table; a value given twice is refused */

char *ngx_scale_block_set_str(ngx_conf_t *cf,
    ngx_scale_block_directive_t *cmd, void *block);
char *ngx_scale_block_set_num(ngx_conf_t *cf,
    ngx_scale_block_directive_t *cmd, void *block);
char *ngx_scale_block_set_msec(ngx_conf_t *cf,
    ngx_scale_block_directive_t *cmd, void *block);


#endif /* _NGX_SCALE_BLOCK_H_INCLUDED_ */
