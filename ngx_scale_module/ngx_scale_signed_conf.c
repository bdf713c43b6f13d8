
/* scale_aws_sign service region [credentials=] [payload=] */

#include "ngx_scale_signed.h"


static char *ngx_scale_signed_option(ngx_conf_t *cf,
    ngx_scale_signer_t *signer, ngx_str_t *word);


char *
ngx_scale_signed_directive(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_loc_conf_t  *loc = conf;

    char                *rv;
    ngx_str_t           *word;
    ngx_uint_t           i;
    ngx_scale_signer_t  *signer;

    if (loc->signer) {
        return "is duplicate";
    }

    signer = ngx_pcalloc(cf->pool, sizeof(ngx_scale_signer_t));
    if (signer == NULL) {
        return NGX_CONF_ERROR;
    }

    loc->signer = signer;
    ngx_scale_conf_here(cf, &signer->place);

    word = cf->args->elts;

    signer->scope.service = word[1];
    signer->scope.region = word[2];
    signer->s3 = word[1].len == 2 && ngx_strncmp(word[1].data, "s3", 2) == 0;

    for (i = 3; i < cf->args->nelts; i++) {
        rv = ngx_scale_signed_option(cf, signer, &word[i]);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    if (signer->credentials == NULL) {
        signer->credentials = ngx_scale_credentials_conf(cf, NULL);
    }

    return signer->credentials ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static char *
ngx_scale_signed_option(ngx_conf_t *cf, ngx_scale_signer_t *signer,
    ngx_str_t *word)
{
    ngx_str_t  path;

    if (ngx_strcmp(word->data, "payload=unsigned") == 0) {

        if (!signer->s3) {
            return "takes payload=unsigned for the service s3 only";
        }

        signer->unsigned_payload = 1;

        return NGX_CONF_OK;
    }

    if (ngx_strncmp(word->data, "credentials=", 12) == 0) {

        path.data = word->data + 12;
        path.len = word->len - 12;

        signer->credentials = ngx_scale_credentials_conf(cf,
                                  ngx_strcmp(path.data, "env") == 0 ? NULL
                                                                    : &path);

        return signer->credentials ? NGX_CONF_OK : NGX_CONF_ERROR;
    }

    return "takes a service, a region, and then credentials= or "
           "payload=unsigned";
}


char *
ngx_scale_signed_merge(ngx_conf_t *cf, ngx_scale_loc_conf_t *prev,
    ngx_scale_loc_conf_t *conf)
{
    ngx_uint_t                 own;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    own = conf->signer != NULL;

    if (!own && clcf->noname) {
        conf->signer = prev->signer;
    }

    if (conf->signer == NULL) {
        return NGX_CONF_OK;
    }

    if (clcf->handler) {
        conf->proxy = clcf->handler;
        clcf->handler = ngx_scale_signed_handler;

        return NGX_CONF_OK;
    }

    /* an "if" leaves its location's handler in place */

    conf->proxy = prev->proxy;

    if (own) {
        ngx_scale_conf_error(cf, &conf->signer->place,
                             "scale_aws_sign signs what proxy_pass sends, and "
                             "this location has no proxy_pass");
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}
