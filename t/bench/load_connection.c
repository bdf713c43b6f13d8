#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "load_run.h"


static void load_send(load_connection_t *c);
static int load_socket(load_t *load, load_connection_t *c);
static void load_fail(load_t *load, load_connection_t *c);
static void load_idle(load_t *load, load_connection_t *c);
static void load_on_connect(load_t *load, load_connection_t *c);
static void load_on_readable(load_t *load, load_connection_t *c, int eof);
static void load_on_eof(load_t *load, load_connection_t *c);
static void load_on_answer(load_t *load, load_connection_t *c);


/* A connection that was closed while it stood in the queue is passed over. */

void
load_dispatch(load_t *load, uint64_t now)
{
    load_queue_t       *idle;
    load_connection_t  *c;

    idle = &load->idle;

    while (load->sent < load->total && idle->n
           && load_due(load, load->sent) <= now)
    {
        c = idle->slot[idle->first];
        idle->first = (idle->first + 1) % idle->size;
        idle->n--;
        c->queued = 0;

        if (c->state == LOAD_IDLE) {
            load_begin(load, c, load_due(load, load->sent));
        }
    }
}


void
load_begin(load_t *load, load_connection_t *c, uint64_t due)
{
    const load_options_t  *options;
    const load_request_t  *request;

    options = load->options;

    c->write = options->writes > 0
               && load_random_share(&load->random) < options->writes;
    c->key = load_keys_next(&load->keys, &load->random);
    c->due = due;
    c->state = LOAD_BUSY;

    request = c->write ? &options->changes : &options->reads;

    c->out_len = load_request_copy(c->out, request, c->key);
    c->out_sent = 0;

    load_answer_begin(&c->answer, request->headless,
                      !c->write && options->sample
                      && load_random(&load->random) % 1000 < options->sample);
    load->busy++;
    load->sent++;

    load_send(c);
}


/* A failure shows when the answer is read. */

static void
load_send(load_connection_t *c)
{
    ssize_t  n;

    while (c->out_sent < c->out_len) {
        n = send(c->fd, c->out + c->out_sent, c->out_len - c->out_sent,
                 MSG_NOSIGNAL);

        if (n == -1) {
            return;
        }

        c->out_sent += n;
    }
}


/* the closed ones whose time has come, in the order in which they closed */

void
load_connect(load_t *load, uint64_t now)
{
    load_connection_t  *c;

    while (load->closed && load->closed->retry <= now
           && load->connecting < LOAD_CONNECTING)
    {
        c = load->closed;
        load->closed = c->next;

        if (load->closed == NULL) {
            load->closed_tail = &load->closed;
        }

        c->state = LOAD_CONNECTS;
        load->connecting++;

        if (load_socket(load, c) == -1) {
            load->refused = errno;
            load_fail(load, c);
        }
    }
}


static int
load_socket(load_t *load, load_connection_t *c)
{
    int                 one;
    struct epoll_event  event;

    c->fd = socket(load->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);

    if (c->fd == -1) {
        return -1;
    }

    one = 1;
    (void) setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));

    if (connect(c->fd, (struct sockaddr *) &load->address, load->address_len)
            == -1
        && errno != EINPROGRESS)
    {
        return -1;
    }

    event.events = EPOLLIN|EPOLLOUT|EPOLLRDHUP|EPOLLET;
    event.data.ptr = c;

    return epoll_ctl(load->epoll, EPOLL_CTL_ADD, c->fd, &event);
}


void
load_close(load_t *load, load_connection_t *c)
{
    if (c->fd != -1) {
        close(c->fd);
        c->fd = -1;
    }

    if (c->state == LOAD_CONNECTS) {
        load->connecting--;

    } else if (c->state != LOAD_CLOSED) {
        load->open--;
    }

    if (c->state == LOAD_BUSY) {
        load->busy--;
    }

    c->state = LOAD_CLOSED;
    c->next = NULL;
    c->retry = 0;
    *load->closed_tail = c;
    load->closed_tail = &c->next;
}


static void
load_fail(load_t *load, load_connection_t *c)
{
    load->result->errors++;
    load_close(load, c);
    c->retry = load_now() + LOAD_RETRY;
}


/* it has nothing to do: a closed loop has, once it has begun */

static void
load_idle(load_t *load, load_connection_t *c)
{
    load_queue_t  *idle;

    c->state = LOAD_IDLE;

    if (load->options->rate == 0) {
        if (load->start) {
            load_begin(load, c, load_now());
        }

        return;
    }

    if (!c->queued) {
        idle = &load->idle;
        idle->slot[(idle->first + idle->n) % idle->size] = c;
        idle->n++;
        c->queued = 1;
    }
}


void
load_on_event(load_t *load, load_connection_t *c, uint32_t events)
{
    if (c->state == LOAD_CONNECTS) {
        load_on_connect(load, c);
        return;
    }

    if (c->state == LOAD_CLOSED) {
        return;
    }

    if (events & EPOLLOUT) {
        load_send(c);
    }

    if (events & (EPOLLIN|EPOLLRDHUP|EPOLLERR|EPOLLHUP)) {
        load_on_readable(load, c, events & (EPOLLRDHUP|EPOLLERR|EPOLLHUP));
    }
}


static void
load_on_connect(load_t *load, load_connection_t *c)
{
    int        error;
    socklen_t  len;

    error = 0;
    len = sizeof(error);
    (void) getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len);

    if (error) {
        load->refused = error;
        load_fail(load, c);
        return;
    }

    load->connecting--;
    load->open++;
    load_idle(load, c);
}


/*
 * Edge-triggered: what fills the buffer may have left more.  An answer may be
 * read and the next one begun in the same turn, but nothing of that is there
 * yet.
 */

static void
load_on_readable(load_t *load, load_connection_t *c, int eof)
{
    ssize_t    n;
    load_rc_t  rc;

    do {
        n = recv(c->fd, load->buffer, LOAD_BUFFER, 0);

        if (n == -1 && errno == EAGAIN) {
            return;
        }

        if (n <= 0) {
            load_on_eof(load, c);
            return;
        }

        load->result->bytes += n;

        rc = c->state == LOAD_BUSY
             ? load_answer_feed(&c->answer, load->buffer, load->buffer + n)
             : LOAD_BAD;

        if (rc == LOAD_BAD) {
            load_fail(load, c);
            return;
        }

        if (rc == LOAD_DONE) {
            load_on_answer(load, c);

            if (c->state == LOAD_CLOSED) {
                return;
            }
        }

    } while (n == LOAD_BUFFER || eof);
}


/* An idle connection may be closed by the server whenever it likes. */

static void
load_on_eof(load_t *load, load_connection_t *c)
{
    if (c->state == LOAD_IDLE) {
        load_close(load, c);
        return;
    }

    if (load_answer_eof(&c->answer) == LOAD_DONE) {
        c->answer.close = 1;
        load_on_answer(load, c);
        return;
    }

    load_fail(load, c);
}


static void
load_on_answer(load_t *load, load_connection_t *c)
{
    load_count(load, c, load_now());

    if (c->answer.close) {
        load_close(load, c);
        return;
    }

    load->busy--;
    load_idle(load, c);
}
