/* sources: route/pattern.c */

#include "route/route.h"
#include "test.h"


typedef struct {
    const char   *regex;
    const char   *path;        /* NULL: none */
} test_pattern_t;


static test_pattern_t  patterns[] = {
    { "^/posts/(?<id>[0-9]+)$", "/posts/{id}" },
    { "^/posts/(?P<id>\\d+)", "/posts/{id}" },
    { "^/posts/(?'id'\\d+)$", "/posts/{id}" },
    { "^/a/(?<one>[^/]+)/b/(?<two>.+)$", "/a/{one}/b/{two}" },
    { "^/a/(\\d+)/(\\d+)$", "/a/{1}/{2}" },
    { "^/a/((b)|(?:c)|(?<d>d))/(\\d+)$", "/a/{1}/{4}" },
    { "^/a/(?<id>[()\\]]+)$", "/a/{id}" },
    { "^/a/(?<id>[]a]+)$", "/a/{id}" },
    { "^/a/(?<id>\\)+)$", "/a/{id}" },
    { "^/a/(?<id>(x|y)(z))/$", "/a/{id}/" },
    { "^/robots\\.txt$", "/robots.txt" },
    { "^/a/?$", "/a" },
    { "^/a(?:/(?<page>\\d+))?$", "/a" },
    { "^/a$", "/a" },
    { "^/()()()$", "/{1}{2}{3}" },

    { "", NULL },
    { "/a", NULL },
    { "^a", NULL },
    { "^", NULL },
    { "^/a|/b$", NULL },
    { "^/a/(?:b|c)$", NULL },
    { "^/a/\\d+$", NULL },
    { "^/a/.*$", NULL },
    { "^/a/[0-9]$", NULL },
    { "^/a+$", NULL },
    { "^/a??$", NULL },
    { "^/a/(?<id>\\d)+$", NULL },
    { "^/a/(?<id>\\d)?$", NULL },
    { "^/a/(?<id>\\d", NULL },
    { "^/a/(?<id", NULL },
    { "^/a/(?<>\\d)$", NULL },
    { "^/a/(?=b)b$", NULL },
    { "^/a/(?i)b$", NULL },
    { "^/a/(", NULL },
    { "^/a/([", NULL },
    { "^/a/(\\", NULL },
    { "^/a\\", NULL },
    { "^/a$b", NULL },
    { "^/a\\{b\\}$", NULL },
    { "^/a b$", NULL },
    { "^/(?:a", NULL }
};


int
main(void)
{
    u_char      *exact;
    ngx_int_t    rc;
    ngx_str_t    regex, path;
    ngx_uint_t   i;
    ngx_log_t    log;
    ngx_pool_t  *pool;

    ngx_memzero(&log, sizeof(ngx_log_t));
    pool = ngx_create_pool(4096, &log);

    for (i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {

        /* of its own size, so that a byte read behind its end is an error */

        regex.len = strlen(patterns[i].regex);
        exact = malloc(regex.len ? regex.len : 1);
        ngx_memcpy(exact, patterns[i].regex, regex.len);
        regex.data = exact;

        rc = ngx_scale_pattern_path(pool, &regex, &path);

        if (patterns[i].path) {
            if (rc != NGX_OK) {
                ngx_str_set(&path, "none");
            }

            is_str(path, patterns[i].path, patterns[i].regex);

        } else {
            ok(rc == NGX_DECLINED, patterns[i].regex);
        }

        free(exact);
    }

    ngx_destroy_pool(pool);

    return done();
}
