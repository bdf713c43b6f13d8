
/* the block scale_jwt */

#include "ngx_scale_issuer.h"
#include "ngx_scale_block.h"


static ngx_scale_issuer_t *ngx_scale_issuer_add(ngx_conf_t *cf,
    ngx_scale_main_conf_t *main);
static char *ngx_scale_issuer_file(ngx_conf_t *cf,
    ngx_scale_block_directive_t *cmd, void *block);
static char *ngx_scale_issuer_alg(ngx_conf_t *cf,
    ngx_scale_block_directive_t *cmd, void *block);
static char *ngx_scale_issuer_names(ngx_conf_t *cf,
    ngx_scale_block_directive_t *cmd, void *block);
static char *ngx_scale_issuer_leeway(ngx_conf_t *cf,
    ngx_scale_block_directive_t *cmd, void *block);
static char *ngx_scale_issuer_token(ngx_conf_t *cf,
    ngx_scale_block_directive_t *cmd, void *block);
static ngx_int_t ngx_scale_issuer_json(void *data, ngx_pool_t *pool,
    ngx_str_t *object, ngx_str_t *names, ngx_uint_t n,
    ngx_scale_raw_t *members);


#define NGX_SCALE_ISSUER_DEPTH    16
#define NGX_SCALE_ISSUER_MEMBERS  16
#define NGX_SCALE_ISSUER_LEEWAY   30       /* seconds */

/* who signs by a secret shares it, which has to be meant */
#define NGX_SCALE_ISSUER_ALGS                                                 \
    (1 << NGX_SCALE_JWT_RS256|1 << NGX_SCALE_JWT_ES256                        \
     |1 << NGX_SCALE_JWT_EDDSA)


static ngx_scale_block_directive_t  ngx_scale_jwt_block[] = {
    { ngx_string("key_file"), 1, 2, ngx_scale_issuer_file, 0 },
    { ngx_string("jwks_file"), 1, 1, ngx_scale_issuer_file, 1 },
    { ngx_string("alg"), 1, NGX_SCALE_JWT_NALGS, ngx_scale_issuer_alg, 0 },
    { ngx_string("audience"), 1, 32, ngx_scale_issuer_names,
      offsetof(ngx_scale_jwt_trust_t, audiences) },
    { ngx_string("issuer"), 1, 32, ngx_scale_issuer_names,
      offsetof(ngx_scale_jwt_trust_t, issuers) },
    { ngx_string("leeway"), 1, 1, ngx_scale_issuer_leeway, 0 },
    { ngx_string("token"), 1, 1, ngx_scale_issuer_token, 0 },
    { ngx_null_string, 0, 0, NULL, 0 }
};


/* scale_jwt [name] { ... } */

char *
ngx_scale_issuer_directive(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_main_conf_t  *main = conf;

    char                *rv;
    ngx_str_t           *word, name;
    ngx_uint_t           i;
    ngx_scale_issuer_t  *issuer, **slot;

    word = cf->args->elts;
    slot = main->auth[NGX_SCALE_AUTH_JWT].elts;

    ngx_str_null(&name);

    if (cf->args->nelts == 2) {
        name = word[1];
    }

    for (i = 0; i < main->auth[NGX_SCALE_AUTH_JWT].nelts; i++) {
        if (ngx_scale_same(&slot[i]->block.name, &name)) {
            return "has the name of another, or both have none; give each a "
                   "name, such as \"scale_jwt staff {\"";
        }
    }

    issuer = ngx_scale_issuer_add(cf, main);
    if (issuer == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_scale_conf_here(cf, &issuer->block.place);
    issuer->block.name = name;

    rv = ngx_scale_block_parse(cf, ngx_scale_jwt_block, issuer);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (issuer->algs == 0) {
        issuer->algs = NGX_SCALE_ISSUER_ALGS;
    }

    ngx_conf_init_value(issuer->trust.leeway, NGX_SCALE_ISSUER_LEEWAY);

    return ngx_scale_issuer_load(cf, issuer);
}


static ngx_scale_issuer_t *
ngx_scale_issuer_add(ngx_conf_t *cf, ngx_scale_main_conf_t *main)
{
    ngx_scale_issuer_t  *issuer, **slot;

    issuer = ngx_pcalloc(cf->pool, sizeof(ngx_scale_issuer_t));
    slot = ngx_array_push(&main->auth[NGX_SCALE_AUTH_JWT]);

    if (issuer == NULL || slot == NULL
        || ngx_array_init(&issuer->files, cf->pool, 2,
                          sizeof(ngx_scale_issuer_file_t))
           != NGX_OK)
    {
        return NULL;
    }

    *slot = issuer;

    issuer->trust.leeway = NGX_CONF_UNSET;
    issuer->trust.json.read = ngx_scale_issuer_json;
    issuer->trust.json.data = main;

    return issuer;
}


/* key_file path [kid=name]; jwks_file path */

static char *
ngx_scale_issuer_file(ngx_conf_t *cf, ngx_scale_block_directive_t *cmd,
    void *block)
{
    ngx_scale_issuer_t *issuer = block;

    ngx_str_t                *word;
    ngx_scale_issuer_file_t  *file;

    word = cf->args->elts;

    file = ngx_array_push(&issuer->files);
    if (file == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(file, sizeof(ngx_scale_issuer_file_t));

    ngx_scale_conf_here(cf, &file->place);
    file->path = word[1];
    file->jwks = cmd->offset;

    if (cf->args->nelts == 3) {

        if (word[2].len < 5 || ngx_strncmp(word[2].data, "kid=", 4) != 0) {
            return "takes a path and maybe the keys' name, such as "
                   "\"key_file keys/a.pem kid=2026-01;\"";
        }

        file->kid.data = word[2].data + 4;
        file->kid.len = word[2].len - 4;
    }

    return ngx_conf_full_name(cf->cycle, &file->path, 1) == NGX_OK
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static char *
ngx_scale_issuer_alg(ngx_conf_t *cf, ngx_scale_block_directive_t *cmd,
    void *block)
{
    ngx_scale_issuer_t *issuer = block;

    ngx_str_t   *word;
    ngx_uint_t   i, alg;

    if (issuer->algs) {
        return "is duplicate";
    }

    word = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        alg = ngx_scale_jwt_alg(&word[i]);

        if (alg == NGX_SCALE_JWT_NALGS) {
            return "knows RS256, ES256, EdDSA and HS256 only, such as "
                   "\"alg RS256 ES256;\"";
        }

        issuer->algs |= (ngx_uint_t) 1 << alg;
    }

    return NGX_CONF_OK;
}


static char *
ngx_scale_issuer_names(ngx_conf_t *cf, ngx_scale_block_directive_t *cmd,
    void *block)
{
    ngx_scale_issuer_t *issuer = block;

    ngx_str_t    *word, *name;
    ngx_uint_t    i;
    ngx_array_t **names;

    word = cf->args->elts;
    names = (ngx_array_t **) ((u_char *) &issuer->trust + cmd->offset);

    if (*names) {
        return "is duplicate; one line takes several";
    }

    *names = ngx_array_create(cf->pool, cf->args->nelts - 1,
                              sizeof(ngx_str_t));
    if (*names == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {
        name = ngx_array_push(*names);
        *name = word[i];
    }

    return NGX_CONF_OK;
}


static char *
ngx_scale_issuer_leeway(ngx_conf_t *cf, ngx_scale_block_directive_t *cmd,
    void *block)
{
    ngx_scale_issuer_t *issuer = block;

    ngx_int_t   sec;
    ngx_str_t  *word;

    if (issuer->trust.leeway != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    word = cf->args->elts;
    sec = ngx_parse_time(&word[1], 1);

    if (sec == NGX_ERROR || sec > 3600) {
        return "takes seconds up to an hour, such as \"leeway 30s;\"";
    }

    issuer->trust.leeway = sec;

    return NGX_CONF_OK;
}


static char *
ngx_scale_issuer_token(ngx_conf_t *cf, ngx_scale_block_directive_t *cmd,
    void *block)
{
    ngx_scale_issuer_t *issuer = block;

    ngx_str_t                         *word;
    ngx_http_compile_complex_value_t   ccv;

    if (issuer->token) {
        return "is duplicate";
    }

    word = cf->args->elts;

    if (word[1].data[0] != '$') {
        return "takes a variable, such as \"token $cookie_token;\"";
    }

    issuer->token = ngx_palloc(cf->pool, sizeof(ngx_http_complex_value_t));
    if (issuer->token == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = &word[1];
    ccv.complex_value = issuer->token;

    return ngx_http_compile_complex_value(&ccv) == NGX_OK ? NGX_CONF_OK
                                                          : NGX_CONF_ERROR;
}


/* what the room of tokens knows of JSON */

static ngx_int_t
ngx_scale_issuer_json(void *data, ngx_pool_t *pool, ngx_str_t *object,
    ngx_str_t *names, ngx_uint_t n, ngx_scale_raw_t *members)
{
    ngx_scale_main_conf_t *main = data;

    size_t                  offset;
    ngx_int_t               rc;
    ngx_uint_t              i;
    const char             *reason;
    ngx_scale_json_want_t   wants[NGX_SCALE_ISSUER_MEMBERS];

    rc = ngx_scale_json_check(pool, object, NGX_SCALE_ISSUER_DEPTH, main->seed,
                              &reason, &offset);
    if (rc != NGX_OK) {
        return rc;
    }

    ngx_memzero(wants, sizeof(wants));

    for (i = 0; i < n; i++) {
        wants[i].path = &names[i];
        wants[i].npath = 1;
        wants[i].elements = 1;
    }

    /* and the whole of it */

    if (ngx_scale_json_read(pool, object, wants, n + 1) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        members[i] = wants[i].raw;
    }

    return wants[n].raw.kind == NGX_SCALE_RAW_OBJECT ? NGX_OK : NGX_DECLINED;
}
