
#include "cache/rank.h"
#include "cache/checksum.h"


static ngx_uint_t ngx_scale_rank_is_lower(uint64_t *draws, uint32_t *weights,
    uint8_t *members, ngx_uint_t a, ngx_uint_t b);


/* bits of a logarithm behind the point; a draw has 38, with a weight 48 */
#define NGX_SCALE_RANK_BITS  32


uint64_t
ngx_scale_rank_hash(u_char *p, size_t len)
{
    return ngx_scale_checksum(p, len, 0);
}


/*
 * The logarithm to base 2 of a uniform number between 0 and 1, negated: bit by
 * bit, by squaring what is between 1 and 2.
 */

uint64_t
ngx_scale_rank_draw(uint64_t key, uint64_t member)
{
    uint64_t    x, bit, draw;
    ngx_uint_t  i;

    x = ngx_scale_checksum_finish(key * 0x9e3779b97f4a7c15u ^ member) | 1;

    for (draw = 1; !(x >> 63); draw++) {
        x <<= 1;
    }

    x >>= 32;
    draw <<= NGX_SCALE_RANK_BITS;

    for (i = NGX_SCALE_RANK_BITS; i-- > 0; /* void */ ) {
        x = x * x >> 31;
        bit = x >> 32;
        x >>= bit;
        draw -= bit << i;
    }

    return draw;
}


ngx_uint_t
ngx_scale_rank_lowest(uint64_t *draws, uint8_t *members, uint32_t *weights,
    ngx_uint_t nmembers, uint8_t *lowest, ngx_uint_t n)
{
    ngx_uint_t  i, place, found;

    found = 0;

    for (i = 0; i < nmembers; i++) {

        for (place = found; place > 0; place--) {
            if (!ngx_scale_rank_is_lower(draws, weights, members, i,
                                         lowest[place - 1]))
            {
                break;
            }

            if (place < n) {
                lowest[place] = lowest[place - 1];
            }
        }

        if (place < n) {
            lowest[place] = i;
        }

        found = ngx_min(found + 1, n);
    }

    for (i = 0; i < found; i++) {
        lowest[i] = members[lowest[i]];
    }

    return found;
}


/* of equals the earlier one is: all web nodes have them in one order */

static ngx_uint_t
ngx_scale_rank_is_lower(uint64_t *draws, uint32_t *weights, uint8_t *members,
    ngx_uint_t a, ngx_uint_t b)
{
    return draws[members[a]] * weights[b] < draws[members[b]] * weights[a];
}
