#ifndef _NGX_SCALE_LOAD_RUN_H_INCLUDED_
#define _NGX_SCALE_LOAD_RUN_H_INCLUDED_


#include <sys/socket.h>
#include "load.h"


#define LOAD_BUFFER       65536

/* a connection that failed is tried again after it */
#define LOAD_RETRY        (10 * LOAD_MS)

/* so many handshakes at a time: fewer than a listen queue holds */
#define LOAD_CONNECTING   128


typedef struct load_connection_s  load_connection_t;

typedef enum {
    LOAD_CLOSED,
    LOAD_CONNECTS,
    LOAD_IDLE,
    LOAD_BUSY
} load_state_t;

struct load_connection_s {
    int                      fd;
    load_state_t             state;
    unsigned                 queued:1;
    unsigned                 write:1;
    uint64_t                 key;
    uint64_t                 due;
    uint64_t                 retry;
    size_t                   out_len;
    size_t                   out_sent;
    char                    *out;
    load_connection_t       *next;      /* of the closed ones */
    load_answer_t            answer;
};

typedef struct {
    load_connection_t      **slot;
    unsigned                 size;
    unsigned                 first;
    unsigned                 n;
} load_queue_t;

typedef struct {
    const load_options_t    *options;
    load_result_t           *result;
    load_connection_t       *connections;
    load_connection_t       *closed;
    load_connection_t      **closed_tail;
    load_queue_t             idle;
    unsigned                 connecting;
    unsigned                 open;
    unsigned                 busy;
    int                      epoll;
    int                      refused;       /* errno of the last connect() */
    struct sockaddr_storage  address;
    socklen_t                address_len;
    load_keys_t              keys;
    uint64_t                 random;
    uint64_t                 start;         /* 0: not yet */
    uint64_t                 measured;
    uint64_t                 end;
    uint64_t                 total;         /* of an open loop */
    uint64_t                 sent;
    char                     buffer[LOAD_BUFFER];
} load_t;


/* opens those that are closed and whose time has come */

void load_connect(load_t *load, uint64_t now);
void load_close(load_t *load, load_connection_t *c);

/* sends what an open loop has due, and what a closed one begins with */

void load_dispatch(load_t *load, uint64_t now);
void load_begin(load_t *load, load_connection_t *c, uint64_t due);
uint64_t load_due(const load_t *load, uint64_t i);

void load_on_event(load_t *load, load_connection_t *c, uint32_t events);

void load_count(load_t *load, load_connection_t *c, uint64_t now);
void load_count_unanswered(load_t *load, uint64_t now);


#endif /* _NGX_SCALE_LOAD_RUN_H_INCLUDED_ */
