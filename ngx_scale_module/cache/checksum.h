
/*
 * A hash against damage and for tables, not against malice: of words in this
 * machine's order, so what is stored with it is read by machines of one kind.
 */

#ifndef _NGX_SCALE_CHECKSUM_H_INCLUDED_
#define _NGX_SCALE_CHECKSUM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


uint64_t ngx_scale_checksum(u_char *p, size_t len, uint64_t seed);


#endif /* _NGX_SCALE_CHECKSUM_H_INCLUDED_ */
