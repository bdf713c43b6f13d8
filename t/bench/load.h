#ifndef _NGX_SCALE_LOAD_H_INCLUDED_
#define _NGX_SCALE_LOAD_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>


/* Time is in nanoseconds throughout. */

#define LOAD_SECOND    1000000000ULL
#define LOAD_MS        1000000ULL


/*
 * How long things took.  Values in one range of two powers of two share
 * LOAD_SUB counters, so that a percentile is wrong by less than 1 %.
 */

#define LOAD_SUB_BITS  7
#define LOAD_SUB       (1 << LOAD_SUB_BITS)

typedef struct {
    uint64_t           count[(65 - LOAD_SUB_BITS) * LOAD_SUB];
    uint64_t           n;
    uint64_t           max;
} load_histogram_t;

void load_histogram_add(load_histogram_t *h, uint64_t value);
void load_histogram_merge(load_histogram_t *to, const load_histogram_t *from);
uint64_t load_histogram_value(const load_histogram_t *h, double share);


/* Which row is asked for: 1 to n.  The same rows are hot for every seed. */

typedef struct {
    uint64_t           n;
    uint64_t           step;
    uint64_t           turn;            /* of "turn": the last one's */
    int                turns;
    double             exponent;        /* 0: uniform */
    double             first;
    double             last;
    double             accept;
} load_keys_t;

int load_keys_init(load_keys_t *keys, uint64_t n, const char *distribution);
uint64_t load_keys_next(load_keys_t *keys, uint64_t *random);

uint64_t load_random(uint64_t *random);
double load_random_share(uint64_t *random);


/* A text that holds the key wherever it says %d. */

typedef struct {
    const char        *text;
    size_t             len;
    size_t             keys;
} load_text_t;

void load_text_init(load_text_t *t, const char *text);
size_t load_text_len(const load_text_t *t, uint64_t key);
char *load_text_copy(char *p, const load_text_t *t, uint64_t key);


/* A request, whole, for any key. */

typedef struct {
    load_text_t        head;
    load_text_t        body;
    int                has_body;
    int                headless;        /* the answer has no body: HEAD */
} load_request_t;

int load_request_init(load_request_t *r, const char *method, const char *path,
    const char *host, const char *body);
size_t load_request_size(const load_request_t *r);
size_t load_request_copy(char *p, const load_request_t *r, uint64_t key);


/*
 * An answer as it arrives.  The body is kept only where "keep" is set, and is
 * then a NUL-terminated string of its own; the memory is used again by the
 * next answer and is freed by load_answer_free().
 */

#define LOAD_HEAD_SIZE   8192
#define LOAD_CACHE_SIZE  16

typedef enum {
    LOAD_AGAIN,
    LOAD_DONE,
    LOAD_BAD
} load_rc_t;

typedef struct {
    int                state;
    int                status;
    int                close;
    int                headless;
    int                keep;
    int                chunked;
    uint64_t           left;
    size_t             head_len;
    size_t             body_len;
    size_t             body_size;
    char              *body;
    char               cache[LOAD_CACHE_SIZE];
    char               head[LOAD_HEAD_SIZE];
} load_answer_t;

void load_answer_begin(load_answer_t *a, int headless, int keep);
load_rc_t load_answer_feed(load_answer_t *a, char *p, char *last);
load_rc_t load_answer_eof(load_answer_t *a);
void load_answer_free(load_answer_t *a);


/* What is asked for, and what came of it. */

#define LOAD_CACHES    16

typedef struct {
    const char        *address;         /* host:port or unix:path */
    const char        *method;
    const char        *body;
    unsigned           connections;
    double             seconds;
    double             warm;
    double             rate;            /* 0: a closed loop */
    double             writes;          /* share */
    unsigned           sample;          /* permille */
    uint64_t           seed;
    load_keys_t        keys;
    load_text_t        expected;
    load_request_t     reads;
    load_request_t     changes;
} load_options_t;

typedef struct {
    char               name[LOAD_CACHE_SIZE];
    uint64_t           n;
} load_cache_t;

typedef struct {
    uint64_t           all;             /* answers, the warm-up's too */
    uint64_t           in_time;         /* before the end */
    uint64_t           errors;
    uint64_t           unanswered;
    uint64_t           sampled;
    uint64_t           wrong;
    uint64_t           bytes;
    double             elapsed;
    double             cpu;
    uint64_t           status[600];
    load_cache_t       cache[LOAD_CACHES];
    load_histogram_t   reads;
    load_histogram_t   writes;
} load_result_t;

int load_run(const load_options_t *options, load_result_t *result);
void load_report(const load_options_t *options, const load_result_t *result);

uint64_t load_now(void);


#endif /* _NGX_SCALE_LOAD_H_INCLUDED_ */
