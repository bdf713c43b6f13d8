
/*
 * A hash against damage and for tables, not against malice: of words in this
 * machine's order, so what is stored with it is read by machines of one kind.
 */

#ifndef _NGX_SCALE_CHECKSUM_H_INCLUDED_
#define _NGX_SCALE_CHECKSUM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


uint64_t ngx_scale_checksum(u_char *p, size_t len, uint64_t seed);


/* the finalizer of MurmurHash3: one to one */

static ngx_inline uint64_t
ngx_scale_checksum_finish(uint64_t word)
{
    word = (word ^ word >> 33) * 0xff51afd7ed558ccd;
    word = (word ^ word >> 33) * 0xc4ceb9fe1a85ec53;

    return word ^ word >> 33;
}


#endif /* _NGX_SCALE_CHECKSUM_H_INCLUDED_ */
