
#include "cache/node_int.h"
#include <ngx_md5.h>


struct ngx_scale_owner_s {
    ngx_scale_cache_t           *cache;
    ngx_str_t                    id;         /* a hash, and who for people */
    ngx_event_t                  timer;
};


static ngx_int_t ngx_scale_owner_identify(ngx_pool_t *pool, ngx_str_t *id);
static void ngx_scale_owner_timer_handler(ngx_event_t *ev);
static ngx_uint_t ngx_scale_owner_is_due(ngx_scale_owner_t *owner);
static ngx_uint_t ngx_scale_owner_is_placed(ngx_scale_cache_node_t *node);
static void ngx_scale_owner_ask(ngx_scale_cache_node_t *node);
static ngx_scale_memc_op_t *ngx_scale_owner_op(ngx_scale_cache_node_t *node,
    ngx_uint_t verb);
static void ngx_scale_owner_asked(ngx_scale_memc_op_t *op);
static void ngx_scale_owner_claim(ngx_scale_cache_node_t *node);
static void ngx_scale_owner_claimed(ngx_scale_memc_op_t *op);
static void ngx_scale_owner_found(ngx_scale_cache_node_t *node,
    ngx_str_t *record);


/* no key of ours begins like that: theirs begin with a stamp */
#define NGX_SCALE_OWNER_KEY    "scale:owner"

#define NGX_SCALE_OWNER_TTL    30          /* seconds */
#define NGX_SCALE_OWNER_RENEW  10000       /* ms */
#define NGX_SCALE_OWNER_SOON   1000        /* ms, while it is another's */
#define NGX_SCALE_OWNER_HASH   16
#define NGX_SCALE_OWNER_ID     256


ngx_int_t
ngx_scale_owner_start(ngx_scale_cache_t *cache)
{
    ngx_scale_owner_t  *owner;

    owner = ngx_pcalloc(cache->pool, sizeof(ngx_scale_owner_t));

    if (owner == NULL
        || ngx_scale_owner_identify(cache->pool, &owner->id) != NGX_OK)
    {
        return NGX_ERROR;
    }

    owner->cache = cache;
    cache->owner = owner;

    owner->timer.handler = ngx_scale_owner_timer_handler;
    owner->timer.data = owner;
    owner->timer.log = cache->log;
    owner->timer.cancelable = 1;

    ngx_add_timer(&owner->timer, 1);

    return NGX_OK;
}


/*
 * The same after a restart, when the old record is still there; another one
 * for another nginx of this machine.
 */

static ngx_int_t
ngx_scale_owner_identify(ngx_pool_t *pool, ngx_str_t *id)
{
    u_char      *p, digest[16];
    ngx_md5_t    md5;
    ngx_str_t   *part[3];
    ngx_uint_t   i;

    part[0] = (ngx_str_t *) &ngx_cycle->hostname;
    part[1] = (ngx_str_t *) &ngx_cycle->prefix;
    part[2] = (ngx_str_t *) &ngx_cycle->conf_file;

    ngx_md5_init(&md5);

    for (i = 0; i < 3; i++) {
        ngx_md5_update(&md5, part[i]->data, part[i]->len);
        ngx_md5_update(&md5, "", 1);
    }

    ngx_md5_final(digest, &md5);

    id->data = ngx_pnalloc(pool, NGX_SCALE_OWNER_ID);
    if (id->data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_hex_dump(id->data, digest, NGX_SCALE_OWNER_HASH / 2);

    p = ngx_slprintf(p, id->data + NGX_SCALE_OWNER_ID, " %V %V", part[0],
                     part[2]);

    id->len = p - id->data;

    return NGX_OK;
}


void
ngx_scale_owner_stop(ngx_scale_cache_t *cache)
{
    if (cache->owner && cache->owner->timer.timer_set) {
        ngx_del_timer(&cache->owner->timer);
    }
}


ngx_uint_t
ngx_scale_owner_is_other(ngx_scale_cache_node_t *node)
{
    return node->cache->record->others[node->index];
}


static void
ngx_scale_owner_timer_handler(ngx_event_t *ev)
{
    ngx_scale_owner_t  *owner = ev->data;

    ngx_queue_t  *q, *nodes;

    nodes = &owner->cache->nodes;

    if (ngx_scale_owner_is_due(owner)) {

        for (q = ngx_queue_head(nodes);
             q != ngx_queue_sentinel(nodes);
             q = ngx_queue_next(q))
        {
            ngx_scale_owner_ask(ngx_queue_data(q, ngx_scale_cache_node_t,
                                               queue));
        }
    }

    ngx_add_timer(ev, NGX_SCALE_OWNER_SOON);
}


/* one worker of the node is, whichever it is: the others find the new time */

static ngx_uint_t
ngx_scale_owner_is_due(ngx_scale_owner_t *owner)
{
    ngx_uint_t               i;
    ngx_msec_t               now, wait, asked;
    ngx_scale_zone_cache_t  *record;

    record = owner->cache->record;
    asked = record->asked;
    wait = NGX_SCALE_OWNER_RENEW;

    for (i = 0; i < NGX_SCALE_VIEW_NODES; i++) {
        if (record->others[i]) {
            wait = NGX_SCALE_OWNER_SOON;
        }
    }

    now = ngx_current_msec;

    return (asked == 0 || now - asked >= wait)
           && !ngx_exiting
           && !ngx_scale_cache_is_foreign(owner->cache)
           && ngx_atomic_cmp_set(&record->asked, asked, now);
}


/* its place in the record is that of the view in use */

static ngx_uint_t
ngx_scale_owner_is_placed(ngx_scale_cache_node_t *node)
{
    ngx_scale_cache_t  *cache;

    cache = node->cache;

    return node->present && !ngx_scale_cache_is_foreign(cache)
           && cache->ring->slot.tag == ngx_scale_zone_tag(cache->record);
}


static void
ngx_scale_owner_ask(ngx_scale_cache_node_t *node)
{
    ngx_scale_memc_op_t  *op;

    if (node->claiming || node->address == 0
        || !ngx_scale_owner_is_placed(node))
    {
        return;
    }

    op = ngx_scale_owner_op(node, NGX_SCALE_MEMC_MG);

    op->lease = NGX_SCALE_OWNER_TTL;
    op->handler = ngx_scale_owner_asked;

    ngx_scale_memc_send(node->memc, op);
}


static ngx_scale_memc_op_t *
ngx_scale_owner_op(ngx_scale_cache_node_t *node, ngx_uint_t verb)
{
    ngx_scale_memc_op_t  *op;

    op = &node->claim;
    node->claiming = 1;

    ngx_memzero(op, sizeof(ngx_scale_memc_op_t));

    op->verb = verb;
    op->data = node;
    ngx_str_set(&op->key, NGX_SCALE_OWNER_KEY);

    return op;
}


static void
ngx_scale_owner_asked(ngx_scale_memc_op_t *op)
{
    ngx_scale_cache_node_t  *node = op->data;

    ngx_str_t  *id;

    id = &node->cache->owner->id;
    node->claiming = 0;

    if (op->status != NGX_SCALE_MEMC_VA) {
        return;
    }

    if (op->won) {
        ngx_scale_owner_claim(node);
        return;
    }

    /* somebody is about to claim it; seen again at the next turn */

    if (op->rflags == NGX_SCALE_CACHE_STUB) {
        return;
    }

    if (op->rvalue.len < NGX_SCALE_OWNER_HASH
        || ngx_memcmp(op->rvalue.data, id->data, NGX_SCALE_OWNER_HASH) != 0)
    {
        ngx_scale_owner_found(node, &op->rvalue);
        return;
    }

    ngx_scale_owner_claim(node);
}


/* under the CAS that was read: who was faster stays */

static void
ngx_scale_owner_claim(ngx_scale_cache_node_t *node)
{
    ngx_scale_token_t     token;
    ngx_scale_memc_op_t  *op;

    token = node->claim.rtoken;
    op = ngx_scale_owner_op(node, NGX_SCALE_MEMC_MS);

    op->guarded = 1;
    op->token = token;
    op->value = node->cache->owner->id;
    op->flags = NGX_SCALE_CACHE_VALUE;
    op->ttl = NGX_SCALE_OWNER_TTL;
    op->handler = ngx_scale_owner_claimed;

    ngx_scale_memc_send(node->memc, op);
}


static void
ngx_scale_owner_claimed(ngx_scale_memc_op_t *op)
{
    ngx_scale_cache_node_t  *node = op->data;

    node->claiming = 0;

    if (op->status == NGX_SCALE_MEMC_HD
        && ngx_scale_owner_is_placed(node))
    {
        node->cache->record->others[node->index] = 0;
    }
}


/* written by whomever: it is quoted as far as it can be read */

static void
ngx_scale_owner_found(ngx_scale_cache_node_t *node, ngx_str_t *record)
{
    u_char             *p, *last;
    ngx_str_t           who;
    ngx_scale_cache_t  *cache;

    cache = node->cache;

    if (!ngx_scale_owner_is_placed(node)) {
        return;
    }

    if (ngx_atomic_cmp_set(&cache->record->others[node->index], 0, 1)) {

        last = record->data + ngx_min(record->len, NGX_SCALE_OWNER_ID);

        for (p = record->data; p < last && *p >= ' ' && *p < 0x7f; p++) {
            /* void */
        }

        who.data = record->data;
        who.len = p - record->data;

        ngx_log_error(NGX_LOG_ERR, cache->log, 0,
                      "cache \"%V\": memcached \"%V\" is another nginx's, "
                      "\"%V\", and is not used: with \"ring zone\" writes "
                      "there would leave old values here.  Write \"ring "
                      "database=\" on both, or give each a memcached of its "
                      "own", &cache->conf->name, &node->name, &who);
    }

    (void) ngx_scale_zone_eject(cache->record, node->index, node->address);
}
