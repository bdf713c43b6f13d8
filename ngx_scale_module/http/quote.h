
/*
 * A string of JSON, for documents of a few members.
 */

#ifndef _NGX_SCALE_QUOTE_H_INCLUDED_
#define _NGX_SCALE_QUOTE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* how long the text is with its quotes, and to write it so */

static ngx_inline size_t
ngx_scale_quote_len(ngx_str_t *s)
{
    return sizeof("\"\"") - 1 + s->len
           + (size_t) ngx_escape_json(NULL, s->data, s->len);
}


static ngx_inline u_char *
ngx_scale_quote(u_char *p, ngx_str_t *s)
{
    *p++ = '"';
    p = (u_char *) ngx_escape_json(p, s->data, s->len);
    *p++ = '"';

    return p;
}


#endif /* _NGX_SCALE_QUOTE_H_INCLUDED_ */
