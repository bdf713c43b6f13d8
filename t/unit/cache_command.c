/* sources: cache/memc_command.c */

/*
 * What a reply means to a command: one that means nothing to it would be taken
 * for another command's.
 */

#include "cache/memc_int.h"
#include "test.h"


static const struct {
    const char             *title;
    ngx_scale_memc_verb_e   verb;
    int                     means[NGX_SCALE_REPLY_NCODES];
} verbs[] = {

    /* VA, HD, EN, NF, EX, NS, MN, SERVER_ERROR */

    { "a value or nothing answers mg", NGX_SCALE_MEMC_MG,
      { NGX_SCALE_MEMC_VA, 0, NGX_SCALE_MEMC_EN, 0, 0, 0, 0, 0 } },

    { "what answers ms, an error of the server is not stored",
      NGX_SCALE_MEMC_MS,
      { 0, NGX_SCALE_MEMC_HD, 0, NGX_SCALE_MEMC_NF, NGX_SCALE_MEMC_EX,
        NGX_SCALE_MEMC_NS, 0, NGX_SCALE_MEMC_NS } },

    { "what answers md", NGX_SCALE_MEMC_MD,
      { 0, NGX_SCALE_MEMC_HD, 0, NGX_SCALE_MEMC_NF, NGX_SCALE_MEMC_EX,
        NGX_SCALE_MEMC_NS, 0, 0 } },

    { "a number answers ma, too", NGX_SCALE_MEMC_MA,
      { NGX_SCALE_MEMC_VA, NGX_SCALE_MEMC_HD, 0, NGX_SCALE_MEMC_NF,
        NGX_SCALE_MEMC_EX, NGX_SCALE_MEMC_NS, 0, NGX_SCALE_MEMC_NS } },

    { "MN and nothing else answers mn", NGX_SCALE_MEMC_MN,
      { 0, 0, 0, 0, 0, 0, NGX_SCALE_MEMC_HD, 0 } }
};


static ngx_uint_t
is_as(ngx_uint_t v)
{
    ngx_uint_t  code;

    for (code = 0; code < NGX_SCALE_REPLY_NCODES; code++) {
        if ((int) ngx_scale_memc_status(verbs[v].verb, code)
            != verbs[v].means[code])
        {
            return 0;
        }
    }

    return 1;
}


static const char *
words(ngx_scale_memc_op_t *op)
{
    static u_char  buf[NGX_SCALE_MEMC_LINE + 16];

    *ngx_scale_memc_format(buf, op) = '\0';

    return (char *) buf;
}


int
main(void)
{
    ngx_uint_t            v;
    ngx_scale_memc_op_t   op;

    ok(sizeof(verbs) / sizeof(verbs[0]) == NGX_SCALE_MEMC_NVERBS,
       "each verb is looked at");

    for (v = 0; v < sizeof(verbs) / sizeof(verbs[0]); v++) {
        ok(is_as(v), verbs[v].title);
    }

    ngx_memzero(&op, sizeof(op));

    op.verb = NGX_SCALE_MEMC_MG;
    ngx_str_set(&op.key, "k");
    op.number = 255;
    op.recache = 9;
    ok(strcmp(words(&op), "mg k v f c t R9 Off\r\n") == 0,
       "an mg may ask to renew, without a lease");

    op.recache = 0;
    op.ttl = 600;
    ok(strcmp(words(&op), "mg k v f c t T600 Off\r\n") == 0,
       "or let what it reads live on");

    op.verb = NGX_SCALE_MEMC_MD;
    op.keep = 1;
    op.guarded = 1;
    op.token.cas = ~(uint64_t) 0;
    ok(strcmp(words(&op), "md k I C18446744073709551615 Off\r\n") == 0,
       "an md may leave what it makes old");

    ngx_memzero(&op, sizeof(op));

    op.verb = NGX_SCALE_MEMC_MA;
    ngx_str_set(&op.key, "n");
    op.lease = 60;
    ok(strcmp(words(&op), "ma n v N60 J1 O0\r\n") == 0,
       "a number that is not there begins with one");

    op.subtract = 1;
    ok(strcmp(words(&op), "ma n MD O0\r\n") == 0,
       "none is begun to be taken from");

    ngx_str_null(&op.key);
    ok(!ngx_scale_memc_is_key(&op.key), "nothing is no key");

    return done();
}
