/*
 * load [options] host:port|unix:path '/path/%d' ['/path/of/writes/%d']
 *
 * Asks an HTTP/1.1 server over kept connections and prints one JSON object.
 * In a path, a body and an expected text %d is the key.
 *
 *     -c n        connections, 64
 *     -t seconds  how long it measures, 5
 *     -w seconds  before it measures, 0
 *     -r rate     an open loop: request i is due at start + i/rate, and its
 *                 latency counts from then on, whenever a connection is free
 *                 to send it.  Without it a closed loop: each connection sends
 *                 when it has its answer.
 *     -k n        keys 1 to n, 1
 *     -d name     their distribution: uniform, zipf:exponent, or turn: each one
 *                 in its turn
 *     -x seed     of the random numbers
 *     -p share    of writes, 0 to 1; a path of theirs goes with it
 *     -M method   of the writes, PATCH; where there are none, of all, GET
 *     -b body     of the same
 *     -e text     an answer to a read that holds it is right, or a refusal
 *     -s n        so many of 1000 answers are compared, 10
 *
 * "requests" and the latencies are of what was due (an open loop) or answered
 * (a closed one) in the measured time, "rate" of what was answered in it,
 * "all" of everything, the warm-up included.  What is not answered 5 s after
 * the end of an open loop is "unanswered", and its latency the time until
 * then.  "errors" are connections and answers that broke; a status is no error.
 * "cpu" is this program's own, in seconds.  Exits 1 if it cannot connect.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "load.h"


typedef struct {
    const char  *keys;
    const char  *distribution;
    const char  *expected;
    const char  *path;
    const char  *write_path;
} load_arguments_t;


static int load_arguments(int argc, char *const *argv, load_options_t *options,
    load_arguments_t *arguments);
static int load_prepare(load_options_t *options, load_arguments_t *arguments);
static int load_usage(void);


int
main(int argc, char *const *argv)
{
    load_options_t    options = { .connections = 64, .seconds = 5,
                                  .sample = 10, .seed = 1 };
    load_arguments_t  arguments = { .keys = "1", .distribution = "uniform" };

    static load_result_t  result;

    if (load_arguments(argc, argv, &options, &arguments) == -1
        || load_prepare(&options, &arguments) == -1)
    {
        return load_usage();
    }

    if (load_run(&options, &result) == -1) {
        return 1;
    }

    load_report(&options, &result);

    return 0;
}


static int
load_arguments(int argc, char *const *argv, load_options_t *options,
    load_arguments_t *arguments)
{
    int  c;

    while ((c = getopt(argc, argv, "c:t:w:r:k:d:x:p:M:b:s:e:")) != -1) {

        switch (c) {
        case 'c': options->connections = atoi(optarg);            break;
        case 't': options->seconds = atof(optarg);                break;
        case 'w': options->warm = atof(optarg);                   break;
        case 'r': options->rate = atof(optarg);                   break;
        case 'p': options->writes = atof(optarg);                 break;
        case 's': options->sample = atoi(optarg);                 break;
        case 'x': options->seed = strtoull(optarg, NULL, 10);     break;
        case 'M': options->method = optarg;                       break;
        case 'b': options->body = optarg;                         break;
        case 'k': arguments->keys = optarg;                       break;
        case 'd': arguments->distribution = optarg;               break;
        case 'e': arguments->expected = optarg;                   break;
        default:  return -1;
        }
    }

    if (argc - optind < 2 || argc - optind > 3) {
        return -1;
    }

    options->address = argv[optind];
    arguments->path = argv[optind + 1];
    arguments->write_path = argv[optind + 2];

    return options->connections > 0 && options->seconds > 0
           && options->rate >= 0 && options->warm >= 0
           && (options->writes == 0 || arguments->write_path) ? 0 : -1;
}


static int
load_prepare(load_options_t *options, load_arguments_t *arguments)
{
    int          rc;
    const char  *host, *method, *body;

    host = strncmp(options->address, "unix:", 5) == 0 ? "localhost"
                                                    : options->address;

    if (load_keys_init(&options->keys, strtoull(arguments->keys, NULL, 10),
                       arguments->distribution)
        == -1)
    {
        return -1;
    }

    if (arguments->expected) {
        load_text_init(&options->expected, arguments->expected);

    } else {
        options->sample = 0;
    }

    if (arguments->write_path == NULL) {
        method = options->method ? options->method : "GET";
        return load_request_init(&options->reads, method, arguments->path, host,
                                 options->body);
    }

    method = options->method ? options->method : "PATCH";
    body = options->body ? options->body : "";

    rc = load_request_init(&options->reads, "GET", arguments->path, host, NULL);

    return rc == 0 ? load_request_init(&options->changes, method,
                                       arguments->write_path, host, body)
                   : rc;
}


static int
load_usage(void)
{
    fprintf(stderr, "usage: load [-c connections] [-t seconds] [-w seconds] "
            "[-r rate]\n    [-k keys] [-d uniform|zipf:0.99|turn] [-x seed] "
            "[-p share of writes] [-M method]\n    [-b body] [-s permille] "
            "[-e expected] host:port|unix:path '/path/%%d'\n"
            "    ['/path/of/writes/%%d']\n");

    return 1;
}
