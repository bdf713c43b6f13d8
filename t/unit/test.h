
/*
 * A minimal TAP producer for the pure rooms' unit tests.
 */

#ifndef _NGX_SCALE_TEST_H_INCLUDED_
#define _NGX_SCALE_TEST_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdio.h>


static ngx_uint_t  test_count;
static ngx_uint_t  test_failed;


static ngx_inline void
ok(ngx_int_t condition, const char *title)
{
    test_count++;

    if (!condition) {
        test_failed++;
    }

    printf("%sok %lu - %s\n", condition ? "" : "not ",
           (unsigned long) test_count, title);
}


static ngx_inline void
is_str(ngx_str_t got, const char *expected, const char *title)
{
    ngx_int_t  same;

    same = got.len == strlen(expected)
           && ngx_memcmp(got.data, expected, got.len) == 0;

    ok(same, title);

    if (!same) {
        printf("#      got: \"%.*s\"\n# expected: \"%s\"\n", (int) got.len,
               (char *) got.data, expected);
    }
}


/* as nginx sets them at its start; the log is none */

static ngx_inline ngx_pool_t *
test_pool(void)
{
    ngx_pool_t  *pool;

    static ngx_log_t  log;

    ngx_pagesize = 4096;
    ngx_cacheline_size = 64;

    pool = ngx_create_pool(4096, &log);
    if (pool == NULL) {
        exit(1);
    }

    return pool;
}


static ngx_inline int
done(void)
{
    printf("1..%lu\n", (unsigned long) test_count);

    return test_failed != 0;
}


#endif /* _NGX_SCALE_TEST_H_INCLUDED_ */
