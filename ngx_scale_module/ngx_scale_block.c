
#include "ngx_scale_block.h"


typedef struct {
    ngx_scale_block_directive_t   *table;
    void                          *block;
    ngx_uint_t                     failed;     /* and said why */
} ngx_scale_block_ctx_t;


static ngx_uint_t ngx_scale_block_is_nest(ngx_scale_block_directive_t *table);
static char *ngx_scale_block_parse_nest(ngx_conf_t *cf,
    ngx_scale_block_ctx_t *ctx);
static char *ngx_scale_block_command(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_scale_block_line(ngx_conf_t *cf, ngx_command_t *dummy,
    void *conf);
static ngx_scale_block_directive_t *ngx_scale_block_find(
    ngx_scale_block_directive_t *table, ngx_str_t *name);
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
    ctx.failed = 0;
    ctx.block = block;

    save = *cf;

    if (ngx_scale_block_is_nest(table)) {
        rv = ngx_scale_block_parse_nest(cf, &ctx);

    } else {
        cf->handler = ngx_scale_block_line;
        cf->handler_conf = (char *) &ctx;

        rv = ngx_conf_parse(cf, NULL);
    }

    *cf = save;

    return rv;
}


static ngx_uint_t
ngx_scale_block_is_nest(ngx_scale_block_directive_t *table)
{
    for ( /* void */ ; table->name.len; table++) {
        if (table->max & NGX_SCALE_BLOCK_OPENS) {
            return 1;
        }
    }

    return 0;
}


/*
 * nginx's parser gives no "{" to a handler, only to the commands of modules:
 * while the block lasts there is one module, and the table is its commands.
 */

static char *
ngx_scale_block_parse_nest(ngx_conf_t *cf, ngx_scale_block_ctx_t *ctx)
{
    char                         *rv;
    ngx_uint_t                    n;
    ngx_module_t                  module, *modules[2], **all;
    ngx_command_t                *commands;
    ngx_scale_block_directive_t  *cmd;

    for (n = 0; ctx->table[n].name.len; n++) { /* void */ }

    commands = ngx_pcalloc(cf->temp_pool, (n + 1) * sizeof(ngx_command_t));
    if (commands == NULL) {
        return NGX_CONF_ERROR;
    }

    while (n--) {
        cmd = &ctx->table[n];

        commands[n].name = cmd->name;
        commands[n].type = cf->cmd_type|NGX_CONF_ANY
                           |(cmd->max & NGX_SCALE_BLOCK_OPENS ? NGX_CONF_BLOCK
                                                              : 0);
        commands[n].set = ngx_scale_block_command;
        commands[n].post = ctx;
    }

    ngx_memzero(&module, sizeof(ngx_module_t));
    module.type = cf->module_type;
    module.commands = commands;

    modules[0] = &module;
    modules[1] = NULL;

    all = cf->cycle->modules;
    cf->cycle->modules = modules;

    rv = ngx_conf_parse(cf, NULL);

    cf->cycle->modules = all;

    /* nginx has refused the word without saying what there is */

    if (rv != NGX_CONF_OK && !ctx->failed && cf->args->nelts
        && ngx_scale_block_find(ctx->table, cf->args->elts) == NULL)
    {
        return ngx_scale_block_known(cf, ctx->table);
    }

    return rv;
}


static char *
ngx_scale_block_command(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_block_ctx_t  *ctx = cmd->post;

    char  *rv;

    rv = ngx_scale_block_line(cf, cmd, ctx);

    ctx->failed = rv != NGX_CONF_OK;

    return rv;
}


static char *
ngx_scale_block_line(ngx_conf_t *cf, ngx_command_t *dummy, void *conf)
{
    ngx_scale_block_ctx_t  *ctx = conf;

    ngx_scale_block_directive_t  *cmd;

    cmd = ngx_scale_block_find(ctx->table, cf->args->elts);

    return cmd ? ngx_scale_block_set(cf, cmd, ctx->block)
               : ngx_scale_block_known(cf, ctx->table);
}


static ngx_scale_block_directive_t *
ngx_scale_block_find(ngx_scale_block_directive_t *table, ngx_str_t *name)
{
    for ( /* void */ ; table->name.len; table++) {
        if (ngx_scale_same(&table->name, name)) {
            return table;
        }
    }

    return NULL;
}


/* a handler's text is a predicate, as that of nginx's own handlers */

static char *
ngx_scale_block_set(ngx_conf_t *cf, ngx_scale_block_directive_t *cmd,
    void *block)
{
    char        *rv;
    ngx_uint_t   n, max;

    n = cf->args->nelts - 1;
    max = cmd->max & ~NGX_SCALE_BLOCK_OPENS;

    if (n < cmd->min || n > max) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" takes %ui to %ui arguments, %ui are given",
                           &cmd->name, cmd->min, max, n);
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
