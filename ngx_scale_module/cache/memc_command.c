
/*
 * The words of commands: memcached's protocol.txt, "Meta Commands".  A verb is
 * a row of each table.
 */

#include "cache/memc_int.h"


typedef struct {
    ngx_str_t                  word;
    u_char                  *(*flags)(u_char *p, ngx_scale_memc_op_t *op);
} ngx_scale_memc_command_t;


static u_char *ngx_scale_memc_get_flags(u_char *p, ngx_scale_memc_op_t *op);
static u_char *ngx_scale_memc_set_flags(u_char *p, ngx_scale_memc_op_t *op);
static u_char *ngx_scale_memc_delete_flags(u_char *p, ngx_scale_memc_op_t *op);
static u_char *ngx_scale_memc_add_flags(u_char *p, ngx_scale_memc_op_t *op);


#define NGX_SCALE_MEMC_MAX_KEY  250


/* without flags: a word and nothing else */

static const ngx_scale_memc_command_t  ngx_scale_memc_commands[] = {
    [NGX_SCALE_MEMC_MG] = { ngx_string("mg "), ngx_scale_memc_get_flags },
    [NGX_SCALE_MEMC_MS] = { ngx_string("ms "), ngx_scale_memc_set_flags },
    [NGX_SCALE_MEMC_MD] = { ngx_string("md "), ngx_scale_memc_delete_flags },
    [NGX_SCALE_MEMC_MA] = { ngx_string("ma "), ngx_scale_memc_add_flags },
    [NGX_SCALE_MEMC_MN] = { ngx_string("mn"), NULL }
};


/* what is not here is no reply to the verb */

static const ngx_scale_memc_status_e
    ngx_scale_memc_statuses[NGX_SCALE_MEMC_NVERBS][NGX_SCALE_REPLY_NCODES] = {

    [NGX_SCALE_MEMC_MG] = {
        [NGX_SCALE_REPLY_VA] = NGX_SCALE_MEMC_VA,
        [NGX_SCALE_REPLY_EN] = NGX_SCALE_MEMC_EN
    },

    [NGX_SCALE_MEMC_MS] = {
        [NGX_SCALE_REPLY_HD] = NGX_SCALE_MEMC_HD,
        [NGX_SCALE_REPLY_EX] = NGX_SCALE_MEMC_EX,
        [NGX_SCALE_REPLY_NF] = NGX_SCALE_MEMC_NF,
        [NGX_SCALE_REPLY_NS] = NGX_SCALE_MEMC_NS,
        [NGX_SCALE_REPLY_SERVER_ERROR] = NGX_SCALE_MEMC_NS
    },

    [NGX_SCALE_MEMC_MD] = {
        [NGX_SCALE_REPLY_HD] = NGX_SCALE_MEMC_HD,
        [NGX_SCALE_REPLY_EX] = NGX_SCALE_MEMC_EX,
        [NGX_SCALE_REPLY_NF] = NGX_SCALE_MEMC_NF,
        [NGX_SCALE_REPLY_NS] = NGX_SCALE_MEMC_NS
    },

    [NGX_SCALE_MEMC_MA] = {
        [NGX_SCALE_REPLY_VA] = NGX_SCALE_MEMC_VA,
        [NGX_SCALE_REPLY_HD] = NGX_SCALE_MEMC_HD,
        [NGX_SCALE_REPLY_EX] = NGX_SCALE_MEMC_EX,
        [NGX_SCALE_REPLY_NF] = NGX_SCALE_MEMC_NF,
        [NGX_SCALE_REPLY_NS] = NGX_SCALE_MEMC_NS,
        [NGX_SCALE_REPLY_SERVER_ERROR] = NGX_SCALE_MEMC_NS
    },

    [NGX_SCALE_MEMC_MN] = {
        [NGX_SCALE_REPLY_MN] = NGX_SCALE_MEMC_HD
    }
};


ngx_scale_memc_status_e
ngx_scale_memc_status(ngx_scale_memc_verb_e verb, ngx_scale_reply_code_e code)
{
    return ngx_scale_memc_statuses[verb][code];
}


/* a wrong length, or a key too long, and memcached would execute the rest */

ngx_uint_t
ngx_scale_memc_is_key(ngx_str_t *key)
{
    size_t  i;

    if (key->len == 0 || key->len > NGX_SCALE_MEMC_MAX_KEY) {
        return 0;
    }

    for (i = 0; i < key->len; i++) {
        if (key->data[i] <= 0x20 || key->data[i] == 0x7f) {
            return 0;
        }
    }

    return 1;
}


u_char *
ngx_scale_memc_format(u_char *p, ngx_scale_memc_op_t *op)
{
    const ngx_scale_memc_command_t  *command;

    command = &ngx_scale_memc_commands[op->verb];

    p = ngx_cpymem(p, command->word.data, command->word.len);

    if (command->flags == NULL) {
        *p++ = CR;
        *p++ = LF;
        return p;
    }

    p = ngx_cpymem(p, op->key.data, op->key.len);
    p = command->flags(p, op);

    if (op->guarded) {
        p = ngx_sprintf(p, " C%uL", op->token.cas);
    }

    p = ngx_sprintf(p, " O%xL" CRLF, op->number);

    if (op->verb == NGX_SCALE_MEMC_MS) {
        p = ngx_cpymem(p, op->value.data, op->value.len);
        *p++ = CR;
        *p++ = LF;
    }

    return p;
}


static u_char *
ngx_scale_memc_get_flags(u_char *p, ngx_scale_memc_op_t *op)
{
    p = ngx_cpymem(p, " v f c t", sizeof(" v f c t") - 1);

    if (op->ttl) {
        p = ngx_sprintf(p, " T%T", op->ttl);
    }

    if (op->lease) {
        p = ngx_sprintf(p, " N%T", op->lease);
    }

    if (op->recache) {
        p = ngx_sprintf(p, " R%T", op->recache);
    }

    return p;
}


static u_char *
ngx_scale_memc_set_flags(u_char *p, ngx_scale_memc_op_t *op)
{
    p = ngx_sprintf(p, " %uz F%uD T%T", op->value.len, op->flags, op->ttl);

    if (op->return_cas) {
        p = ngx_cpymem(p, " c", sizeof(" c") - 1);
    }

    return p;
}


static u_char *
ngx_scale_memc_delete_flags(u_char *p, ngx_scale_memc_op_t *op)
{
    if (op->keep) {
        p = ngx_cpymem(p, " I", sizeof(" I") - 1);
    }

    return p;
}


static u_char *
ngx_scale_memc_add_flags(u_char *p, ngx_scale_memc_op_t *op)
{
    if (op->subtract) {
        return ngx_cpymem(p, " MD", sizeof(" MD") - 1);
    }

    return ngx_sprintf(p, " v N%T J1", op->lease);
}
