
#include "ngx_scale_conf.h"


typedef struct {
    ngx_str_t                    url;
    ngx_str_t                    host;
    in_port_t                    port;
    ngx_addr_t                  *addr;
    ngx_scale_place_in_conf_t    place;
} ngx_scale_name_t;

/* whoever in a worker wants to know */

typedef struct {
    ngx_queue_t                  queue;
    ngx_scale_name_t            *name;
    ngx_str_t                    host;       /* the resolver writes to it */
    ngx_resolver_ctx_t          *ctx;        /* NULL: nothing is asked */
    ngx_scale_names_pt           moved;
    void                        *data;
    ngx_uint_t                   index;
    ngx_msec_t                   next;
    ngx_msec_t                   pause;      /* after a failure */
    unsigned                     known:1;
} ngx_scale_follower_t;


static ngx_uint_t ngx_scale_names_is_local(ngx_scale_name_t *name);
static char *ngx_scale_names_resolve_once(ngx_conf_t *cf,
    ngx_scale_name_t *name);
static void ngx_scale_names_tick_handler(ngx_event_t *ev);
static void ngx_scale_names_ask(ngx_scale_names_t *names,
    ngx_scale_follower_t *follower);
static void ngx_scale_names_handler(ngx_resolver_ctx_t *ctx);
static void ngx_scale_names_answer(ngx_scale_follower_t *follower,
    ngx_resolver_ctx_t *ctx);
static void ngx_scale_names_failed(ngx_scale_follower_t *follower,
    char *reason);


/*
 * ms.  Asking costs nothing within the time to live: the resolver remembers.
 * So an answer is never older than its time to live and this.
 */
#define NGX_SCALE_NAMES_TICK     1000

#define NGX_SCALE_NAMES_PAUSE    16000      /* ms between failures, at most */
#define NGX_SCALE_NAMES_ADDRS    16         /* of one name */


ngx_int_t
ngx_scale_names_create(ngx_conf_t *cf, ngx_scale_names_t *names)
{
    ngx_queue_init(&names->followers);

    return ngx_array_init(&names->names, cf->pool, 4,
                          sizeof(ngx_scale_name_t));
}


ngx_addr_t *
ngx_scale_names_parse(ngx_conf_t *cf, ngx_url_t *u)
{
    ngx_addr_t             *addr;
    ngx_scale_name_t       *name;
    ngx_scale_main_conf_t  *main;

    u->no_resolve = 1;

    if (ngx_parse_url(cf->pool, u) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "server \"%V\": %s", &u->url,
                           u->err ? u->err : "has no address");
        return NULL;
    }

    addr = ngx_pcalloc(cf->pool, sizeof(ngx_addr_t));
    if (addr == NULL) {
        return NULL;
    }

    if (u->naddrs) {
        *addr = u->addrs[0];
        return addr;
    }

    main = ngx_http_conf_get_module_main_conf(cf, ngx_scale_module);

    name = ngx_array_push(&main->names.names);
    if (name == NULL) {
        return NULL;
    }

    name->url = u->url;
    name->host = u->host;
    name->port = u->port;
    name->addr = addr;
    ngx_scale_conf_here(cf, &name->place);

    return addr;
}


char *
ngx_scale_names_init(ngx_conf_t *cf, ngx_scale_names_t *names)
{
    ngx_uint_t                 i;
    ngx_scale_name_t          *name;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    /* where none is declared nginx makes one that knows no name server */

    if (clcf->resolver && clcf->resolver->connections.nelts) {
        names->resolver = clcf->resolver;
        names->timeout = clcf->resolver_timeout;

        ngx_conf_init_msec_value(names->timeout, 30000);
    }

    name = names->names.elts;

    for (i = 0; i < names->names.nelts; i++) {

        if (names->resolver && !ngx_scale_names_is_local(&name[i])) {
            continue;
        }

        if (ngx_scale_names_resolve_once(cf, &name[i]) != NGX_CONF_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


/* name servers need not know it */

static ngx_uint_t
ngx_scale_names_is_local(ngx_scale_name_t *name)
{
    return name->host.len == 9
           && ngx_strncasecmp(name->host.data, (u_char *) "localhost", 9) == 0;
}


static char *
ngx_scale_names_resolve_once(ngx_conf_t *cf, ngx_scale_name_t *name)
{
    ngx_url_t  u;

    ngx_memzero(&u, sizeof(ngx_url_t));
    u.url = name->url;
    u.default_port = name->port;

    if (ngx_parse_url(cf->pool, &u) != NGX_OK || u.naddrs == 0) {
        ngx_scale_conf_error(cf, &name->place, "server \"%V\": %s", &u.url,
                             u.err ? u.err : "has no address");
        return NGX_CONF_ERROR;
    }

    *name->addr = u.addrs[0];

    if (!ngx_scale_names_is_local(name)) {
        ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                      "server \"%V\" is resolved once, when nginx starts or "
                      "reloads; write \"resolver\" and a name server in "
                      "http{} to have its name followed in %V:%ui",
                      &name->url, &name->place.file, name->place.line);
    }

    return NGX_CONF_OK;
}


ngx_int_t
ngx_scale_names_follow(ngx_scale_names_t *names, ngx_cycle_t *cycle,
    ngx_addr_t *addr, ngx_scale_names_pt moved, void *data, ngx_uint_t index)
{
    ngx_uint_t             i;
    ngx_scale_name_t      *name;
    ngx_scale_follower_t  *follower;

    name = names->names.elts;

    for (i = 0; /* void */ ; i++) {

        if (i == names->names.nelts) {
            return NGX_OK;
        }

        if (name[i].addr == addr && addr->sockaddr == NULL) {
            break;
        }
    }

    follower = ngx_pcalloc(cycle->pool, sizeof(ngx_scale_follower_t));
    if (follower == NULL) {
        return NGX_ERROR;
    }

    follower->name = &name[i];
    follower->moved = moved;
    follower->data = data;
    follower->index = index;
    follower->next = ngx_current_msec;

    follower->host.len = name[i].host.len;
    follower->host.data = ngx_pstrdup(cycle->pool, &name[i].host);
    if (follower->host.data == NULL) {
        return NGX_ERROR;
    }

    ngx_queue_insert_tail(&names->followers, &follower->queue);

    return NGX_OK;
}


void
ngx_scale_names_open(ngx_scale_names_t *names, ngx_cycle_t *cycle)
{
    if (ngx_queue_empty(&names->followers)) {
        return;
    }

    names->tick.handler = ngx_scale_names_tick_handler;
    names->tick.data = names;
    names->tick.log = cycle->log;
    names->tick.cancelable = 1;

    ngx_add_timer(&names->tick, 1);
}


void
ngx_scale_names_close(ngx_scale_names_t *names)
{
    ngx_queue_t           *q;
    ngx_scale_follower_t  *follower;

    if (names->tick.timer_set) {
        ngx_del_timer(&names->tick);
    }

    for (q = ngx_queue_head(&names->followers);
         q != ngx_queue_sentinel(&names->followers);
         q = ngx_queue_next(q))
    {
        follower = ngx_queue_data(q, ngx_scale_follower_t, queue);

        if (follower->ctx) {
            ngx_resolve_name_done(follower->ctx);
            follower->ctx = NULL;
        }
    }
}


static void
ngx_scale_names_tick_handler(ngx_event_t *ev)
{
    ngx_scale_names_t  *names = ev->data;

    ngx_queue_t           *q;
    ngx_scale_follower_t  *follower;

    for (q = ngx_queue_head(&names->followers);
         q != ngx_queue_sentinel(&names->followers);
         q = ngx_queue_next(q))
    {
        follower = ngx_queue_data(q, ngx_scale_follower_t, queue);

        if (follower->ctx == NULL
            && (ngx_msec_int_t) (follower->next - ngx_current_msec) <= 0)
        {
            ngx_scale_names_ask(names, follower);
        }
    }

    ngx_add_timer(ev, NGX_SCALE_NAMES_TICK);
}


/* the handler may run before ngx_resolve_name() returns, and frees "ctx" */

static void
ngx_scale_names_ask(ngx_scale_names_t *names, ngx_scale_follower_t *follower)
{
    ngx_resolver_ctx_t  *ctx;

    ctx = ngx_resolve_start(names->resolver, NULL);

    if (ctx == NULL || ctx == NGX_NO_RESOLVER) {
        ngx_scale_names_failed(follower, "no memory");
        return;
    }

    ctx->name = follower->host;
    ctx->handler = ngx_scale_names_handler;
    ctx->data = follower;
    ctx->timeout = names->timeout;
    ctx->cancelable = 1;

    follower->ctx = ctx;

    if (ngx_resolve_name(ctx) != NGX_OK) {
        follower->ctx = NULL;
        ngx_scale_names_failed(follower, "the question could not be sent");
    }
}


static void
ngx_scale_names_handler(ngx_resolver_ctx_t *ctx)
{
    ngx_scale_follower_t  *follower = ctx->data;

    follower->ctx = NULL;

    if (ctx->state) {
        ngx_scale_names_failed(follower, ngx_resolver_strerror(ctx->state));

    } else if (ctx->naddrs) {
        follower->pause = 0;
        follower->next = ngx_current_msec;
        follower->known = 1;

        ngx_scale_names_answer(follower, ctx);
    }

    ngx_resolve_name_done(ctx);
}


/* what "ctx" has may be shared with others who wait, and has no port */

static void
ngx_scale_names_answer(ngx_scale_follower_t *follower, ngx_resolver_ctx_t *ctx)
{
    u_char          text[NGX_SCALE_NAMES_ADDRS][NGX_SOCKADDR_STRLEN];
    ngx_uint_t      i, n;
    ngx_addr_t      addrs[NGX_SCALE_NAMES_ADDRS];
    ngx_sockaddr_t  sockaddrs[NGX_SCALE_NAMES_ADDRS];

    n = ngx_min(ctx->naddrs, NGX_SCALE_NAMES_ADDRS);

    for (i = 0; i < n; i++) {
        ngx_memcpy(&sockaddrs[i], ctx->addrs[i].sockaddr,
                   ctx->addrs[i].socklen);

        addrs[i].sockaddr = &sockaddrs[i].sockaddr;
        addrs[i].socklen = ctx->addrs[i].socklen;

        ngx_inet_set_port(addrs[i].sockaddr, follower->name->port);

        addrs[i].name.data = text[i];
        addrs[i].name.len = ngx_sock_ntop(addrs[i].sockaddr, addrs[i].socklen,
                                          text[i], NGX_SOCKADDR_STRLEN, 1);
    }

    follower->moved(follower->data, follower->index, addrs, n, ctx->async);
}


/* said once until it is known again */

static void
ngx_scale_names_failed(ngx_scale_follower_t *follower, char *reason)
{
    if (follower->pause == 0) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "server \"%V\" could not be resolved (%s); %s",
                      &follower->name->url, reason,
                      follower->known ? "the address it had is used"
                                      : "it is not used until it can");
    }

    follower->pause = ngx_max(NGX_SCALE_NAMES_TICK,
                              ngx_min(follower->pause * 2,
                                      NGX_SCALE_NAMES_PAUSE));
    follower->next = ngx_current_msec + follower->pause;
}
