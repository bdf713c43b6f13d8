
/* commands whose replies nobody waits for; each owns its key and value */

#include "cache/cache_int.h"


typedef struct {
    ngx_queue_t                  queue;
    ngx_scale_memc_op_t          op;
    u_char                       wire[NGX_SCALE_CACHE_NOTE_MAX];
    u_char                       value[1];
} ngx_scale_cache_note_t;


ngx_scale_memc_op_t *
ngx_scale_cache_note(ngx_scale_cache_t *cache, ngx_str_t *wire, size_t len)
{
    ngx_scale_cache_note_t  *note;

    note = ngx_alloc(sizeof(ngx_scale_cache_note_t) + len, cache->log);
    if (note == NULL) {
        return NULL;
    }

    ngx_memzero(&note->op, sizeof(ngx_scale_memc_op_t));
    ngx_memcpy(note->wire, wire->data, wire->len);

    note->op.key.data = note->wire;
    note->op.key.len = wire->len;
    note->op.value.data = note->value;
    note->op.value.len = len;
    note->op.handler = ngx_scale_cache_noted;
    note->op.data = note;

    ngx_queue_insert_tail(&cache->notes, &note->queue);

    return &note->op;
}


void
ngx_scale_cache_noted(ngx_scale_memc_op_t *op)
{
    ngx_scale_cache_note_t  *note = op->data;

    ngx_queue_remove(&note->queue);
    ngx_free(note);
}


void
ngx_scale_cache_free_notes(ngx_scale_cache_t *cache)
{
    ngx_queue_t  *q;

    while (!ngx_queue_empty(&cache->notes)) {
        q = ngx_queue_head(&cache->notes);
        ngx_queue_remove(q);
        ngx_free(ngx_queue_data(q, ngx_scale_cache_note_t, queue));
    }
}
