
/*
 * The queues of jobs: what nginx.conf says of one, and who waits for its jobs.
 * A worker asks the database once for all of them (scale.queue_watch() of
 * conf/sql/queue.sql), and is told when there is one: nobody polls but it,
 * every NGX_SCALE_QUEUE_POLL, for what it was not told.
 */

#ifndef _NGX_SCALE_QUEUE_H_INCLUDED_
#define _NGX_SCALE_QUEUE_H_INCLUDED_


#include "ngx_scale_conf.h"


#define NGX_SCALE_QUEUE_POLL      2000     /* ms */
#define NGX_SCALE_QUEUE_MAX_DEPTH 100000000
#define NGX_SCALE_QUEUE_MAX_WAIT  60000    /* of a client */


/*
 * A client in the line; zero it before use, and give it the next of the queue's
 * tickets when it comes.  woken() is called once, after which it is in no line:
 * NGX_OK, there may be a job; NGX_DONE, this worker shuts down.
 */

typedef struct {
    ngx_queue_t                  queue;
    ngx_scale_queue_t           *of;         /* NULL: in no line */
    ngx_uint_t                   ticket;     /* the lower is before */
    void                       (*woken)(void *data, ngx_int_t rc);
    void                        *data;
} ngx_scale_waiter_t;


/* ngx_scale_queue_conf.c */

/* by name; NULL: there is none, which was logged with a remedy */
ngx_scale_queue_t *ngx_scale_queue_find(ngx_conf_t *cf, ngx_str_t *name);

/*
 * ngx_scale_queue_text.c: reads directives of the location that is read now, up
 * to the "}" at their end.  They may have the settings of a queue: %at%,
 * %name%, %use%, %enqueue% up to its queue's name, %visibility%, %attempts%,
 * %backoff%, %max_backoff% and %keep%.
 */
char *ngx_scale_queue_text(ngx_conf_t *cf, ngx_scale_queue_t *queue,
    ngx_str_t *at, ngx_str_t *text);

/* at the end of http{}: their databases, and what they run there */
char *ngx_scale_queue_init(ngx_conf_t *cf, ngx_scale_main_conf_t *main);


/* ngx_scale_queue.c */

/* in a worker; what waits when it is closed is forgotten */
ngx_int_t ngx_scale_queue_open(ngx_cycle_t *cycle,
    ngx_scale_main_conf_t *main);
void ngx_scale_queue_close(ngx_scale_main_conf_t *main);

/* by its ticket: who was woken in vain has its place again */
void ngx_scale_queue_join(ngx_scale_queue_t *queue,
    ngx_scale_waiter_t *waiter);

/* out of the line, or back from what it was woken for */
void ngx_scale_queue_leave(ngx_scale_queue_t *queue,
    ngx_scale_waiter_t *waiter);

/* somebody waits, or is woken and not back */
ngx_uint_t ngx_scale_queue_has_line(ngx_scale_queue_t *queue);

/*
 * Wakes who waits for the longest time; nobody, while another one is not back:
 * of two claims that are under way the later may win.
 */
void ngx_scale_queue_wake(ngx_scale_queue_t *queue);


#endif /* _NGX_SCALE_QUEUE_H_INCLUDED_ */
