
/* the flow's answer: from rows, from an entry, and to a response */

#ifndef _NGX_SCALE_ANSWER_H_INCLUDED_
#define _NGX_SCALE_ANSWER_H_INCLUDED_


#include "ngx_scale_flow.h"


/* steps */
ngx_int_t ngx_scale_answer_render(ngx_scale_flow_t *f);
ngx_int_t ngx_scale_answer_send(ngx_scale_flow_t *f);

/*
 * The entry becomes the answer; own() is for one that lives as long as the
 * request.  NGX_DECLINED: it says that there is no such row.
 */
ngx_int_t ngx_scale_answer_entry(ngx_scale_flow_t *f,
    ngx_scale_entry_t *entry);
ngx_int_t ngx_scale_answer_own_entry(ngx_scale_flow_t *f,
    ngx_scale_entry_t *entry);

/* what stands beside the body takes effect: fields, variables, status */
ngx_int_t ngx_scale_answer_apply(ngx_scale_flow_t *f);

/* the response but for its body */
ngx_int_t ngx_scale_answer_response(ngx_scale_flow_t *f,
    ngx_scale_response_t *response);

/* one more field of the response; the strings must live as long */
ngx_int_t ngx_scale_answer_field(ngx_scale_flow_t *f, ngx_str_t *name,
    ngx_str_t *value);

/* the same, for whoever shares this answer, too */
ngx_int_t ngx_scale_answer_share_field(ngx_scale_flow_t *f, ngx_str_t *name,
    ngx_str_t *value);


#endif /* _NGX_SCALE_ANSWER_H_INCLUDED_ */
