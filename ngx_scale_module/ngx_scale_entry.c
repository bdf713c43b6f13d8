
/* answers as the cache keeps them */

#include "ngx_scale_rows.h"


static void ngx_scale_entry_too_large(ngx_scale_loc_conf_t *loc,
    ngx_log_t *log);


void
ngx_scale_entry_of(ngx_scale_answer_t *answer, ngx_scale_entry_t *entry)
{
    ngx_memzero(entry, sizeof(ngx_scale_entry_t));

    entry->etag = answer->etag;
    entry->meta = answer->meta;
    entry->body = answer->body;
    entry->unverified = answer->unverified;
    entry->partial = answer->partial;
}


void
ngx_scale_entry_fill(ngx_scale_loc_conf_t *loc, ngx_scale_read_t *read,
    ngx_scale_answer_t *answer, ngx_uint_t negative, ngx_log_t *log)
{
    ngx_scale_entry_t  entry;

    ngx_scale_entry_of(answer, &entry);
    entry.negative = negative;

    if (ngx_scale_cache_fill(read, &entry) != NGX_OK) {
        ngx_scale_entry_too_large(loc, log);
    }
}


void
ngx_scale_entry_decline(ngx_scale_loc_conf_t *loc, ngx_scale_read_t *read,
    ngx_log_t *log)
{
    if (ngx_scale_cache_decline(read) != NGX_OK) {
        ngx_scale_entry_too_large(loc, log);
    }
}


static void
ngx_scale_entry_too_large(ngx_scale_loc_conf_t *loc, ngx_log_t *log)
{
    ngx_log_error(NGX_LOG_WARN, log, 0,
                  "route \"%V\": answers larger than %d bytes are not cached: "
                  "each reader of such a one asks the database",
                  &loc->http.route, NGX_SCALE_CACHE_MAX_VALUE);
}
