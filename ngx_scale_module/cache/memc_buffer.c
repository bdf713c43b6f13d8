
/* the memory of a connection, which grows, and is freed when it rests */

#include "cache/memc_int.h"


static ngx_int_t ngx_scale_memc_enlarge(ngx_scale_memc_t *memc, size_t len);


#define NGX_SCALE_MEMC_IN       (256 * 1024)
#define NGX_SCALE_MEMC_OUT      (4 * 1024 * 1024)
#define NGX_SCALE_MEMC_OUT_MIN  65536


ngx_int_t
ngx_scale_memc_equip(ngx_scale_memc_t *memc)
{
    if (memc->slots == NULL) {
        memc->slots = ngx_alloc(NGX_SCALE_MEMC_SLOTS
                                * sizeof(ngx_scale_memc_slot_t), memc->log);
    }

    if (memc->in == NULL) {
        memc->in = ngx_alloc(NGX_SCALE_MEMC_IN, memc->log);
        memc->in_size = NGX_SCALE_MEMC_IN;
    }

    return memc->slots && memc->in ? NGX_OK : NGX_ERROR;
}


void
ngx_scale_memc_strip(void *data)
{
    ngx_scale_memc_t  *memc = data;

    ngx_free(memc->slots);
    ngx_free(memc->in);
    ngx_free(memc->out);

    memc->slots = NULL;
    memc->in = NULL;
    memc->out = NULL;
    memc->out_size = 0;
}


u_char *
ngx_scale_memc_reserve(ngx_scale_memc_t *memc, size_t len)
{
    u_char  *out;
    size_t   size;

    len += memc->out_len;

    if (len > NGX_SCALE_MEMC_OUT) {
        return NULL;
    }

    if (len > memc->out_size) {
        for (size = NGX_SCALE_MEMC_OUT_MIN; size < len; size *= 2) {
            /* void */
        }

        out = ngx_alloc(size, memc->log);
        if (out == NULL) {
            return NULL;
        }

        ngx_memcpy(out, memc->out, memc->out_len);
        ngx_free(memc->out);

        memc->out = out;
        memc->out_size = size;
    }

    return memc->out + memc->out_len;
}


ngx_int_t
ngx_scale_memc_room(ngx_scale_memc_t *memc)
{
    size_t  len;

    len = memc->in_last - memc->in_pos;

    if (len == 0) {
        memc->in_pos = memc->in;
        memc->in_last = memc->in;
        return NGX_OK;
    }

    if (memc->in_last < memc->in + memc->in_size) {
        return NGX_OK;
    }

    if (memc->in_pos > memc->in) {
        ngx_memmove(memc->in, memc->in_pos, len);

    } else if (ngx_scale_memc_enlarge(memc, len) != NGX_OK) {
        return NGX_ERROR;
    }

    memc->in_pos = memc->in;
    memc->in_last = memc->in + len;

    return NGX_OK;
}


static ngx_int_t
ngx_scale_memc_enlarge(ngx_scale_memc_t *memc, size_t len)
{
    u_char             *p, *in;
    size_t              size;
    ngx_scale_reply_t   reply;

    p = memc->in_pos;
    (void) ngx_scale_reply_parse(&p, memc->in_last, &reply);

    size = memc->in_size + ngx_max(reply.size, memc->in_size);

    in = ngx_alloc(size, memc->log);
    if (in == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(in, memc->in_pos, len);
    ngx_free(memc->in);

    memc->in = in;
    memc->in_size = size;

    return NGX_OK;
}
