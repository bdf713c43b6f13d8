#define _GNU_SOURCE
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "load_run.h"


#define LOAD_EVENTS       256
#define LOAD_CONNECT_TIME (20 * LOAD_SECOND)

/* what was due before the end may still be answered for so long */
#define LOAD_GRACE        (5 * LOAD_SECOND)


static int load_init(load_t *load);
static int load_resolve(load_t *load, const char *address);
static int load_unix(load_t *load, const char *path);
static int load_connect_all(load_t *load);
static void load_start(load_t *load);
static void load_loop(load_t *load);
static int load_finished(load_t *load, uint64_t now);
static uint64_t load_pause(load_t *load, uint64_t now);
static void load_wait(load_t *load, uint64_t pause);
static double load_cpu(void);
static void load_free(load_t *load);


/* yields -1 if there is no way to the server */

int
load_run(const load_options_t *options, load_result_t *result)
{
    int      rc;
    double   cpu;
    load_t  *load;

    load = calloc(1, sizeof(load_t));

    if (load == NULL) {
        return -1;
    }

    load->options = options;
    load->result = result;

    rc = load_init(load);

    if (rc == 0) {
        rc = load_connect_all(load);
    }

    if (rc == 0) {
        cpu = load_cpu();
        load_start(load);
        load_loop(load);
        result->cpu = load_cpu() - cpu;
    }

    load_free(load);

    return rc;
}


static int
load_init(load_t *load)
{
    size_t          size, writes;
    unsigned        i, n;
    struct rlimit   limit;

    n = load->options->connections;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &limit);
    }

    /* else the kernel adds 50 us to each pause of an open loop */

    (void) prctl(PR_SET_TIMERSLACK, 1);

    size = load_request_size(&load->options->reads);
    writes = load_request_size(&load->options->changes);
    size = size > writes ? size : writes;

    load->keys = load->options->keys;
    load->random = load->options->seed;
    load->closed_tail = &load->closed;
    load->epoll = epoll_create1(0);
    load->connections = calloc(n, sizeof(load_connection_t));
    load->idle.slot = calloc(n, sizeof(load_connection_t *));
    load->idle.size = n;

    if (load->epoll == -1 || !load->connections || !load->idle.slot) {
        return -1;
    }

    for (i = 0; i < n; i++) {
        load->connections[i].fd = -1;
        load->connections[i].out = malloc(size);

        if (load->connections[i].out == NULL) {
            return -1;
        }

        load_close(load, &load->connections[i]);
        load->connections[i].retry = 0;
    }

    return load_resolve(load, load->options->address);
}


static int
load_resolve(load_t *load, const char *address)
{
    int               rc;
    char             *host, *port;
    struct addrinfo   hints, *info;

    if (strncmp(address, "unix:", 5) == 0) {
        return load_unix(load, address + 5);
    }

    host = strdup(address);
    port = host ? strrchr(host, ':') : NULL;

    if (port == NULL) {
        fprintf(stderr, "\"%s\" is neither host:port nor unix:path\n", address);
        return -1;
    }

    *port++ = '\0';
    memset(&hints, 0, sizeof(hints));
    hints.ai_socktype = SOCK_STREAM;

    rc = getaddrinfo(host, port, &hints, &info);
    free(host);

    if (rc != 0) {
        fprintf(stderr, "%s: %s\n", address, gai_strerror(rc));
        return -1;
    }

    memcpy(&load->address, info->ai_addr, info->ai_addrlen);
    load->address_len = info->ai_addrlen;
    freeaddrinfo(info);

    return 0;
}


static int
load_unix(load_t *load, const char *path)
{
    struct sockaddr_un  *address;

    address = (struct sockaddr_un *) &load->address;

    if (strlen(path) >= sizeof(address->sun_path)) {
        fprintf(stderr, "%s is too long for a socket\n", path);
        return -1;
    }

    address->sun_family = AF_UNIX;
    strcpy(address->sun_path, path);
    load->address_len = sizeof(struct sockaddr_un);

    return 0;
}


static int
load_connect_all(load_t *load)
{
    uint64_t  deadline, now;

    deadline = load_now() + LOAD_CONNECT_TIME;

    while (load->open < load->options->connections) {
        now = load_now();

        if (now > deadline) {
            fprintf(stderr, "%s: %u of %u connections: %s\n",
                    load->options->address, load->open,
                    load->options->connections, strerror(load->refused));
            return -1;
        }

        load_connect(load, now);
        load_wait(load, LOAD_RETRY);
    }

    load->result->errors = 0;

    return 0;
}


static void
load_start(load_t *load)
{
    unsigned               i;
    const load_options_t  *options;

    options = load->options;

    load->start = load_now();
    load->measured = load->start + options->warm * LOAD_SECOND;
    load->end = load->measured + options->seconds * LOAD_SECOND;
    load->total = options->rate * (options->warm + options->seconds);

    if (options->rate == 0) {
        for (i = 0; i < options->connections; i++) {
            load_begin(load, &load->connections[i], load->start);
        }
    }
}


static void
load_loop(load_t *load)
{
    uint64_t  now;

    for ( ;; ) {
        now = load_now();

        if (load_finished(load, now)) {
            break;
        }

        load_connect(load, now);
        load_dispatch(load, now);
        load_wait(load, load_pause(load, load_now()));
    }

    load_count_unanswered(load, now);
    load->result->elapsed = (double) (now - load->start) / LOAD_SECOND;
}


static int
load_finished(load_t *load, uint64_t now)
{
    if (now < load->end) {
        return 0;
    }

    return load->options->rate == 0
           || (load->busy == 0 && load->sent == load->total)
           || now >= load->end + LOAD_GRACE;
}


/* when request i of an open loop is to be sent; the schedule never slips */

uint64_t
load_due(const load_t *load, uint64_t i)
{
    return load->start + i * (LOAD_SECOND / load->options->rate);
}


static uint64_t
load_pause(load_t *load, uint64_t now)
{
    uint64_t  next;

    next = now < load->end ? load->end : now + LOAD_RETRY;

    if (load->closed && load->connecting < LOAD_CONNECTING
        && next > load->closed->retry)
    {
        next = load->closed->retry;
    }

    if (load->sent < load->total && load->idle.n
        && next > load_due(load, load->sent))
    {
        next = load_due(load, load->sent);
    }

    return next > now ? next - now : 0;
}


static void
load_wait(load_t *load, uint64_t pause)
{
    int                 i, n;
    struct timespec     time;
    struct epoll_event  events[LOAD_EVENTS];

    time.tv_sec = pause / LOAD_SECOND;
    time.tv_nsec = pause % LOAD_SECOND;

    n = epoll_pwait2(load->epoll, events, LOAD_EVENTS, &time, NULL);

    for (i = 0; i < n; i++) {
        load_on_event(load, events[i].data.ptr, events[i].events);
    }
}


uint64_t
load_now(void)
{
    struct timespec  now;

    (void) clock_gettime(CLOCK_MONOTONIC, &now);

    return now.tv_sec * LOAD_SECOND + now.tv_nsec;
}


static double
load_cpu(void)
{
    struct rusage  usage;

    (void) getrusage(RUSAGE_SELF, &usage);

    return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
           + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}


static void
load_free(load_t *load)
{
    unsigned  i;

    for (i = 0; load->connections && i < load->options->connections; i++) {
        if (load->connections[i].fd != -1) {
            close(load->connections[i].fd);
        }

        load_answer_free(&load->connections[i].answer);
        free(load->connections[i].out);
    }

    close(load->epoll);
    free(load->connections);
    free(load->idle.slot);
    free(load);
}
