
#include "http/response.h"


static u_char *ngx_scale_response_put(u_char *p, u_char *from, u_char *last);


ngx_int_t
ngx_scale_response_next(ngx_http_request_t *r, ngx_str_t *after,
    ngx_str_t *link)
{
    u_char  *p, *arg, *end, *path, *last;

    path = r->unparsed_uri.data;
    last = path + r->unparsed_uri.len;

    p = ngx_pnalloc(r->pool, 3 * r->unparsed_uri.len + after->len
                             + sizeof("<?after=>; rel=\"next\""));
    if (p == NULL) {
        return NGX_ERROR;
    }

    link->data = p;

    end = ngx_strlchr(path, last, '?');
    end = end ? end : last;

    *p++ = '<';
    p = ngx_scale_response_put(p, path, end);
    *p++ = '?';

    for (arg = end + 1; arg < last; arg = end + 1) {
        end = ngx_strlchr(arg, last, '&');
        end = end ? end : last;

        if (end - arg >= 6 && ngx_strncmp(arg, "after=", 6) == 0) {
            continue;
        }

        p = ngx_scale_response_put(p, arg, end);
        *p++ = '&';
    }

    p = ngx_cpymem(p, "after=", 6);
    p = ngx_cpymem(p, after->data, after->len);
    p = ngx_cpymem(p, ">; rel=\"next\"", sizeof(">; rel=\"next\"") - 1);

    link->len = p - link->data;

    return NGX_OK;
}


/* nginx takes what ends a link here (RFC 8288, section 3) as it comes */

static u_char *
ngx_scale_response_put(u_char *p, u_char *from, u_char *last)
{
    for ( /* void */ ; from < last; from++) {

        if (*from == '<' || *from == '>' || *from == '"' || *from <= ' '
            || *from >= 0x7f)
        {
            *p++ = '%';
            p = ngx_hex_dump(p, from, 1);
            continue;
        }

        *p++ = *from;
    }

    return p;
}
