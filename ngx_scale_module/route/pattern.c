
/* a regular expression (pcre2pattern(3)) as a template of paths */

#include "route/route.h"


typedef struct {
    u_char       *p;
    u_char       *last;
    u_char       *out;
    ngx_uint_t    groups;                  /* that have a number */
} ngx_scale_pattern_t;


static ngx_int_t ngx_scale_pattern_step(ngx_scale_pattern_t *pattern);
static ngx_int_t ngx_scale_pattern_literal(ngx_scale_pattern_t *pattern);
static ngx_int_t ngx_scale_pattern_group(ngx_scale_pattern_t *pattern);
static u_char *ngx_scale_pattern_end(ngx_scale_pattern_t *pattern, u_char *p);
static u_char *ngx_scale_pattern_class(u_char *p, u_char *last);
static ngx_int_t ngx_scale_pattern_name(u_char *p, u_char *end,
    ngx_str_t *name);
static ngx_uint_t ngx_scale_pattern_repeats(ngx_scale_pattern_t *pattern,
    const char *signs);


ngx_int_t
ngx_scale_pattern_path(ngx_pool_t *pool, ngx_str_t *regex, ngx_str_t *path)
{
    ngx_scale_pattern_t  pattern;

    /* a group of two bytes, "()", becomes its number between braces */

    path->data = ngx_pnalloc(pool, regex->len * 2 + NGX_INT_T_LEN);
    if (path->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(&pattern, sizeof(ngx_scale_pattern_t));

    pattern.p = regex->data;
    pattern.last = regex->data + regex->len;
    pattern.out = path->data;

    if (regex->len == 0 || *pattern.p++ != '^') {
        return NGX_DECLINED;
    }

    while (pattern.p < pattern.last) {

        if (*pattern.p == '$' && pattern.p + 1 == pattern.last) {
            break;
        }

        if (ngx_scale_pattern_step(&pattern) != NGX_OK) {
            return NGX_DECLINED;
        }
    }

    path->len = pattern.out - path->data;

    return path->len && path->data[0] == '/' ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_scale_pattern_step(ngx_scale_pattern_t *pattern)
{
    return *pattern->p == '(' ? ngx_scale_pattern_group(pattern)
                              : ngx_scale_pattern_literal(pattern);
}


static ngx_int_t
ngx_scale_pattern_literal(ngx_scale_pattern_t *pattern)
{
    u_char  ch;

    ch = *pattern->p++;

    if (ch == '\\') {

        if (pattern->p == pattern->last || isalnum(*pattern->p)) {
            return NGX_DECLINED;
        }

        ch = *pattern->p++;

    } else if (ngx_strlchr((u_char *) ".[]|*+?{}()$^",
                           (u_char *) ".[]|*+?{}()$^" + 13, ch))
    {
        return NGX_DECLINED;
    }

    if (ch <= 0x20 || ch >= 0x7f || ch == '{' || ch == '}' || ch == '%'
        || ch == '?' || ch == '#')
    {
        return NGX_DECLINED;
    }

    if (ngx_scale_pattern_repeats(pattern, "?")) {
        pattern->p++;

    } else {
        *pattern->out++ = ch;
    }

    return ngx_scale_pattern_repeats(pattern, "*+?{") ? NGX_DECLINED : NGX_OK;
}


static ngx_int_t
ngx_scale_pattern_group(ngx_scale_pattern_t *pattern)
{
    u_char     *start, *end;
    ngx_str_t   name;

    start = pattern->p + 1;

    if (pattern->last - start >= 2 && start[0] == '?' && start[1] == ':') {
        pattern->p = ngx_scale_pattern_end(pattern, start + 2);

        if (pattern->p == NULL || !ngx_scale_pattern_repeats(pattern, "?")) {
            return NGX_DECLINED;
        }

        pattern->p++;

        return NGX_OK;
    }

    pattern->groups++;
    *pattern->out++ = '{';

    if (start < pattern->last && *start == '?') {

        if (ngx_scale_pattern_name(start + 1, pattern->last, &name)
            != NGX_OK)
        {
            return NGX_DECLINED;
        }

        pattern->out = ngx_cpymem(pattern->out, name.data, name.len);

    } else {
        pattern->out = ngx_sprintf(pattern->out, "%ui", pattern->groups);
    }

    *pattern->out++ = '}';

    end = ngx_scale_pattern_end(pattern, start);
    if (end == NULL) {
        return NGX_DECLINED;
    }

    pattern->p = end;

    return ngx_scale_pattern_repeats(pattern, "*+?{") ? NGX_DECLINED : NGX_OK;
}


/* behind the bracket that closes the group; those within it are counted */

static u_char *
ngx_scale_pattern_end(ngx_scale_pattern_t *pattern, u_char *p)
{
    ngx_uint_t  depth;

    depth = 1;

    while (p < pattern->last) {

        switch (*p++) {

        case '\\':
            p++;
            break;

        case '[':
            p = ngx_scale_pattern_class(p, pattern->last);
            break;

        case '(':
            depth++;

            if (p < pattern->last
                && (*p != '?' || (pattern->last - p > 1
                                  && ngx_strchr("<P'", p[1]))))
            {
                pattern->groups++;
            }

            break;

        case ')':
            if (--depth == 0) {
                return p;
            }

            break;
        }
    }

    return NULL;
}


static u_char *
ngx_scale_pattern_class(u_char *p, u_char *last)
{
    p += (p < last && *p == '^');
    p += (p < last && *p == ']');

    while (p < last && *p != ']') {
        p += *p == '\\' ? 2 : 1;
    }

    return p + 1;
}


/* <name>, P<name> or 'name' */

static ngx_int_t
ngx_scale_pattern_name(u_char *p, u_char *last, ngx_str_t *name)
{
    u_char  closing;

    p += (p < last && *p == 'P');

    if (p == last || (*p != '<' && *p != '\'')) {
        return NGX_DECLINED;
    }

    closing = *p == '<' ? '>' : '\'';
    name->data = ++p;

    while (p < last && (isalnum(*p) || *p == '_')) {
        p++;
    }

    name->len = p - name->data;

    return p < last && *p == closing && name->len ? NGX_OK : NGX_DECLINED;
}


static ngx_uint_t
ngx_scale_pattern_repeats(ngx_scale_pattern_t *pattern, const char *signs)
{
    return pattern->p < pattern->last
           && ngx_strchr(signs, *pattern->p) != NULL;
}
