
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


static ngx_inline int
done(void)
{
    printf("1..%lu\n", (unsigned long) test_count);

    return test_failed != 0;
}


#endif /* _NGX_SCALE_TEST_H_INCLUDED_ */
