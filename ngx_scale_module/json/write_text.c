
/*
 * Types whose text takes another form in JSON: timestamps become RFC 3339,
 * bytea becomes base64.
 */

#include "json/value.h"


#define NGX_SCALE_JSON_SECONDS  (sizeof("2026-11-24 03:26:00") - 1)


static ngx_uint_t ngx_scale_json_like(u_char *p, u_char *last,
    const char *pattern);
static u_char *ngx_scale_json_zone(u_char *dst, u_char *p, u_char *last);
static ngx_uint_t ngx_scale_json_nibble(u_char ch);


/*
 * "2026-11-24 03:26:00.123+00" of timestamptz, without "+00" of timestamp
 * (DateStyle ISO: manual, 8.5.2).  Infinity, years B.C. or of five digits and
 * zones with seconds are not in RFC 3339: they stay as they are.
 */

ngx_int_t
ngx_scale_json_write_timestamp(ngx_scale_json_out_t *out, ngx_str_t *text)
{
    u_char  *p, *last, *zone, *dst;

    p = text->data;
    last = p + text->len;

    if (!ngx_scale_json_like(p, last, "dddd-dd-dd dd:dd:dd")) {
        return ngx_scale_json_write_string(out, text);
    }

    zone = p + NGX_SCALE_JSON_SECONDS;

    if (zone < last && *zone == '.') {
        do {
            zone++;
        } while (zone < last && *zone >= '0' && *zone <= '9');
    }

    /* quotes, ":00" of a zone in full hours */

    if (ngx_scale_json_out_reserve(out, text->len + 5) != NGX_OK) {
        return NGX_ERROR;
    }

    dst = out->pos;
    *dst++ = '"';
    dst = ngx_cpymem(dst, p, zone - p);
    dst = ngx_scale_json_zone(dst, zone, last);

    if (dst == NULL) {
        return ngx_scale_json_write_string(out, text);
    }

    out->pos[sizeof("\"2026-11-24") - 1] = 'T';
    *dst++ = '"';
    out->pos = dst;

    return NGX_OK;
}


static u_char *
ngx_scale_json_zone(u_char *dst, u_char *p, u_char *last)
{
    if (p == last) {
        return dst;
    }

    if (last - p == 3 && ngx_memcmp(p, "+00", 3) == 0) {
        *dst++ = 'Z';
        return dst;
    }

    if (last - p == 3 && ngx_scale_json_like(p, last, "sdd")) {
        dst = ngx_cpymem(dst, p, 3);
        return ngx_cpymem(dst, ":00", 3);
    }

    if (last - p == 6 && ngx_scale_json_like(p, last, "sdd:dd")) {
        return ngx_cpymem(dst, p, 6);
    }

    return NULL;
}


/* 'd' is a digit, 's' a sign, anything else itself */

static ngx_uint_t
ngx_scale_json_like(u_char *p, u_char *last, const char *pattern)
{
    for ( /* void */ ; *pattern; pattern++, p++) {

        if (p == last) {
            return 0;
        }

        switch (*pattern) {

        case 'd':
            if (*p < '0' || *p > '9') {
                return 0;
            }

            break;

        case 's':
            if (*p != '+' && *p != '-') {
                return 0;
            }

            break;

        default:
            if (*p != (u_char) *pattern) {
                return 0;
            }
        }
    }

    return 1;
}


/*
 * "\x" and two hexadecimal digits a byte (manual, 8.4.1) become RFC 4648
 * base64 with padding.
 */

ngx_int_t
ngx_scale_json_write_bytea(ngx_scale_json_out_t *out, ngx_str_t *text)
{
    u_char      *p, *last, *dst;
    uint32_t     bits;
    ngx_uint_t   i, n;

    static u_char  digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                              "abcdefghijklmnopqrstuvwxyz0123456789+/";

    p = text->data;
    last = p + text->len;

    if (text->len < 2 || p[0] != '\\' || p[1] != 'x' || text->len % 2) {
        return ngx_scale_json_write_string(out, text);
    }

    /* four bytes for six digits, rounded up, and quotes */

    if (ngx_scale_json_out_reserve(out, text->len + 6) != NGX_OK) {
        return NGX_ERROR;
    }

    dst = out->pos;
    *dst++ = '"';

    for (p += 2; p < last; p += n) {
        n = ngx_min(last - p, 6);
        bits = 0;

        for (i = 0; i < n; i++) {
            bits |= ngx_scale_json_nibble(p[i]) << (20 - 4 * i);
        }

        *dst++ = digits[bits >> 18];
        *dst++ = digits[bits >> 12 & 0x3f];
        *dst++ = n > 2 ? digits[bits >> 6 & 0x3f] : '=';
        *dst++ = n > 4 ? digits[bits & 0x3f] : '=';
    }

    *dst++ = '"';
    out->pos = dst;

    return NGX_OK;
}


static ngx_uint_t
ngx_scale_json_nibble(u_char ch)
{
    return ((ch & 0xf) + (ch > '9' ? 9 : 0)) & 0xf;
}
