
/*
 * nginx's event loop without a configuration: epoll, timers, posted events and
 * a few connections, driven turn by turn.  Log lines are counted and the last
 * is kept.
 */

#ifndef _NGX_SCALE_LOOP_H_INCLUDED_
#define _NGX_SCALE_LOOP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>


#define LOOP_CONNECTIONS  32


extern ngx_module_t  ngx_epoll_module;


static ngx_log_t         loop_log;
static ngx_uint_t        loop_lines;
static char              loop_line[512];

static ngx_cycle_t       loop_cycle;
static ngx_connection_t  loop_connections[LOOP_CONNECTIONS];
static ngx_event_t       loop_read_events[LOOP_CONNECTIONS];
static ngx_event_t       loop_write_events[LOOP_CONNECTIONS];
static ngx_event_t       loop_alarm;


static void
loop_write_log(ngx_log_t *log, ngx_uint_t level, u_char *buf, size_t len)
{
    if (level > NGX_LOG_NOTICE) {
        return;
    }

    loop_lines++;

    len = ngx_min(len, sizeof(loop_line) - 1);
    ngx_memcpy(loop_line, buf, len);
    loop_line[len] = '\0';
}


static void
loop_init_connections(ngx_cycle_t *cycle)
{
    ngx_uint_t  i;

    cycle->connection_n = LOOP_CONNECTIONS;
    cycle->connections = loop_connections;
    cycle->read_events = loop_read_events;
    cycle->write_events = loop_write_events;

    for (i = 0; i < LOOP_CONNECTIONS; i++) {
        loop_read_events[i].closed = 1;
        loop_read_events[i].instance = 1;
        loop_write_events[i].closed = 1;

        loop_connections[i].data = i + 1 < LOOP_CONNECTIONS
                                   ? &loop_connections[i + 1] : NULL;
        loop_connections[i].read = &loop_read_events[i];
        loop_connections[i].write = &loop_write_events[i];
        loop_connections[i].fd = (ngx_socket_t) -1;
    }

    cycle->free_connections = loop_connections;
    cycle->free_connection_n = LOOP_CONNECTIONS;

    ngx_queue_init(&cycle->reusable_connections_queue);
}


static void
loop_wake(ngx_event_t *ev)
{
}


static ngx_pool_t *
loop_init(void)
{
    void                *conf;
    ngx_pool_t          *pool;
    ngx_event_module_t  *epoll;

    static void   *confs[1];
    static void  **events = confs;
    static void ***modules[1] = { &events };

    loop_log.log_level = NGX_LOG_DEBUG_ALL | NGX_LOG_DEBUG;
    loop_log.writer = loop_write_log;

    ngx_use_stderr = 0;
    ngx_pagesize = getpagesize();
    ngx_pid = getpid();
    ngx_time_init();

    pool = ngx_create_pool(4096, &loop_log);

    loop_cycle.log = &loop_log;
    loop_cycle.pool = pool;
    ngx_cycle = &loop_cycle;

    ngx_queue_init(&ngx_posted_accept_events);
    ngx_queue_init(&ngx_posted_next_events);
    ngx_queue_init(&ngx_posted_events);

    ngx_event_timer_init(&loop_log);
    loop_init_connections(&loop_cycle);

    epoll = ngx_epoll_module.ctx;
    conf = epoll->create_conf(&loop_cycle);
    epoll->init_conf(&loop_cycle, conf);

    ngx_events_module.index = 0;
    ngx_epoll_module.ctx_index = 0;

    confs[0] = conf;
    loop_cycle.conf_ctx = modules;

    if (epoll->actions.init(&loop_cycle, 0) != NGX_OK) {
        return NULL;
    }

    loop_alarm.data = loop_connections;          /* debug lines want one */
    loop_alarm.handler = loop_wake;
    loop_alarm.log = &loop_log;

    return pool;
}


/* one turn, of no more than "limit" ms */

static void
loop_turn(ngx_msec_t limit)
{
    ngx_add_timer(&loop_alarm, limit);

    ngx_process_events_and_timers((ngx_cycle_t *) ngx_cycle);

    if (loop_alarm.timer_set) {
        ngx_del_timer(&loop_alarm);
    }
}


static void
loop_run(ngx_msec_t time)
{
    ngx_msec_t  end;

    ngx_time_update();
    end = ngx_current_msec + time;

    while ((ngx_msec_int_t) (end - ngx_current_msec) > 0) {
        loop_turn(end - ngx_current_msec);
    }
}


#endif /* _NGX_SCALE_LOOP_H_INCLUDED_ */
