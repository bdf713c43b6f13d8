
/*
 * Which members keep the copies of a key: weighted rendezvous.  Each member
 * draws a number of the key and its own name, the lowest have it.  So whoever
 * joins or leaves moves one copy of a key at most.
 *
 * Of integers only: web nodes have to agree to the last bit.
 */

#ifndef _NGX_SCALE_RANK_H_INCLUDED_
#define _NGX_SCALE_RANK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* what the key, and a member, is to the draw */
uint64_t ngx_scale_rank_hash(u_char *p, size_t len);

/* exponentially distributed: divided by a member's weight, it ranks */
uint64_t ngx_scale_rank_draw(uint64_t key, uint64_t member);

/*
 * The lowest of "members", of which "draws" has the numbers: as many as there
 * are, "n" at most, and in order.  Returns how many.
 */
ngx_uint_t ngx_scale_rank_lowest(uint64_t *draws, uint8_t *members,
    uint32_t *weights, ngx_uint_t nmembers, uint8_t *lowest, ngx_uint_t n);


#endif /* _NGX_SCALE_RANK_H_INCLUDED_ */
