#include <math.h>
#include "load.h"


static size_t load_histogram_slot(uint64_t value);
static uint64_t load_histogram_middle(size_t slot);


void
load_histogram_add(load_histogram_t *h, uint64_t value)
{
    h->count[load_histogram_slot(value)]++;
    h->n++;

    if (value > h->max) {
        h->max = value;
    }
}


void
load_histogram_merge(load_histogram_t *to, const load_histogram_t *from)
{
    size_t  i;

    for (i = 0; i < sizeof(to->count) / sizeof(to->count[0]); i++) {
        to->count[i] += from->count[i];
    }

    to->n += from->n;

    if (from->max > to->max) {
        to->max = from->max;
    }
}


/* the value that this share of all values does not exceed */

uint64_t
load_histogram_value(const load_histogram_t *h, double share)
{
    size_t    i;
    uint64_t  seen, wanted, value;

    wanted = ceil(share * h->n);
    seen = 0;

    for (i = 0; i < sizeof(h->count) / sizeof(h->count[0]); i++) {
        seen += h->count[i];

        if (seen >= wanted && seen != 0) {
            value = load_histogram_middle(i);
            return value < h->max ? value : h->max;
        }
    }

    return h->max;
}


/* Values below LOAD_SUB have a slot each. */

static size_t
load_histogram_slot(uint64_t value)
{
    int  shift;

    if (value < LOAD_SUB) {
        return value;
    }

    shift = 63 - __builtin_clzll(value) - LOAD_SUB_BITS;

    return (size_t) shift * LOAD_SUB + (value >> shift);
}


static uint64_t
load_histogram_middle(size_t slot)
{
    int       shift;
    uint64_t  low;

    if (slot < LOAD_SUB) {
        return slot;
    }

    shift = slot / LOAD_SUB - 1;
    low = (uint64_t) (slot % LOAD_SUB + LOAD_SUB) << shift;

    return low + ((1ULL << shift) >> 1);
}
