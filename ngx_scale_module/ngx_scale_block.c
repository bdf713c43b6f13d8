
#include "ngx_scale_block.h"


typedef struct {
    ngx_scale_block_directive_t   *table;
    void                          *block;
} ngx_scale_block_ctx_t;


static char *ngx_scale_block_line(ngx_conf_t *cf, ngx_command_t *dummy,
    void *conf);
static char *ngx_scale_block_set(ngx_conf_t *cf,
    ngx_scale_block_directive_t *cmd, void *block);
static char *ngx_scale_block_known(ngx_conf_t *cf,
    ngx_scale_block_directive_t *table);


char *
ngx_scale_block_parse(ngx_conf_t *cf, ngx_scale_block_directive_t *table,
    void *block)
{
    char                   *rv;
    ngx_conf_t              save;
    ngx_scale_block_ctx_t   ctx;

    ctx.table = table;
    ctx.block = block;

    save = *cf;

    cf->handler = ngx_scale_block_line;
    cf->handler_conf = (char *) &ctx;

    rv = ngx_conf_parse(cf, NULL);

    *cf = save;

    return rv;
}


static char *
ngx_scale_block_line(ngx_conf_t *cf, ngx_command_t *dummy, void *conf)
{
    ngx_scale_block_ctx_t  *ctx = conf;

    ngx_str_t                    *word;
    ngx_scale_block_directive_t  *cmd;

    word = cf->args->elts;

    for (cmd = ctx->table; cmd->name.len; cmd++) {

        if (cmd->name.len != word[0].len
            || ngx_strcmp(cmd->name.data, word[0].data) != 0)
        {
            continue;
        }

        return ngx_scale_block_set(cf, cmd, ctx->block);
    }

    return ngx_scale_block_known(cf, ctx->table);
}


/* a handler's text is a predicate, as that of nginx's own handlers */

static char *
ngx_scale_block_set(ngx_conf_t *cf, ngx_scale_block_directive_t *cmd,
    void *block)
{
    char        *rv;
    ngx_uint_t   n;

    n = cf->args->nelts - 1;

    if (n < cmd->min || n > cmd->max) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" takes %ui to %ui arguments, %ui are given",
                           &cmd->name, cmd->min, cmd->max, n);
        return NGX_CONF_ERROR;
    }

    rv = cmd->set(cf, cmd, block);

    if (rv == NGX_CONF_OK || rv == NGX_CONF_ERROR) {
        return rv;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" directive %s",
                       &cmd->name, rv);

    return NGX_CONF_ERROR;
}


static char *
ngx_scale_block_known(ngx_conf_t *cf, ngx_scale_block_directive_t *table)
{
    u_char                       *p, *end, buf[512];
    ngx_str_t                    *word;
    ngx_scale_block_directive_t  *cmd;

    word = cf->args->elts;
    p = buf;
    end = buf + sizeof(buf);

    for (cmd = table; cmd->name.len; cmd++) {
        p = ngx_slprintf(p, end, " %V", &cmd->name);
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "unknown directive \"%V\" in this block; it knows%*s",
                       &word[0], (size_t) (p - buf), buf);

    return NGX_CONF_ERROR;
}


char *
ngx_scale_block_set_str(ngx_conf_t *cf, ngx_scale_block_directive_t *cmd,
    void *block)
{
    ngx_str_t  *word, *field;

    word = cf->args->elts;
    field = (ngx_str_t *) ((u_char *) block + cmd->offset);

    if (field->data) {
        return "is duplicate";
    }

    *field = word[1];

    return NGX_CONF_OK;
}


char *
ngx_scale_block_set_num(ngx_conf_t *cf, ngx_scale_block_directive_t *cmd,
    void *block)
{
    ngx_int_t   n;
    ngx_str_t  *word;
    ngx_uint_t *field;

    word = cf->args->elts;
    field = (ngx_uint_t *) ((u_char *) block + cmd->offset);

    if (*field != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    n = ngx_atoi(word[1].data, word[1].len);

    if (n == NGX_ERROR || n == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" takes a number from 1, not \"%V\"",
                           &word[0], &word[1]);
        return NGX_CONF_ERROR;
    }

    *field = n;

    return NGX_CONF_OK;
}


char *
ngx_scale_block_set_msec(ngx_conf_t *cf, ngx_scale_block_directive_t *cmd,
    void *block)
{
    ngx_int_t    msec;
    ngx_str_t   *word;
    ngx_msec_t  *field;

    word = cf->args->elts;
    field = (ngx_msec_t *) ((u_char *) block + cmd->offset);

    if (*field != NGX_CONF_UNSET_MSEC) {
        return "is duplicate";
    }

    msec = ngx_parse_time(&word[1], 0);

    if (msec == NGX_ERROR || msec == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" takes a time such as 500ms or 2s, "
                           "not \"%V\"", &word[0], &word[1]);
        return NGX_CONF_ERROR;
    }

    *field = msec;

    return NGX_CONF_OK;
}
