
/*
 * How many requests a key may make.  Pure; whoever calls it brings memory and
 * time.
 *
 * A node counts by GCRA (ITU-T I.371, "generic cell rate algorithm"): of a key
 * one time is kept, when all it has taken will have been paid back at the rate.
 * In any time t it admits at most burst + rate * t.
 *
 * Several nodes count in windows, a number for each: what was counted in the
 * window before counts for less and less as this one passes.  A window's
 * number never exceeds its limit, which is the burst, or what the rate brings
 * in a second if that is more.  So in any time t, windows' limit + rate * t,
 * and one: the last is admitted as soon as there is room for any part of it.
 * Where the nodes' clocks differ their windows overlap: one limit more, and
 * what the rate brings in the time by which they differ, once.
 */

#ifndef _NGX_SCALE_LIMIT_H_INCLUDED_
#define _NGX_SCALE_LIMIT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_SCALE_LIMIT_MAX_NUMBER   1000000

/* ns in which a burst is paid back, at most: a day */
#define NGX_SCALE_LIMIT_MAX_PAYBACK  ((uint64_t) 86400 * 1000000000)


typedef struct ngx_scale_limit_table_s  ngx_scale_limit_table_t;


/* "count" in "period" seconds, one in "interval" ns; "burst" of them at once */

typedef struct {
    ngx_uint_t        count;
    ngx_uint_t        period;
    uint64_t          interval;
    ngx_uint_t        burst;
} ngx_scale_limit_rate_t;

/* what a key may take now, and when one more: ns, 0: it has them all */

typedef struct {
    ngx_uint_t        remaining;
    uint64_t          wait;
} ngx_scale_limit_state_t;


/*
 * "10r/s", "600r/m", "1000r/h"; the burst is what that is in a second, at
 * least one.  NGX_DECLINED: it is none of that.
 */
ngx_int_t ngx_scale_limit_rate(ngx_str_t *text, ngx_scale_limit_rate_t *rate);


/*
 * gcra.c: a key's time, all in ns.  take(): NGX_OK, and its time from then on;
 * NGX_DECLINED: there is none to take.
 */
ngx_int_t ngx_scale_limit_gcra_take(ngx_scale_limit_rate_t *rate,
    uint64_t time, uint64_t now, uint64_t *next);
void ngx_scale_limit_gcra_state(ngx_scale_limit_rate_t *rate, uint64_t time,
    uint64_t now, ngx_scale_limit_state_t *state);

/* the time of a key that has "remaining" left in "delay" ns */
uint64_t ngx_scale_limit_gcra_time(ngx_scale_limit_rate_t *rate, uint64_t now,
    uint64_t delay, ngx_uint_t remaining);


/*
 * table.c: the times of many keys, by their hash, for all workers of a node.
 * Nothing is locked: a word is changed by compare-and-set, so a worker that is
 * killed anywhere holds up nobody.  A key that finds no room takes that of the
 * one which has been quiet for the longest of its neighbours.
 *
 * format() makes "size" bytes an empty table; NGX_ERROR: they are too few.
 */
ngx_int_t ngx_scale_limit_format(void *memory, size_t size);

ngx_int_t ngx_scale_limit_take(ngx_scale_limit_table_t *table, uint64_t hash,
    ngx_scale_limit_rate_t *rate, uint64_t now);

/* what was taken is not used after all */
void ngx_scale_limit_return(ngx_scale_limit_table_t *table, uint64_t hash,
    ngx_scale_limit_rate_t *rate);

/* the key's time is "time" at least */
void ngx_scale_limit_raise(ngx_scale_limit_table_t *table, uint64_t hash,
    uint64_t time, uint64_t now);

void ngx_scale_limit_state(ngx_scale_limit_table_t *table, uint64_t hash,
    ngx_scale_limit_rate_t *rate, uint64_t now,
    ngx_scale_limit_state_t *state);


/* window.c: in ms; "number" is the same for all nodes at one time */

typedef struct {
    uint64_t          number;
    uint64_t          length;
    uint64_t          elapsed;
    uint64_t          limit;
} ngx_scale_limit_window_t;

/* the window of "now", ms since 1970 */
void ngx_scale_limit_window(ngx_scale_limit_rate_t *rate, uint64_t now,
    ngx_scale_limit_window_t *window);

/*
 * "before" were counted in the window before, "counted" in this one, the one in
 * question among them.  NGX_OK: it is admitted, "remaining" are left;
 * NGX_DECLINED: there is room for one in "wait" ms.
 */
ngx_int_t ngx_scale_limit_window_judge(ngx_scale_limit_window_t *window,
    uint64_t before, uint64_t counted, ngx_uint_t *remaining, uint64_t *wait);


#endif /* _NGX_SCALE_LIMIT_H_INCLUDED_ */
