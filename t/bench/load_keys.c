#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "load.h"


static void load_keys_zipf_init(load_keys_t *keys);
static uint64_t load_keys_rank(const load_keys_t *keys, uint64_t *random);
static double load_keys_area(const load_keys_t *keys, double x);
static double load_keys_area_inverse(const load_keys_t *keys, double x);
static double load_keys_weight(const load_keys_t *keys, double x);
static uint64_t load_keys_gcd(uint64_t a, uint64_t b);


/* "uniform", "turn" or "zipf:0.99"; yields -1 for anything else */

int
load_keys_init(load_keys_t *keys, uint64_t n, const char *distribution)
{
    char  *end;

    /* the product in load_keys_next() has 64 bits */

    if (n == 0 || n > UINT32_MAX) {
        return -1;
    }

    memset(keys, 0, sizeof(load_keys_t));
    keys->n = n;

    keys->step = 2654435761ULL % n;

    while (load_keys_gcd(keys->step, n) != 1) {
        keys->step++;
    }

    keys->turns = strcmp(distribution, "turn") == 0;

    if (keys->turns || strcmp(distribution, "uniform") == 0) {
        return 0;
    }

    if (strncmp(distribution, "zipf:", 5) != 0) {
        return -1;
    }

    keys->exponent = strtod(distribution + 5, &end);

    if (*end != '\0' || keys->exponent <= 0 || keys->exponent == 1) {
        return -1;
    }

    load_keys_zipf_init(keys);

    return 0;
}


/*
 * Neighbouring ranks are far from each other, so that hot rows do not share
 * pages; each rank has a key of its own, as the step and n have no divisor in
 * common.
 */

uint64_t
load_keys_next(load_keys_t *keys, uint64_t *random)
{
    uint64_t  rank;

    if (keys->turns) {
        return keys->turn++ % keys->n + 1;
    }

    if (keys->exponent == 0) {
        rank = load_random(random) % keys->n;

    } else {
        rank = load_keys_rank(keys, random) - 1;
    }

    return rank * keys->step % keys->n + 1;
}


/*
 * Rejection-inversion, W. Hoermann and G. Derflinger, "Rejection-inversion to
 * generate variates from monotone discrete distributions", 1996: no table, and
 * the same time for each n.
 */

static void
load_keys_zipf_init(load_keys_t *keys)
{
    keys->first = load_keys_area(keys, 1.5) - 1;
    keys->last = load_keys_area(keys, keys->n + 0.5);
    keys->accept = 2 - load_keys_area_inverse(keys,
                           load_keys_area(keys, 2.5)
                           - load_keys_weight(keys, 2));
}


static uint64_t
load_keys_rank(const load_keys_t *keys, uint64_t *random)
{
    double  u, x, k;

    for ( ;; ) {
        u = keys->last + load_random_share(random) * (keys->first - keys->last);
        x = load_keys_area_inverse(keys, u);
        k = floor(x + 0.5);

        if (k < 1) {
            k = 1;

        } else if (k > keys->n) {
            k = keys->n;
        }

        if (k - x <= keys->accept
            || u >= load_keys_area(keys, k + 0.5) - load_keys_weight(keys, k))
        {
            return k;
        }
    }
}


static double
load_keys_area(const load_keys_t *keys, double x)
{
    double  power;

    power = 1 - keys->exponent;

    return expm1(power * log(x)) / power;
}


static double
load_keys_area_inverse(const load_keys_t *keys, double x)
{
    double  power, t;

    power = 1 - keys->exponent;
    t = x * power;

    return exp(log1p(t < -1 ? -1 : t) / power);
}


static double
load_keys_weight(const load_keys_t *keys, double x)
{
    return exp(-keys->exponent * log(x));
}


static uint64_t
load_keys_gcd(uint64_t a, uint64_t b)
{
    uint64_t  rest;

    while (b != 0) {
        rest = a % b;
        a = b;
        b = rest;
    }

    return a;
}


/* splitmix64 */

uint64_t
load_random(uint64_t *random)
{
    uint64_t  z;

    z = *random += 0x9e3779b97f4a7c15ULL;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebULL;

    return z ^ z >> 31;
}


/* from 0 to below 1 */

double
load_random_share(uint64_t *random)
{
    return (load_random(random) >> 11) * 0x1p-53;
}
