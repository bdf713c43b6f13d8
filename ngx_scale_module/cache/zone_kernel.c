
/* what only the kernel knows: the time of all processes, and chance */

#include "cache/zone.h"
#include <sys/random.h>


static void ngx_scale_zone_randoms(uint64_t *words, ngx_uint_t n);


uint64_t
ngx_scale_zone_now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


uint64_t
ngx_scale_zone_random(void)
{
    uint64_t  word;

    ngx_scale_zone_randoms(&word, 1);

    return word;
}


uint64_t
ngx_scale_zone_draw(ngx_scale_zone_chance_t *chance)
{
    if (chance->left == 0) {
        ngx_scale_zone_randoms(chance->words, NGX_SCALE_ZONE_CHANCE);
        chance->left = NGX_SCALE_ZONE_CHANCE;
    }

    return chance->words[--chance->left];
}


static void
ngx_scale_zone_randoms(uint64_t *words, ngx_uint_t n)
{
    ngx_uint_t  i;

    if (getrandom(words, n * sizeof(uint64_t), GRND_NONBLOCK)
        == (ssize_t) (n * sizeof(uint64_t)))
    {
        return;
    }

    for (i = 0; i < n; i++) {
        words[i] = (uint64_t) ngx_random() << 32 ^ (uint64_t) ngx_random()
                   ^ (uint64_t) ngx_pid << 48;
    }
}
