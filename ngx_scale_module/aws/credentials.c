
/* the file that AWS's tools keep credentials in */

#include "aws/aws_int.h"


static ngx_uint_t ngx_scale_aws_section(ngx_str_t *line, ngx_uint_t *counts);
static void ngx_scale_aws_trim(ngx_str_t *text);
static ngx_int_t ngx_scale_aws_setting(ngx_str_t *line,
    ngx_scale_aws_credentials_t *credentials);


static struct {
    ngx_str_t      name;
    size_t         offset;
} ngx_scale_aws_settings[] = {
    { ngx_string("aws_access_key_id"),
      offsetof(ngx_scale_aws_credentials_t, id) },
    { ngx_string("aws_secret_access_key"),
      offsetof(ngx_scale_aws_credentials_t, secret) },
    { ngx_string("aws_session_token"),
      offsetof(ngx_scale_aws_credentials_t, token) },
    { ngx_null_string, 0 }
};


ngx_int_t
ngx_scale_aws_credentials_read(ngx_str_t *content,
    ngx_scale_aws_credentials_t *credentials, ngx_str_t *error)
{
    u_char      *p, *last, *end;
    ngx_str_t    line;
    ngx_uint_t   counts;

    ngx_memzero(credentials, sizeof(ngx_scale_aws_credentials_t));

    counts = 1;
    last = content->data + content->len;

    for (p = content->data; p < last; p = end + 1) {

        end = ngx_strlchr(p, last, LF);
        end = end ? end : last;

        line.data = p;
        line.len = end - p;

        ngx_scale_aws_trim(&line);

        if (line.len == 0 || line.data[0] == '#' || line.data[0] == ';'
            || ngx_scale_aws_section(&line, &counts) || !counts)
        {
            continue;
        }

        if (ngx_scale_aws_setting(&line, credentials) != NGX_OK) {
            ngx_str_set(error, "has a line that is no \"name = value\"");
            return NGX_DECLINED;
        }
    }

    if (credentials->id.len == 0 || credentials->secret.len == 0) {
        ngx_str_set(error, "needs the lines \"aws_access_key_id = ...\" and "
                           "\"aws_secret_access_key = ...\"");
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_scale_aws_section(ngx_str_t *line, ngx_uint_t *counts)
{
    if (line->data[0] != '[') {
        return 0;
    }

    *counts = ngx_scale_aws_is(line, "[default]");

    return 1;
}


static void
ngx_scale_aws_trim(ngx_str_t *text)
{
    while (text->len && text->data[text->len - 1] <= ' ') {
        text->len--;
    }

    while (text->len && text->data[0] <= ' ') {
        text->data++;
        text->len--;
    }
}


/* what is not known here is for another tool */

static ngx_int_t
ngx_scale_aws_setting(ngx_str_t *line,
    ngx_scale_aws_credentials_t *credentials)
{
    u_char      *equals;
    ngx_str_t    name, value;
    ngx_uint_t   i;

    equals = ngx_strlchr(line->data, line->data + line->len, '=');

    if (equals == NULL) {
        return NGX_DECLINED;
    }

    name.data = line->data;
    name.len = equals - name.data;
    value.data = equals + 1;
    value.len = line->data + line->len - value.data;

    ngx_scale_aws_trim(&name);
    ngx_scale_aws_trim(&value);

    for (i = 0; ngx_scale_aws_settings[i].name.len; i++) {
        if (ngx_scale_aws_settings[i].name.len == name.len
            && ngx_strncmp(ngx_scale_aws_settings[i].name.data, name.data,
                           name.len)
               == 0)
        {
            *(ngx_str_t *) ((u_char *) credentials
                            + ngx_scale_aws_settings[i].offset) = value;
        }
    }

    return NGX_OK;
}
