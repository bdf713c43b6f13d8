
/* Accept: RFC 9110, section 12.5.1 */

#include "http/request.h"


static ngx_int_t ngx_scale_accept_best(ngx_int_t *quality, ngx_uint_t n);
static void ngx_scale_accept_range(u_char *p, u_char *last,
    ngx_int_t *quality, ngx_uint_t *specific, ngx_uint_t n);
static ngx_uint_t ngx_scale_accept_match(ngx_str_t *media, ngx_str_t *range);
static ngx_int_t ngx_scale_accept_quality(u_char *p, u_char *last);


ngx_str_t  ngx_scale_media[NGX_SCALE_NREPRS] = {
    [NGX_SCALE_REPR_JSON] = ngx_string("application/json"),
    [NGX_SCALE_REPR_NDJSON] = ngx_string("application/x-ndjson"),
    [NGX_SCALE_REPR_CSV] = ngx_string("text/csv")
};


ngx_int_t
ngx_scale_request_accept(ngx_http_request_t *r, ngx_uint_t n)
{
    u_char      *p, *end, *last;
    ngx_int_t    quality[NGX_SCALE_NREPRS];
    ngx_str_t    accept;
    ngx_uint_t   specific[NGX_SCALE_NREPRS];

    static ngx_str_t  name = ngx_string("Accept");

    if (ngx_scale_request_header(r, &name, &accept) != NGX_OK) {
        return NGX_SCALE_REPR_JSON;
    }

    ngx_memzero(quality, sizeof(quality));
    ngx_memzero(specific, sizeof(specific));

    p = accept.data;
    last = p + accept.len;

    for ( /* void */ ; p < last; p = end + 1) {
        end = ngx_strlchr(p, last, ',');
        if (end == NULL) {
            end = last;
        }

        ngx_scale_accept_range(p, end, quality, specific, n);
    }

    return ngx_scale_accept_best(quality, n);
}


/* the first one of the highest quality; NGX_DECLINED: all have none */

static ngx_int_t
ngx_scale_accept_best(ngx_int_t *quality, ngx_uint_t n)
{
    ngx_int_t   best;
    ngx_uint_t  i;

    best = NGX_DECLINED;

    for (i = 0; i < n; i++) {
        if (quality[i] > 0
            && (best == NGX_DECLINED || quality[i] > quality[best]))
        {
            best = i;
        }
    }

    return best;
}


/* one media range; the most specific one that matches decides a quality */

static void
ngx_scale_accept_range(u_char *p, u_char *last, ngx_int_t *quality,
    ngx_uint_t *specific, ngx_uint_t n)
{
    u_char      *end;
    ngx_str_t    range;
    ngx_uint_t   i, match;

    while (p < last && (*p == ' ' || *p == '\t')) {
        p++;
    }

    for (end = p; end < last; end++) {
        if (*end == ';' || *end == ' ' || *end == '\t') {
            break;
        }
    }

    range.data = p;
    range.len = end - p;

    for (i = 0; i < n; i++) {
        match = ngx_scale_accept_match(&ngx_scale_media[i], &range);

        if (match > specific[i]) {
            specific[i] = match;
            quality[i] = ngx_scale_accept_quality(end, last);
        }
    }
}


/* how specific a range is that matches; 0: it does not */

static ngx_uint_t
ngx_scale_accept_match(ngx_str_t *media, ngx_str_t *range)
{
    size_t  len;

    if (range->len < sizeof("*/*") - 1) {
        return 0;
    }

    if (range->data[range->len - 1] != '*') {
        return range->len == media->len
               && ngx_strncasecmp(range->data, media->data, media->len) == 0
               ? 3 : 0;
    }

    /* the type with its slash */

    len = range->len - 1;

    if (len == 2 && range->data[0] == '*' && range->data[1] == '/') {
        return 1;
    }

    return len <= media->len && range->data[len - 1] == '/'
           && ngx_strncasecmp(range->data, media->data, len) == 0
           ? 2 : 0;
}


/* the weight in thousandths; 1000 where none is given */

static ngx_int_t
ngx_scale_accept_quality(u_char *p, u_char *last)
{
    u_char     *end;
    ngx_int_t   quality;

    for ( /* void */ ; last - p > 2; p++) {

        if ((p[0] | 0x20) != 'q' || p[1] != '='
            || (p[-1] != ';' && p[-1] != ' ' && p[-1] != '\t'))
        {
            continue;
        }

        p += 2;

        for (end = p; end < last; end++) {
            if (*end != '.' && (*end < '0' || *end > '9')) {
                break;
            }
        }

        quality = ngx_atofp(p, end - p, 3);

        return quality == NGX_ERROR ? 1000 : ngx_min(quality, 1000);
    }

    return 1000;
}
