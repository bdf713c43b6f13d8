#include <string.h>
#include "load_run.h"


static void load_compare(load_t *load, load_connection_t *c);
static void load_count_cache(load_result_t *result, const char *name);


/*
 * An open loop measures what was due in its time, a closed one what was
 * answered in it.
 */

void
load_count(load_t *load, load_connection_t *c, uint64_t now)
{
    uint64_t        when;
    load_result_t  *result;

    result = load->result;
    result->all++;

    if (c->answer.keep && c->answer.status < 300) {
        load_compare(load, c);
    }

    when = load->options->rate == 0 ? now : c->due;

    if (when < load->measured) {
        return;
    }

    if (now < load->end) {
        result->in_time++;
    }

    result->status[c->answer.status]++;

    if (c->answer.cache[0]) {
        load_count_cache(result, c->answer.cache);
    }

    load_histogram_add(c->write ? &result->writes : &result->reads,
                       now - c->due);
}


static void
load_compare(load_t *load, load_connection_t *c)
{
    char                text[4096];
    const load_text_t  *expected;

    expected = &load->options->expected;
    load->result->sampled++;

    if (load_text_len(expected, c->key) < sizeof(text)) {
        *load_text_copy(text, expected, c->key) = '\0';

        if (c->answer.body_len && strstr(c->answer.body, text)) {
            return;
        }
    }

    load->result->wrong++;
}


/* names beyond the table count as its last one */

static void
load_count_cache(load_result_t *result, const char *name)
{
    unsigned  i;

    for (i = 0; i < LOAD_CACHES - 1; i++) {
        if (result->cache[i].n == 0) {
            strcpy(result->cache[i].name, name);
            break;
        }

        if (strcmp(result->cache[i].name, name) == 0) {
            break;
        }
    }

    result->cache[i].n++;
}


/* They have waited at least until now. */

void
load_count_unanswered(load_t *load, uint64_t now)
{
    uint64_t            i;
    load_result_t      *result;
    load_connection_t  *c;

    if (load->options->rate == 0) {
        return;
    }

    result = load->result;

    for (i = 0; i < load->options->connections; i++) {
        c = &load->connections[i];

        if (c->state == LOAD_BUSY) {
            result->unanswered++;
            load_histogram_add(c->write ? &result->writes : &result->reads,
                               now - c->due);
        }
    }

    for (i = load->sent; i < load->total; i++) {
        result->unanswered++;
        load_histogram_add(&result->reads, now - load_due(load, i));
    }
}
