
/*
 * The members of a body that a request needs, by yajl's callbacks.
 *
 * "level" is the number of containers open where an event happens.  A want's
 * "matched" is how many names of its path lead to there: a value is wanted
 * if both are the path's length.  A name is only compared where all before it
 * matched, and an array has none, so nothing inside of an array is found.
 */

#include <yajl/yajl_parse.h>
#include "json/json.h"
#include "json/arena.h"


#define NGX_SCALE_JSON_ELEMENTS  8


typedef struct {
    ngx_uint_t                matched;
    ngx_uint_t                room;        /* for elements */
} ngx_scale_json_track_t;

typedef struct {
    ngx_pool_t               *pool;
    yajl_handle               handle;
    u_char                   *start;
    u_char                   *last;
    ngx_uint_t                level;
    ngx_scale_json_want_t    *wants;
    ngx_scale_json_track_t   *tracks;
    ngx_uint_t                n;
} ngx_scale_json_reader_t;


static ngx_int_t ngx_scale_json_parse(ngx_scale_json_reader_t *r,
    ngx_str_t *body);
static int ngx_scale_json_on_null(void *ctx);
static int ngx_scale_json_on_bool(void *ctx, int value);
static int ngx_scale_json_on_number(void *ctx, const char *p, size_t len);
static int ngx_scale_json_on_string(void *ctx, const unsigned char *p,
    size_t len);
static int ngx_scale_json_on_name(void *ctx, const unsigned char *p,
    size_t len);
static int ngx_scale_json_on_object(void *ctx);
static int ngx_scale_json_on_array(void *ctx);
static int ngx_scale_json_on_end(void *ctx);
static int ngx_scale_json_on_open(ngx_scale_json_reader_t *r,
    ngx_scale_raw_e kind);
static int ngx_scale_json_on_word(ngx_scale_json_reader_t *r,
    ngx_scale_raw_e kind, size_t len);
static int ngx_scale_json_on_value(ngx_scale_json_reader_t *r,
    ngx_scale_raw_e kind, u_char *p, size_t len);
static ngx_uint_t ngx_scale_json_is_value(ngx_scale_json_reader_t *r,
    ngx_uint_t i);
static ngx_uint_t ngx_scale_json_is_element(ngx_scale_json_reader_t *r,
    ngx_uint_t i);
static ngx_scale_raw_t *ngx_scale_json_push(ngx_scale_json_reader_t *r,
    ngx_uint_t i);
static u_char *ngx_scale_json_keep(ngx_scale_json_reader_t *r, u_char *p,
    size_t len);


static yajl_callbacks  ngx_scale_json_callbacks = {
    .yajl_null = ngx_scale_json_on_null,
    .yajl_boolean = ngx_scale_json_on_bool,
    .yajl_number = ngx_scale_json_on_number,
    .yajl_string = ngx_scale_json_on_string,
    .yajl_start_map = ngx_scale_json_on_object,
    .yajl_map_key = ngx_scale_json_on_name,
    .yajl_end_map = ngx_scale_json_on_end,
    .yajl_start_array = ngx_scale_json_on_array,
    .yajl_end_array = ngx_scale_json_on_end
};


ngx_int_t
ngx_scale_json_read(ngx_pool_t *pool, ngx_str_t *body,
    ngx_scale_json_want_t *wants, ngx_uint_t n)
{
    ngx_int_t                rc;
    ngx_uint_t               i;
    ngx_scale_json_arena_t   arena;
    ngx_scale_json_reader_t  r;

    for (i = 0; i < n; i++) {
        ngx_memzero(&wants[i].raw, sizeof(ngx_scale_raw_t));
    }

    if (n == 0) {
        return NGX_OK;
    }

    r.pool = pool;
    r.start = body->data;
    r.last = body->data + body->len;
    r.level = 0;
    r.wants = wants;
    r.n = n;

    r.tracks = ngx_pcalloc(pool, n * sizeof(ngx_scale_json_track_t));
    if (r.tracks == NULL) {
        return NGX_ERROR;
    }

    if (ngx_scale_json_arena_init(&arena, pool, body->len) != NGX_OK) {
        return NGX_ERROR;
    }

    r.handle = yajl_alloc(&ngx_scale_json_callbacks, &arena.funcs, &r);

    if (r.handle == NULL) {
        rc = NGX_ERROR;

    } else {
        rc = ngx_scale_json_parse(&r, body);
        yajl_free(r.handle);
    }

    ngx_scale_json_arena_done(&arena);

    return rc;
}


static ngx_int_t
ngx_scale_json_parse(ngx_scale_json_reader_t *r, ngx_str_t *body)
{
    yajl_config(r->handle, yajl_dont_validate_strings, 1);

    if (yajl_parse(r->handle, body->data, body->len) != yajl_status_ok
        || yajl_complete_parse(r->handle) != yajl_status_ok)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static int
ngx_scale_json_on_null(void *ctx)
{
    return ngx_scale_json_on_word(ctx, NGX_SCALE_RAW_NULL, sizeof("null") - 1);
}


static int
ngx_scale_json_on_bool(void *ctx, int value)
{
    return ngx_scale_json_on_word(ctx, NGX_SCALE_RAW_BOOL,
                                  value ? sizeof("true") - 1
                                        : sizeof("false") - 1);
}


/* what yajl has consumed ends with the word */

static int
ngx_scale_json_on_word(ngx_scale_json_reader_t *r, ngx_scale_raw_e kind,
    size_t len)
{
    u_char  *end;

    end = r->start + yajl_get_bytes_consumed(r->handle);

    return ngx_scale_json_on_value(r, kind, end - len, len);
}


static int
ngx_scale_json_on_number(void *ctx, const char *p, size_t len)
{
    return ngx_scale_json_on_value(ctx, NGX_SCALE_RAW_NUMBER, (u_char *) p,
                                   len);
}


static int
ngx_scale_json_on_string(void *ctx, const unsigned char *p, size_t len)
{
    return ngx_scale_json_on_value(ctx, NGX_SCALE_RAW_STRING, (u_char *) p,
                                   len);
}


static int
ngx_scale_json_on_object(void *ctx)
{
    return ngx_scale_json_on_open(ctx, NGX_SCALE_RAW_OBJECT);
}


static int
ngx_scale_json_on_array(void *ctx)
{
    return ngx_scale_json_on_open(ctx, NGX_SCALE_RAW_ARRAY);
}


static int
ngx_scale_json_on_open(ngx_scale_json_reader_t *r, ngx_scale_raw_e kind)
{
    /* its end gives the length */

    if (!ngx_scale_json_on_word(r, kind, 1)) {
        return 0;
    }

    r->level++;

    return 1;
}


static int
ngx_scale_json_on_end(void *ctx)
{
    ngx_scale_json_reader_t *r = ctx;

    u_char           *end;
    ngx_uint_t        i;
    ngx_scale_raw_t  *raw;

    end = r->start + yajl_get_bytes_consumed(r->handle);
    r->level--;

    for (i = 0; i < r->n; i++) {
        raw = &r->wants[i].raw;

        if (ngx_scale_json_is_element(r, i)) {
            raw = &raw->elts[raw->nelts - 1];

        } else if (!ngx_scale_json_is_value(r, i)) {
            continue;
        }

        raw->text.len = end - raw->text.data;
    }

    return 1;
}


static int
ngx_scale_json_on_name(void *ctx, const unsigned char *p, size_t len)
{
    ngx_scale_json_reader_t *r = ctx;

    ngx_str_t               *name;
    ngx_uint_t               i, above;
    ngx_scale_json_want_t   *want;
    ngx_scale_json_track_t  *track;

    above = r->level - 1;

    for (i = 0; i < r->n; i++) {
        want = &r->wants[i];
        track = &r->tracks[i];

        if (track->matched < above) {
            continue;
        }

        track->matched = above;

        if (above < want->npath) {
            name = &want->path[above];

            if (name->len == len && ngx_memcmp(name->data, p, len) == 0) {
                track->matched++;
            }
        }
    }

    return 1;
}


static int
ngx_scale_json_on_value(ngx_scale_json_reader_t *r, ngx_scale_raw_e kind,
    u_char *p, size_t len)
{
    u_char           *kept;
    ngx_uint_t        i;
    ngx_scale_raw_t  *raw;

    kept = NULL;

    for (i = 0; i < r->n; i++) {

        if (ngx_scale_json_is_value(r, i)) {
            raw = &r->wants[i].raw;

        } else if (ngx_scale_json_is_element(r, i)) {
            raw = ngx_scale_json_push(r, i);

        } else {
            continue;
        }

        if (kept == NULL) {
            kept = ngx_scale_json_keep(r, p, len);
        }

        if (raw == NULL || kept == NULL) {
            return 0;
        }

        ngx_memzero(raw, sizeof(ngx_scale_raw_t));

        raw->kind = kind;
        raw->text.data = kept;
        raw->text.len = len;
    }

    return 1;
}


static ngx_uint_t
ngx_scale_json_is_value(ngx_scale_json_reader_t *r, ngx_uint_t i)
{
    return r->level == r->wants[i].npath
           && r->tracks[i].matched == r->wants[i].npath;
}


static ngx_uint_t
ngx_scale_json_is_element(ngx_scale_json_reader_t *r, ngx_uint_t i)
{
    return r->wants[i].elements
           && r->level == r->wants[i].npath + 1
           && r->tracks[i].matched == r->wants[i].npath
           && r->wants[i].raw.kind == NGX_SCALE_RAW_ARRAY;
}


static ngx_scale_raw_t *
ngx_scale_json_push(ngx_scale_json_reader_t *r, ngx_uint_t i)
{
    ngx_uint_t        room;
    ngx_scale_raw_t  *raw, *elts;

    raw = &r->wants[i].raw;

    if (raw->nelts == r->tracks[i].room) {
        room = raw->nelts ? 2 * raw->nelts : NGX_SCALE_JSON_ELEMENTS;

        elts = ngx_palloc(r->pool, room * sizeof(ngx_scale_raw_t));
        if (elts == NULL) {
            return NULL;
        }

        if (raw->nelts) {
            ngx_memcpy(elts, raw->elts, raw->nelts * sizeof(ngx_scale_raw_t));
            ngx_pfree(r->pool, raw->elts);
        }

        raw->elts = elts;
        r->tracks[i].room = room;
    }

    return &raw->elts[raw->nelts++];
}


/*
 * What yajl decoded, and a number that ends the body, are in its own memory.
 */

static u_char *
ngx_scale_json_keep(ngx_scale_json_reader_t *r, u_char *p, size_t len)
{
    u_char  *kept;

    if (p >= r->start && p < r->last) {
        return p;
    }

    kept = ngx_pnalloc(r->pool, len);
    if (kept == NULL) {
        return NULL;
    }

    ngx_memcpy(kept, p, len);

    return kept;
}
