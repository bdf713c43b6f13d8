
/*
 * The types of parameters, and the two that are words and digits alone.
 */

#include "route/type.h"
#include "route/decimal.h"
#include "route/limits.h"
#include "route/name.h"


#define NGX_SCALE_UUID_HEX  32


static ngx_int_t ngx_scale_type_bool(ngx_pool_t *pool, ngx_scale_raw_t *raw,
    ngx_scale_value_t *value, const char **reason);
static ngx_int_t ngx_scale_type_uuid(ngx_pool_t *pool, ngx_scale_raw_t *raw,
    ngx_scale_value_t *value, const char **reason);


ngx_scale_type_t  ngx_scale_types[NGX_SCALE_NTYPES] = {

    [NGX_SCALE_BOOL] = {
        .name = ngx_string("bool"),
        .codec = ngx_scale_type_bool,
        .array = 1
    },

    [NGX_SCALE_INT] = {
        .name = ngx_string("int"),
        .codec = ngx_scale_number_int,
        .compare = ngx_scale_decimal_compare,
        .pattern = 1,
        .array = 1
    },

    [NGX_SCALE_BIGINT] = {
        .name = ngx_string("bigint"),
        .codec = ngx_scale_number_bigint,
        .compare = ngx_scale_decimal_compare,
        .pattern = 1,
        .array = 1
    },

    [NGX_SCALE_NUMERIC] = {
        .name = ngx_string("numeric"),
        .codec = ngx_scale_number_numeric,
        .compare = ngx_scale_decimal_compare,
        .pattern = 1,
        .array = 1
    },

    [NGX_SCALE_FLOAT8] = {
        .name = ngx_string("float8"),
        .codec = ngx_scale_number_float8,
        .compare = ngx_scale_number_compare_float8,
        .pattern = 1,
        .array = 1
    },

    [NGX_SCALE_TEXT] = {
        .name = ngx_string("text"),
        .codec = ngx_scale_text_read,
        .length = ngx_scale_text_length,
        .pattern = 1,
        .array = 1
    },

    [NGX_SCALE_UUID] = {
        .name = ngx_string("uuid"),
        .codec = ngx_scale_type_uuid,
        .pattern = 1,
        .array = 1
    },

    [NGX_SCALE_DATE] = {
        .name = ngx_string("date"),
        .codec = ngx_scale_time_date,
        .compare = ngx_scale_time_compare_date,
        .pattern = 1,
        .array = 1
    },

    [NGX_SCALE_TIMESTAMPTZ] = {
        .name = ngx_string("timestamptz"),
        .codec = ngx_scale_time_timestamptz,
        .compare = ngx_scale_time_compare,
        .pattern = 1,
        .array = 1
    },

    [NGX_SCALE_JSON] = {
        .name = ngx_string("json"),
        .codec = ngx_scale_text_json,
        .length = ngx_scale_text_length
    },

    [NGX_SCALE_JSONB] = {
        .name = ngx_string("jsonb"),
        .codec = ngx_scale_text_json,
        .length = ngx_scale_text_length
    },

    [NGX_SCALE_BYTEA] = {
        .name = ngx_string("bytea"),
        .codec = ngx_scale_bytea_read,
        .length = ngx_scale_bytea_length,
        .array = 1
    }
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

        if (ngx_scale_same(word, &raw->text)) {
            return ngx_scale_value_set(pool, value,
                                   (u_char *) ngx_scale_type_bools[i].text, 1);
        }
    }

    return NGX_DECLINED;
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
