
/*
 * Host names of back ends: what they stand for is asked of nginx's resolver
 * again when its time to live ends; without a resolver, once, when the
 * configuration is read.
 */

#ifndef _NGX_SCALE_NAMES_H_INCLUDED_
#define _NGX_SCALE_NAMES_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct {
    ngx_array_t          names;        /* of ngx_scale_name_t */
    ngx_resolver_t      *resolver;     /* NULL: there is none */
    ngx_msec_t           timeout;
    ngx_queue_t          followers;    /* the worker's */
    ngx_event_t          tick;
} ngx_scale_names_t;


/*
 * What a name stands for.  "fresh": it comes from the name server this moment;
 * otherwise it may be as old as its time to live.  The addresses are valid
 * during the call only.
 */

typedef void (*ngx_scale_names_pt)(void *data, ngx_uint_t index,
    ngx_addr_t *addrs, ngx_uint_t n, ngx_uint_t fresh);


/*
 * Parses the url of a "server" line.  The address of a name is filled in at
 * the end of http{}, or has no sockaddr and is to be followed.  NULL: an error,
 * which was logged.
 */
ngx_addr_t *ngx_scale_names_parse(ngx_conf_t *cf, ngx_url_t *u);

ngx_int_t ngx_scale_names_create(ngx_conf_t *cf, ngx_scale_names_t *names);

/* at the end of http{} */
char *ngx_scale_names_init(ngx_conf_t *cf, ngx_scale_names_t *names);


/*
 * In a worker: "moved" is called about once a second with what the name of
 * "addr" stands for, from the event loop; never for an address that does not
 * move.
 */
ngx_int_t ngx_scale_names_follow(ngx_scale_names_t *names, ngx_cycle_t *cycle,
    ngx_addr_t *addr, ngx_scale_names_pt moved, void *data, ngx_uint_t index);

void ngx_scale_names_open(ngx_scale_names_t *names, ngx_cycle_t *cycle);
void ngx_scale_names_close(ngx_scale_names_t *names);


#endif /* _NGX_SCALE_NAMES_H_INCLUDED_ */
