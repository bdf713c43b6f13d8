#include <stdio.h>
#include <string.h>
#include "load.h"


static void load_report_status(const load_result_t *result);
static void load_report_cache(const load_result_t *result);
static void load_report_latency(const char *name, const load_histogram_t *h);


/* one JSON object, on a line */

void
load_report(const load_options_t *options, const load_result_t *result)
{
    load_histogram_t  both;

    memset(&both, 0, sizeof(both));
    load_histogram_merge(&both, &result->reads);
    load_histogram_merge(&both, &result->writes);

    printf("{\"requests\":%lu,\"seconds\":%.3f,\"rate\":%.1f,\"wanted\":%.1f,"
           "\"errors\":%lu,\"unanswered\":%lu,\"sampled\":%lu,\"wrong\":%lu,"
           "\"bytes\":%lu,\"all\":%lu,\"elapsed\":%.3f,\"cpu\":%.3f",
           both.n, options->seconds, result->in_time / options->seconds,
           options->rate, result->errors, result->unanswered, result->sampled,
           result->wrong, result->bytes, result->all, result->elapsed,
           result->cpu);

    load_report_status(result);
    load_report_cache(result);
    load_report_latency("latency_us", &both);
    load_report_latency("reads", &result->reads);
    load_report_latency("writes", &result->writes);

    printf("}\n");
}


static void
load_report_status(const load_result_t *result)
{
    unsigned     i;
    const char  *comma;

    printf(",\"status\":{");
    comma = "";

    for (i = 0; i < sizeof(result->status) / sizeof(result->status[0]); i++) {
        if (result->status[i]) {
            printf("%s\"%u\":%lu", comma, i, result->status[i]);
            comma = ",";
        }
    }

    printf("}");
}


static void
load_report_cache(const load_result_t *result)
{
    unsigned     i;
    const char  *comma;

    printf(",\"cache\":{");
    comma = "";

    for (i = 0; i < LOAD_CACHES && result->cache[i].n; i++) {
        printf("%s\"%s\":%lu", comma, result->cache[i].name,
               result->cache[i].n);
        comma = ",";
    }

    printf("}");
}


static void
load_report_latency(const char *name, const load_histogram_t *h)
{
    unsigned  i;

    static const struct {
        const char  *name;
        double       share;
    } percentiles[] = {
        { "p50", 0.5 }, { "p90", 0.9 }, { "p99", 0.99 }, { "p999", 0.999 }
    };

    printf(",\"%s\":{\"n\":%lu", name, h->n);

    for (i = 0; i < sizeof(percentiles) / sizeof(percentiles[0]); i++) {
        printf(",\"%s\":%.1f", percentiles[i].name,
               load_histogram_value(h, percentiles[i].share) / 1e3);
    }

    printf(",\"max\":%.1f}", h->max / 1e3);
}
