
/*
 * The names of the members of all objects that are open, to find one that is
 * given twice.
 *
 * Names of an inner object lie above those of the outer ones and go when it
 * ends, so an object's names are the entries from its "base" up.  A bucket's
 * chain runs from the youngest entry to the oldest: a search ends at "base",
 * and an entry to be removed is always the first of its chain.  Memory is
 * linear in the number of members open at once.
 *
 * The hash is SipHash-1-3 (Aumasson and Bernstein, 2012): without the key
 * nobody can make names that meet in one bucket, as is possible with hashes
 * that are merely seeded.
 */

#include "json/members.h"


#define NGX_SCALE_JSON_NONE  NGX_MAX_UINT32_VALUE

#define ngx_scale_json_rotl(x, b)  ((x) << (b) | (x) >> (64 - (b)))


static ngx_int_t ngx_scale_json_names_grow(ngx_scale_json_names_t *names);
static uint32_t ngx_scale_json_hash(ngx_scale_json_names_t *names,
    ngx_str_t *name);
static uint64_t ngx_scale_json_load(u_char *p, size_t len);
static void ngx_scale_json_round(uint64_t *v);


void
ngx_scale_json_names_init(ngx_scale_json_names_t *names, ngx_pool_t *pool,
    uint32_t seed)
{
    names->pool = pool;
    names->key[0] = seed;
    names->key[1] = ~(uint64_t) seed << 32 | seed;
    names->entries = names->few;
    names->buckets = names->few_buckets;
    names->size = NGX_SCALE_JSON_FEW;
    names->n = 0;

    ngx_memset(names->few_buckets, 0xff, sizeof(names->few_buckets));
}


void
ngx_scale_json_names_done(ngx_scale_json_names_t *names)
{
    if (names->entries != names->few) {
        ngx_pfree(names->pool, names->entries);
        ngx_pfree(names->pool, names->buckets);
    }
}


ngx_int_t
ngx_scale_json_names_add(ngx_scale_json_names_t *names, uint32_t base,
    ngx_str_t *name)
{
    uint32_t                hash, i, *bucket;
    ngx_scale_json_name_t  *entry;

    hash = ngx_scale_json_hash(names, name);
    i = names->buckets[hash & (names->size - 1)];

    for ( /* void */ ; i != NGX_SCALE_JSON_NONE && i >= base; i = entry->next) {
        entry = &names->entries[i];

        if (entry->hash == hash
            && entry->name.len == name->len
            && ngx_memcmp(entry->name.data, name->data, name->len) == 0)
        {
            return NGX_DECLINED;
        }
    }

    if (names->n == names->size
        && ngx_scale_json_names_grow(names) != NGX_OK)
    {
        return NGX_ERROR;
    }

    bucket = &names->buckets[hash & (names->size - 1)];
    entry = &names->entries[names->n];

    entry->name = *name;
    entry->hash = hash;
    entry->next = *bucket;
    *bucket = names->n++;

    return NGX_OK;
}


void
ngx_scale_json_names_drop(ngx_scale_json_names_t *names, uint32_t base)
{
    ngx_scale_json_name_t  *entry;

    while (names->n > base) {
        entry = &names->entries[--names->n];
        names->buckets[entry->hash & (names->size - 1)] = entry->next;
    }
}


static ngx_int_t
ngx_scale_json_names_grow(ngx_scale_json_names_t *names)
{
    uint32_t                i, size, *bucket, *buckets;
    ngx_scale_json_name_t  *entries;

    size = 4 * names->size;

    entries = ngx_palloc(names->pool, size * sizeof(ngx_scale_json_name_t));
    if (entries == NULL) {
        return NGX_ERROR;
    }

    buckets = ngx_palloc(names->pool, size * sizeof(uint32_t));
    if (buckets == NULL) {
        ngx_pfree(names->pool, entries);
        return NGX_ERROR;
    }

    ngx_memcpy(entries, names->entries,
               names->n * sizeof(ngx_scale_json_name_t));
    ngx_memset(buckets, 0xff, size * sizeof(uint32_t));

    for (i = 0; i < names->n; i++) {
        bucket = &buckets[entries[i].hash & (size - 1)];
        entries[i].next = *bucket;
        *bucket = i;
    }

    ngx_scale_json_names_done(names);

    names->entries = entries;
    names->buckets = buckets;
    names->size = size;

    return NGX_OK;
}


static uint32_t
ngx_scale_json_hash(ngx_scale_json_names_t *names, ngx_str_t *name)
{
    u_char    *p;
    size_t     left;
    uint64_t   v[4], word;

    v[0] = names->key[0] ^ 0x736f6d6570736575;
    v[1] = names->key[1] ^ 0x646f72616e646f6d;
    v[2] = names->key[0] ^ 0x6c7967656e657261;
    v[3] = names->key[1] ^ 0x7465646279746573;

    p = name->data;

    for (left = name->len; left >= 8; left -= 8, p += 8) {
        ngx_memcpy(&word, p, 8);
        v[3] ^= word;
        ngx_scale_json_round(v);
        v[0] ^= word;
    }

    word = (uint64_t) name->len << 56 | ngx_scale_json_load(p, left);
    v[3] ^= word;
    ngx_scale_json_round(v);
    v[0] ^= word;

    v[2] ^= 0xff;
    ngx_scale_json_round(v);
    ngx_scale_json_round(v);
    ngx_scale_json_round(v);

    word = v[0] ^ v[1] ^ v[2] ^ v[3];

    return (uint32_t) (word ^ word >> 32);
}


static uint64_t
ngx_scale_json_load(u_char *p, size_t len)
{
    uint64_t  word;

    word = 0;

    while (len) {
        word = word << 8 | p[--len];
    }

    return word;
}


static void
ngx_scale_json_round(uint64_t *v)
{
    v[0] += v[1];
    v[1] = ngx_scale_json_rotl(v[1], 13) ^ v[0];
    v[0] = ngx_scale_json_rotl(v[0], 32);
    v[2] += v[3];
    v[3] = ngx_scale_json_rotl(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = ngx_scale_json_rotl(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = ngx_scale_json_rotl(v[1], 17) ^ v[2];
    v[2] = ngx_scale_json_rotl(v[2], 32);
}
