
/*
 * Types that are neither numbers nor times, and the checks every single value
 * goes through.
 */

#include "route/route_int.h"


#define NGX_SCALE_UUID_HEX  32


static ngx_int_t ngx_scale_type_bool(ngx_pool_t *pool, ngx_scale_raw_t *raw,
    ngx_scale_value_t *value, const char **reason);
static ngx_int_t ngx_scale_type_text(ngx_pool_t *pool, ngx_scale_raw_t *raw,
    ngx_scale_value_t *value, const char **reason);
static size_t ngx_scale_type_text_length(ngx_str_t *text);
static ngx_uint_t ngx_scale_type_utf8_valid(u_char *p, u_char *end);
static u_char *ngx_scale_type_skip_ascii(u_char *p, u_char *end);
static size_t ngx_scale_type_utf8_sequence(u_char *p, u_char *end);
static ngx_int_t ngx_scale_type_uuid(ngx_pool_t *pool, ngx_scale_raw_t *raw,
    ngx_scale_value_t *value, const char **reason);
static ngx_int_t ngx_scale_type_json(ngx_pool_t *pool, ngx_scale_raw_t *raw,
    ngx_scale_value_t *value, const char **reason);
static ngx_int_t ngx_scale_type_json_string(ngx_pool_t *pool, ngx_str_t *text,
    ngx_scale_value_t *value);
static ngx_int_t ngx_scale_type_bytea(ngx_pool_t *pool, ngx_scale_raw_t *raw,
    ngx_scale_value_t *value, const char **reason);
static size_t ngx_scale_type_bytea_length(ngx_str_t *text);
static ngx_int_t ngx_scale_type_base64(ngx_pool_t *pool, ngx_str_t *text,
    ngx_str_t *bytes);


#define NGX_SCALE_TYPE_ONES   0x0101010101010101u
#define NGX_SCALE_TYPE_HIGHS  0x8080808080808080u


ngx_scale_type_t  ngx_scale_types[] = {

    { ngx_string("bool"), ngx_scale_type_bool,
      NULL, NULL, 0, 1 },

    { ngx_string("int"), ngx_scale_number_int,
      ngx_scale_number_compare, NULL, 1, 1 },

    { ngx_string("bigint"), ngx_scale_number_bigint,
      ngx_scale_number_compare, NULL, 1, 1 },

    { ngx_string("numeric"), ngx_scale_number_numeric,
      ngx_scale_number_compare, NULL, 1, 1 },

    { ngx_string("float8"), ngx_scale_number_float8,
      ngx_scale_number_compare_float8, NULL, 1, 1 },

    { ngx_string("text"), ngx_scale_type_text,
      NULL, ngx_scale_type_text_length, 1, 1 },

    { ngx_string("uuid"), ngx_scale_type_uuid,
      NULL, NULL, 1, 1 },

    { ngx_string("date"), ngx_scale_time_date,
      ngx_scale_time_compare_date, NULL, 1, 1 },

    { ngx_string("timestamptz"), ngx_scale_time_timestamptz,
      ngx_scale_time_compare, NULL, 1, 1 },

    { ngx_string("json"), ngx_scale_type_json,
      NULL, ngx_scale_type_text_length, 0, 0 },

    { ngx_string("jsonb"), ngx_scale_type_json,
      NULL, ngx_scale_type_text_length, 0, 0 },

    { ngx_string("bytea"), ngx_scale_type_bytea,
      NULL, ngx_scale_type_bytea_length, 0, 1 }
};


static struct {
    ngx_str_t     word;
    const char   *text;
} ngx_scale_type_bools[] = {
    { ngx_string("true"), "t" },
    { ngx_string("t"), "t" },
    { ngx_string("1"), "t" },
    { ngx_string("on"), "t" },
    { ngx_string("yes"), "t" },
    { ngx_string("false"), "f" },
    { ngx_string("f"), "f" },
    { ngx_string("0"), "f" },
    { ngx_string("off"), "f" },
    { ngx_string("no"), "f" },
    { ngx_null_string, NULL }
};


ngx_int_t
ngx_scale_type_value(ngx_pool_t *pool, ngx_scale_param_t *param,
    ngx_scale_raw_t *raw, ngx_scale_value_t *value, const char **reason)
{
    ngx_int_t          rc;
    ngx_scale_type_t  *type;

    type = &ngx_scale_types[param->type & ~NGX_SCALE_ARRAY];

    value->null = 0;

    rc = type->codec(pool, raw, value, reason);

    return rc == NGX_OK ? ngx_scale_limits_check(param, type, value, reason)
                        : rc;
}


ngx_int_t
ngx_scale_value_set(ngx_pool_t *pool, ngx_scale_value_t *value, u_char *data,
    size_t len)
{
    u_char  *p;

    p = ngx_pnalloc(pool, len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    *ngx_cpymem(p, data, len) = '\0';

    value->text.data = p;
    value->text.len = len;
    value->canon = value->text;

    return NGX_OK;
}


static ngx_int_t
ngx_scale_type_bool(ngx_pool_t *pool, ngx_scale_raw_t *raw,
    ngx_scale_value_t *value, const char **reason)
{
    ngx_str_t   *word;
    ngx_uint_t   i;

    *reason = "must be true or false";

    if (raw->kind != NGX_SCALE_RAW_TEXT && raw->kind != NGX_SCALE_RAW_BOOL) {
        return NGX_DECLINED;
    }

    for (i = 0; ngx_scale_type_bools[i].text; i++) {
        word = &ngx_scale_type_bools[i].word;

        if (word->len == raw->text.len
            && ngx_memcmp(word->data, raw->text.data, word->len) == 0)
        {
            return ngx_scale_value_set(pool, value,
                                   (u_char *) ngx_scale_type_bools[i].text, 1);
        }
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_scale_type_text(ngx_pool_t *pool, ngx_scale_raw_t *raw,
    ngx_scale_value_t *value, const char **reason)
{
    ngx_str_t  *text;

    if (!ngx_scale_raw_is_text(raw)) {
        *reason = "must be text";
        return NGX_DECLINED;
    }

    text = &raw->text;

    if (!ngx_scale_type_utf8_valid(text->data, text->data + text->len)) {
        *reason = "must be valid UTF-8 without NUL";
        return NGX_DECLINED;
    }

    return ngx_scale_value_set(pool, value, text->data, text->len);
}


static size_t
ngx_scale_type_text_length(ngx_str_t *text)
{
    u_char  *p, *end;
    size_t   n;

    end = text->data + text->len;
    p = ngx_scale_type_skip_ascii(text->data, end);
    n = p - text->data;

    for ( /* void */ ; p < end; p++) {
        n += (*p & 0xc0) != 0x80;
    }

    return n;
}


static ngx_uint_t
ngx_scale_type_utf8_valid(u_char *p, u_char *end)
{
    size_t  n;

    for ( ;; ) {
        p = ngx_scale_type_skip_ascii(p, end);

        if (p == end) {
            return 1;
        }

        n = ngx_scale_type_utf8_sequence(p, end);

        if (n == 0) {
            return 0;
        }

        p += n;
    }
}


/* most text is long and plain: eight bytes at once, but for a NUL */

static u_char *
ngx_scale_type_skip_ascii(u_char *p, u_char *end)
{
    uint64_t  word;

    for ( /* void */ ; end - p >= 8; p += 8) {
        ngx_memcpy(&word, p, 8);

        if ((word | (word - NGX_SCALE_TYPE_ONES)) & NGX_SCALE_TYPE_HIGHS) {
            break;
        }
    }

    return p;
}


/*
 * RFC 3629, 4.  Only the second byte tells an overlong form, a surrogate or
 * a character past U+10FFFF.  The length of the sequence; 0: not one.
 */

static size_t
ngx_scale_type_utf8_sequence(u_char *p, u_char *end)
{
    u_char  lo, hi;
    size_t  i, n;

    if (*p < 0x80) {
        return *p != '\0';
    }

    if (*p < 0xc2 || *p > 0xf4) {
        return 0;
    }

    n = (*p < 0xe0) ? 2 : (*p < 0xf0) ? 3 : 4;

    if ((size_t) (end - p) < n) {
        return 0;
    }

    lo = (*p == 0xe0) ? 0xa0 : (*p == 0xf0) ? 0x90 : 0x80;
    hi = (*p == 0xed) ? 0x9f : (*p == 0xf4) ? 0x8f : 0xbf;

    if (p[1] < lo || p[1] > hi) {
        return 0;
    }

    for (i = 2; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }

    return n;
}


static ngx_int_t
ngx_scale_type_uuid(ngx_pool_t *pool, ngx_scale_raw_t *raw,
    ngx_scale_value_t *value, const char **reason)
{
    u_char     *p, *end, *d, ch, text[NGX_SCALE_UUID_HEX + 4];
    ngx_uint_t  dashed;

    *reason = "must be a UUID";

    if (!ngx_scale_raw_is_text(raw)) {
        return NGX_DECLINED;
    }

    p = raw->text.data;
    end = p + raw->text.len;

    if (end - p > 2 && *p == '{' && end[-1] == '}') {
        p++;
        end--;
    }

    dashed = (end - p == sizeof(text));

    if (!dashed && end - p != NGX_SCALE_UUID_HEX) {
        return NGX_DECLINED;
    }

    for (d = text; d < text + sizeof(text); d++) {

        if (d == text + 8 || d == text + 13 || d == text + 18
            || d == text + 23)
        {
            *d = '-';

            if (dashed && *p++ != '-') {
                return NGX_DECLINED;
            }

            continue;
        }

        ch = ngx_tolower(*p);
        p++;

        if (!ngx_scale_is_digit(ch) && (ch < 'a' || ch > 'f')) {
            return NGX_DECLINED;
        }

        *d = ch;
    }

    return ngx_scale_value_set(pool, value, text, sizeof(text));
}


/*
 * PostgreSQL is the one that checks the syntax of a TEXT; a NUL would cut it
 * short on its way there.
 */

static ngx_int_t
ngx_scale_type_json(ngx_pool_t *pool, ngx_scale_raw_t *raw,
    ngx_scale_value_t *value, const char **reason)
{
    ngx_int_t  rc;

    if (raw->kind == NGX_SCALE_RAW_STRING) {
        rc = ngx_scale_type_json_string(pool, &raw->text, value);

    } else {
        rc = ngx_scale_value_set(pool, value, raw->text.data, raw->text.len);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    if (!ngx_scale_type_utf8_valid(value->text.data,
                                   value->text.data + value->text.len))
    {
        *reason = "must be valid UTF-8 without NUL";
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* RFC 8259, 7: a quote, a backslash and controls are to be escaped */

static ngx_int_t
ngx_scale_type_json_string(ngx_pool_t *pool, ngx_str_t *text,
    ngx_scale_value_t *value)
{
    u_char  *p, *data, ch;
    size_t   i, len;

    len = sizeof("\"\"") - 1;

    for (i = 0; i < text->len; i++) {
        ch = text->data[i];
        len += (ch < 0x20) ? 6 : (ch == '"' || ch == '\\') ? 2 : 1;
    }

    data = ngx_pnalloc(pool, len + 1);
    if (data == NULL) {
        return NGX_ERROR;
    }

    p = data;
    *p++ = '"';

    for (i = 0; i < text->len; i++) {
        ch = text->data[i];

        if (ch < 0x20) {
            p = ngx_sprintf(p, "\\u%04Xi", (ngx_uint_t) ch);
            continue;
        }

        if (ch == '"' || ch == '\\') {
            *p++ = '\\';
        }

        *p++ = ch;
    }

    *p++ = '"';
    *p = '\0';

    value->text.data = data;
    value->text.len = len;
    value->canon = value->text;

    return NGX_OK;
}


static ngx_int_t
ngx_scale_type_bytea(ngx_pool_t *pool, ngx_scale_raw_t *raw,
    ngx_scale_value_t *value, const char **reason)
{
    u_char     *p;
    ngx_int_t   rc;
    ngx_str_t   bytes;

    *reason = "must be base64";

    if (!ngx_scale_raw_is_text(raw)) {
        return NGX_DECLINED;
    }

    rc = ngx_scale_type_base64(pool, &raw->text, &bytes);

    if (rc != NGX_OK) {
        return rc;
    }

    value->text.len = sizeof("\\x") - 1 + 2 * bytes.len;

    p = ngx_pnalloc(pool, value->text.len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value->text.data = p;
    value->canon = value->text;

    p = ngx_cpymem(p, "\\x", sizeof("\\x") - 1);
    p = ngx_hex_dump(p, bytes.data, bytes.len);
    *p = '\0';

    return NGX_OK;
}


static size_t
ngx_scale_type_bytea_length(ngx_str_t *text)
{
    return (text->len - (sizeof("\\x") - 1)) / 2;
}


/* ngx_decode_base64() ends at the first "=" and ignores what follows it */

static ngx_int_t
ngx_scale_type_base64(ngx_pool_t *pool, ngx_str_t *text, ngx_str_t *bytes)
{
    u_char     *end;
    ngx_int_t   rc;
    ngx_str_t   src;

    src = *text;

    while (src.len && text->len - src.len < 2
           && src.data[src.len - 1] == '=')
    {
        src.len--;
    }

    if (src.len != text->len && text->len % 4) {
        return NGX_DECLINED;
    }

    end = src.data + src.len;

    if (ngx_strlchr(src.data, end, '=')) {
        return NGX_DECLINED;
    }

    bytes->data = ngx_pnalloc(pool, ngx_base64_decoded_length(src.len));
    if (bytes->data == NULL) {
        return NGX_ERROR;
    }

    if (ngx_strlchr(src.data, end, '-') || ngx_strlchr(src.data, end, '_')) {
        rc = ngx_decode_base64url(bytes, &src);

    } else {
        rc = ngx_decode_base64(bytes, &src);
    }

    return (rc == NGX_OK) ? NGX_OK : NGX_DECLINED;
}
