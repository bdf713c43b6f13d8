
#include "cache/memc_int.h"


#if (NGX_SSL)

/* one is in use, the other is made; OpenSSL counts who still has the last */

struct ngx_scale_memc_tls_s {
    ngx_ssl_t                   ssl[2];
    ngx_uint_t                  current;
    ngx_scale_memc_tls_conf_t   conf;
};


static void ngx_scale_memc_tls_cleanup(void *data);
static ngx_int_t ngx_scale_memc_tls_load(SSL_CTX *ctx,
    ngx_scale_memc_tls_conf_t *conf, ngx_pool_t *pool, ngx_str_t *error);
static ngx_int_t ngx_scale_memc_tls_trust(SSL_CTX *ctx,
    ngx_scale_memc_tls_conf_t *conf, ngx_pool_t *pool, ngx_str_t *error);
static ngx_int_t ngx_scale_memc_tls_identify(SSL_CTX *ctx,
    ngx_scale_memc_tls_conf_t *conf, ngx_pool_t *pool, ngx_str_t *error);
static int ngx_scale_memc_tls_no_password(char *buf, int size, int rwflag,
    void *data);
static ngx_int_t ngx_scale_memc_tls_error(ngx_pool_t *pool, ngx_str_t *file,
    const char *what, ngx_str_t *error);
static void ngx_scale_memc_tls_name(SSL *ssl, ngx_str_t *name);


ngx_int_t
ngx_scale_memc_tls_create(ngx_pool_t *pool, ngx_scale_memc_tls_conf_t *conf,
    ngx_scale_memc_tls_t **result, ngx_str_t *error)
{
    ngx_pool_cleanup_t    *cln;
    ngx_scale_memc_tls_t  *tls;

    cln = ngx_pool_cleanup_add(pool, sizeof(ngx_scale_memc_tls_t));
    if (cln == NULL) {
        return NGX_ERROR;
    }

    tls = cln->data;
    ngx_memzero(tls, sizeof(ngx_scale_memc_tls_t));

    tls->conf = *conf;

    cln->handler = ngx_scale_memc_tls_cleanup;

    *result = tls;

    return ngx_scale_memc_tls_renew(tls, pool, error);
}


static void
ngx_scale_memc_tls_cleanup(void *data)
{
    ngx_scale_memc_tls_t  *tls = data;

    SSL_CTX_free(tls->ssl[tls->current].ctx);
}


ngx_int_t
ngx_scale_memc_tls_renew(ngx_scale_memc_tls_t *tls, ngx_pool_t *pool,
    ngx_str_t *error)
{
    ngx_int_t   rc;
    ngx_ssl_t  *ssl;

    ssl = &tls->ssl[!tls->current];

    ngx_memzero(ssl, sizeof(ngx_ssl_t));
    ssl->log = pool->log;

    if (ngx_ssl_create(ssl, NGX_SSL_TLSv1_2|NGX_SSL_TLSv1_3, NULL) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = ngx_scale_memc_tls_load(ssl->ctx, &tls->conf, pool, error);

    if (rc != NGX_OK) {
        SSL_CTX_free(ssl->ctx);
        return rc;
    }

    SSL_CTX_free(tls->ssl[tls->current].ctx);

    tls->ssl[tls->current].ctx = NULL;
    tls->current = !tls->current;

    return NGX_OK;
}


static ngx_int_t
ngx_scale_memc_tls_load(SSL_CTX *ctx, ngx_scale_memc_tls_conf_t *conf,
    ngx_pool_t *pool, ngx_str_t *error)
{
    /*
     * The buffer moves and grows between tries; and what a record holds is not
     * sent before all of it is, which ngx_scale_memc_is_sent() counts on.
     */

    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE
                          |SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);

    if (conf->verify
        && ngx_scale_memc_tls_trust(ctx, conf, pool, error) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    return conf->cert.len
           ? ngx_scale_memc_tls_identify(ctx, conf, pool, error) : NGX_OK;
}


static ngx_int_t
ngx_scale_memc_tls_trust(SSL_CTX *ctx, ngx_scale_memc_tls_conf_t *conf,
    ngx_pool_t *pool, ngx_str_t *error)
{
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);

    if (conf->ca.len == 0) {
        (void) SSL_CTX_set_default_verify_paths(ctx);

    } else if (SSL_CTX_load_verify_locations(ctx, (char *) conf->ca.data,
                                             NULL)
               != 1)
    {
        return ngx_scale_memc_tls_error(pool, &conf->ca,
                                        "holds no certificates", error);
    }

    ERR_clear_error();

    return NGX_OK;
}


static ngx_int_t
ngx_scale_memc_tls_identify(SSL_CTX *ctx, ngx_scale_memc_tls_conf_t *conf,
    ngx_pool_t *pool, ngx_str_t *error)
{
    SSL_CTX_set_default_passwd_cb(ctx, ngx_scale_memc_tls_no_password);

    if (SSL_CTX_use_certificate_chain_file(ctx, (char *) conf->cert.data)
        != 1)
    {
        return ngx_scale_memc_tls_error(pool, &conf->cert,
                                        "holds no certificate", error);
    }

    if (SSL_CTX_use_PrivateKey_file(ctx, (char *) conf->key.data,
                                    SSL_FILETYPE_PEM)
        != 1)
    {
        return ngx_scale_memc_tls_error(pool, &conf->key,
                                        "holds no key without a password that "
                                        "fits the certificate", error);
    }

    return NGX_OK;
}


/* OpenSSL would ask the terminal */

static int
ngx_scale_memc_tls_no_password(char *buf, int size, int rwflag, void *data)
{
    return 0;
}


static ngx_int_t
ngx_scale_memc_tls_error(ngx_pool_t *pool, ngx_str_t *file, const char *what,
    ngx_str_t *error)
{
    size_t       size;
    const char  *reason;

    reason = ERR_reason_error_string(ERR_peek_error());
    reason = reason ? reason : "no reason";

    ERR_clear_error();

    size = file->len + ngx_strlen(what) + ngx_strlen(reason) + 16;

    error->data = ngx_pnalloc(pool, size);

    if (error->data) {
        error->len = ngx_snprintf(error->data, size, "\"%V\" %s (%s)", file,
                                  what, reason)
                     - error->data;
    }

    return NGX_DECLINED;
}


/* nginx's own lines would come with every try; there is one of ours */

ngx_int_t
ngx_scale_memc_tls_handshake(ngx_scale_memc_tls_t *tls, ngx_connection_t *c,
    ngx_str_t *name, ngx_log_t *quiet, ngx_connection_handler_pt handler)
{
    c->log = quiet;
    c->pool = ngx_create_pool(1024, c->log);

    if (c->pool == NULL
        || ngx_ssl_create_connection(&tls->ssl[tls->current], c,
                                     NGX_SSL_CLIENT)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_scale_memc_tls_name(c->ssl->connection, name);

    if (ngx_ssl_handshake(c) == NGX_AGAIN) {
        c->ssl->handler = handler;
        return NGX_AGAIN;
    }

    return NGX_OK;
}


/* RFC 6066, section 3: an address is not named to the server */

static void
ngx_scale_memc_tls_name(SSL *ssl, ngx_str_t *name)
{
    X509_VERIFY_PARAM  *param;

    if (name->len == 0) {
        return;
    }

    param = SSL_get0_param(ssl);

    if (X509_VERIFY_PARAM_set1_ip_asc(param, (char *) name->data) != 1) {
        (void) X509_VERIFY_PARAM_set1_host(param, (char *) name->data,
                                           name->len);
        (void) SSL_set_tlsext_host_name(ssl, (char *) name->data);
    }

    ERR_clear_error();
}


ngx_int_t
ngx_scale_memc_tls_verdict(ngx_connection_t *c, ngx_str_t *detail)
{
    long  verified;

    if (c->ssl->handshaked) {
        return NGX_OK;
    }

    verified = SSL_get_verify_result(c->ssl->connection);

    detail->data = (u_char *) (verified == X509_V_OK ? "the handshake failed"
                               : X509_verify_cert_error_string(verified));
    detail->len = ngx_strlen(detail->data);

    return NGX_DECLINED;
}


/* nobody waits for the server's own farewell */

void
ngx_scale_memc_tls_close(ngx_connection_t *c)
{
    if (c->ssl) {
        c->ssl->no_wait_shutdown = 1;
        c->ssl->no_send_shutdown = 1;

        (void) ngx_ssl_shutdown(c);
    }

    if (c->pool) {
        ngx_destroy_pool(c->pool);
        c->pool = NULL;
    }
}


#else

ngx_int_t
ngx_scale_memc_tls_create(ngx_pool_t *pool, ngx_scale_memc_tls_conf_t *conf,
    ngx_scale_memc_tls_t **tls, ngx_str_t *error)
{
    ngx_str_set(error, "this nginx was built without SSL; build it with "
                       "--with-http_ssl_module");

    return NGX_DECLINED;
}


ngx_int_t
ngx_scale_memc_tls_renew(ngx_scale_memc_tls_t *tls, ngx_pool_t *pool,
    ngx_str_t *error)
{
    return NGX_DECLINED;
}


ngx_int_t
ngx_scale_memc_tls_handshake(ngx_scale_memc_tls_t *tls, ngx_connection_t *c,
    ngx_str_t *name, ngx_log_t *quiet, ngx_connection_handler_pt handler)
{
    return NGX_ERROR;
}


ngx_int_t
ngx_scale_memc_tls_verdict(ngx_connection_t *c, ngx_str_t *detail)
{
    return NGX_DECLINED;
}


void
ngx_scale_memc_tls_close(ngx_connection_t *c)
{
}

#endif
