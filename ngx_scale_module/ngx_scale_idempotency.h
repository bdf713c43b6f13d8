
/*
 * Idempotency-Key (draft-ietf-httpapi-idempotency-key-header-07): the key, the
 * write and its answer are one transaction, see scale.idempotency in scale.sql.
 * What is refused is not kept: it has changed nothing.
 */

#ifndef _NGX_SCALE_IDEMPOTENCY_H_INCLUDED_
#define _NGX_SCALE_IDEMPOTENCY_H_INCLUDED_


#include "ngx_scale_flow.h"


/* a step, after the values: who sends the key, and with which request */
ngx_int_t ngx_scale_idempotency_step(ngx_scale_flow_t *f);
void ngx_scale_idempotency_release(ngx_scale_flow_t *f);

/*
 * Of a flow with f->keyed.  frame(): f->op, before it is submitted, begins with
 * the key; again() submits it once more.
 */
void ngx_scale_idempotency_frame(ngx_scale_flow_t *f,
    void (*again)(ngx_scale_flow_t *f));

/* in look(), before COMMIT: f->answer, which is made here, is stored */
ngx_int_t ngx_scale_idempotency_keep(ngx_scale_flow_t *f);

/*
 * In done().  NGX_OK: as without a key; NGX_DONE: f->answer is that of the
 * first time; NGX_AGAIN: nobody knows how it ended, it is tried again;
 * NGX_DECLINED and NGX_ERROR as of a step.
 */
ngx_int_t ngx_scale_idempotency_done(ngx_scale_flow_t *f);

/* the deadline: f->problem, of the query, as it is with a key */
void ngx_scale_idempotency_expired(ngx_scale_flow_t *f);


#endif /* _NGX_SCALE_IDEMPOTENCY_H_INCLUDED_ */
