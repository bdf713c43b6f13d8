
/* a document whose members are known one after another */

#include "json/json.h"
#include "json/value.h"


struct ngx_scale_json_doc_s {
    ngx_scale_json_out_t    out;
    ngx_uint_t              depth;
    u_char                  brackets[NGX_SCALE_JSON_DEPTH];
    unsigned                begun:1;      /* a comma is due */
    unsigned                failed:1;
};


static void ngx_scale_json_doc_open(ngx_scale_json_doc_t *doc,
    ngx_str_t *name, u_char opening, u_char closing);
static void ngx_scale_json_doc_member(ngx_scale_json_doc_t *doc,
    ngx_str_t *name);
static void ngx_scale_json_doc_char(ngx_scale_json_doc_t *doc, u_char ch);


#define NGX_SCALE_JSON_DOC_SIZE  4096


ngx_scale_json_doc_t *
ngx_scale_json_doc_begin(ngx_pool_t *pool)
{
    ngx_scale_json_doc_t  *doc;

    doc = ngx_pcalloc(pool, sizeof(ngx_scale_json_doc_t));

    if (doc == NULL
        || ngx_scale_json_out_init(&doc->out, pool, NGX_SCALE_JSON_DOC_SIZE)
           != NGX_OK)
    {
        return NULL;
    }

    ngx_scale_json_doc_object(doc, NULL);

    return doc;
}


void
ngx_scale_json_doc_object(ngx_scale_json_doc_t *doc, ngx_str_t *name)
{
    ngx_scale_json_doc_open(doc, name, '{', '}');
}


void
ngx_scale_json_doc_array(ngx_scale_json_doc_t *doc, ngx_str_t *name)
{
    ngx_scale_json_doc_open(doc, name, '[', ']');
}


static void
ngx_scale_json_doc_open(ngx_scale_json_doc_t *doc, ngx_str_t *name,
    u_char opening, u_char closing)
{
    if (doc->depth == NGX_SCALE_JSON_DEPTH) {
        doc->failed = 1;
        return;
    }

    ngx_scale_json_doc_member(doc, name);
    ngx_scale_json_doc_char(doc, opening);

    doc->brackets[doc->depth++] = closing;
    doc->begun = 0;
}


void
ngx_scale_json_doc_close(ngx_scale_json_doc_t *doc)
{
    ngx_scale_json_doc_char(doc, doc->brackets[--doc->depth]);
    doc->begun = 1;
}


void
ngx_scale_json_doc_string(ngx_scale_json_doc_t *doc, ngx_str_t *name,
    ngx_str_t *value)
{
    ngx_scale_json_doc_member(doc, name);

    if (ngx_scale_json_write_string(&doc->out, value) != NGX_OK) {
        doc->failed = 1;
    }
}


void
ngx_scale_json_doc_verbatim(ngx_scale_json_doc_t *doc, ngx_str_t *name,
    ngx_str_t *value)
{
    ngx_scale_json_doc_member(doc, name);

    if (ngx_scale_json_out_append(&doc->out, value->data, value->len)
        != NGX_OK)
    {
        doc->failed = 1;
    }
}


static void
ngx_scale_json_doc_member(ngx_scale_json_doc_t *doc, ngx_str_t *name)
{
    if (doc->begun) {
        ngx_scale_json_doc_char(doc, ',');
    }

    doc->begun = 1;

    if (name == NULL) {
        return;
    }

    if (ngx_scale_json_write_string(&doc->out, name) != NGX_OK) {
        doc->failed = 1;
    }

    ngx_scale_json_doc_char(doc, ':');
}


static void
ngx_scale_json_doc_char(ngx_scale_json_doc_t *doc, u_char ch)
{
    if (ngx_scale_json_out_char(&doc->out, ch) != NGX_OK) {
        doc->failed = 1;
    }
}


ngx_int_t
ngx_scale_json_doc_end(ngx_scale_json_doc_t *doc, ngx_str_t *out)
{
    ngx_scale_json_doc_close(doc);
    ngx_scale_json_doc_char(doc, '\n');

    out->data = doc->out.start;
    out->len = doc->out.pos - doc->out.start;

    return doc->failed ? NGX_ERROR : NGX_OK;
}
