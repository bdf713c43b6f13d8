
#include "ngx_scale_bearer.h"
#include "ngx_scale_auth.h"
#include "ngx_scale_issuer.h"


static ngx_int_t ngx_scale_bearer_token(ngx_http_request_t *r,
    ngx_scale_issuer_t *issuer, ngx_str_t *token);
static ngx_int_t ngx_scale_bearer_found(ngx_scale_flow_t *f,
    ngx_scale_jwt_t *jwt);
static ngx_int_t ngx_scale_bearer_refuse(ngx_scale_flow_t *f,
    ngx_scale_issuer_t *issuer, ngx_scale_jwt_t *jwt);


ngx_int_t
ngx_scale_bearer_step(ngx_scale_flow_t *f)
{
    ngx_int_t            rc;
    ngx_str_t            token;
    ngx_scale_jwt_t      jwt;
    ngx_scale_issuer_t  *issuer;

    if (!ngx_scale_auth_asks(f, NGX_SCALE_AUTH_JWT)) {
        return NGX_OK;
    }

    issuer = (ngx_scale_issuer_t *) f->loc->by[NGX_SCALE_AUTH_JWT];

    rc = ngx_scale_bearer_token(f->r, issuer, &token);

    if (rc != NGX_OK) {
        return rc == NGX_DECLINED ? NGX_OK : NGX_ERROR;
    }

    ngx_memzero(&jwt, sizeof(ngx_scale_jwt_t));

    rc = ngx_scale_jwt_check(f->r->pool, &issuer->trust, &token, ngx_time(),
                             &jwt);

    if (rc == NGX_DECLINED) {
        return ngx_scale_bearer_refuse(f, issuer, &jwt);
    }

    return rc == NGX_OK ? ngx_scale_bearer_found(f, &jwt) : NGX_ERROR;
}


/* NGX_DECLINED: there is none */

static ngx_int_t
ngx_scale_bearer_token(ngx_http_request_t *r, ngx_scale_issuer_t *issuer,
    ngx_str_t *token)
{
    if (issuer->token == NULL) {
        return ngx_scale_request_bearer(r, token);
    }

    if (ngx_http_complex_value(r, issuer->token, token) != NGX_OK) {
        return NGX_ERROR;
    }

    return token->len ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_scale_bearer_found(ngx_scale_flow_t *f, ngx_scale_jwt_t *jwt)
{
    u_char           *p;
    ngx_scale_who_t  *who;

    who = &f->who[NGX_SCALE_AUTH_JWT];

    who->members = jwt->payload;
    who->user.len = jwt->issuer.len + 1 + jwt->subject.len;
    who->user.data = ngx_pnalloc(f->r->pool, who->user.len);
    if (who->user.data == NULL) {
        return NGX_ERROR;
    }

    /* neither has a NUL: JSON with one is refused */

    p = ngx_cpymem(who->user.data, jwt->issuer.data, jwt->issuer.len);
    *p++ = '\0';
    ngx_memcpy(p, jwt->subject.data, jwt->subject.len);

    who->found = 1;

    return NGX_OK;
}


/* RFC 6750, section 3 */

static ngx_int_t
ngx_scale_bearer_refuse(ngx_scale_flow_t *f, ngx_scale_issuer_t *issuer,
    ngx_scale_jwt_t *jwt)
{
    size_t      len;
    ngx_str_t  *challenge;

    ngx_log_error(NGX_LOG_INFO, f->r->connection->log, 0,
                  "scale_jwt \"%V\": a token is refused: %s",
                  &issuer->block.name, jwt->reason);

    challenge = &f->problem.challenge;
    len = sizeof("Bearer error=\"invalid_token\", error_description=\"\"") - 1
          + ngx_strlen(jwt->description);

    challenge->data = ngx_pnalloc(f->r->pool, len);
    if (challenge->data == NULL) {
        return NGX_ERROR;
    }

    challenge->len = ngx_snprintf(challenge->data, len,
                                  "Bearer error=\"invalid_token\", "
                                  "error_description=\"%s\"",
                                  jwt->description)
                     - challenge->data;

    f->problem.detail.data = (u_char *) jwt->description;
    f->problem.detail.len = ngx_strlen(jwt->description);

    return ngx_scale_flow_refuse(f, NGX_SCALE_CAUSE_IDENTITY);
}
