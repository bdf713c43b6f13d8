
/*
 * The key and the tags of a cached location: they must hold whatever the
 * answer depends on.
 */

#include "ngx_scale_plan.h"
#include <ngx_murmurhash.h>


static char *ngx_scale_plan_default_key(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc, ngx_scale_method_t *get);
static ngx_int_t ngx_scale_plan_unscoped(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc, ngx_scale_key_t *tag);
static ngx_uint_t ngx_scale_plan_is_identity(ngx_scale_loc_conf_t *loc,
    ngx_scale_key_part_t *part);
static uint64_t ngx_scale_plan_hash(ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *get);
static uint64_t ngx_scale_plan_mix(uint64_t hash, u_char *data, size_t len);
static char *ngx_scale_plan_reach(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc);
static char *ngx_scale_plan_tags(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc);


char *
ngx_scale_plan_key(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *get)
{
    char               *rv;
    ngx_str_t          *name;
    ngx_uint_t          i, j;
    ngx_scale_query_t  *query;

    if (loc->key == NULL) {
        rv = ngx_scale_plan_default_key(cf, loc, get);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    loc->statement = ngx_scale_plan_hash(loc, get);

    for (i = 0; i < get->nqueries; i++) {
        query = get->queries[i];
        name = query->template.params.elts;

        for (j = 0; j < query->template.params.nelts; j++) {

            if (!ngx_scale_plan_holds(&loc->key->parts, &name[j])) {
                ngx_scale_conf_error(cf, &loc->key->place,
                                     "key \"%V\" lacks \":%V\", which the GET "
                                     "statement binds; add it to the key",
                                     &loc->key->text, &name[j]);
                return NGX_CONF_ERROR;
            }
        }
    }

    rv = ngx_scale_identity_plan_key(cf, loc, get);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    rv = ngx_scale_plan_reach(cf, loc);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    rv = ngx_scale_plan_use_parts(cf, loc, get, &loc->key->parts,
                                  &loc->key->place);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    rv = ngx_scale_plan_use_keys(cf, loc, get, loc->tags);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    return ngx_scale_plan_tags(cf, loc);
}


/* what makes the answer, beside the values of the parameters */

static uint64_t
ngx_scale_plan_hash(ngx_scale_loc_conf_t *loc, ngx_scale_method_t *get)
{
    uint64_t                   hash;
    ngx_uint_t                 i;
    ngx_scale_pg_statement_t  *statement;

    hash = ngx_scale_plan_mix(0, loc->database->conf.name.data,
                              loc->database->conf.name.len);

    for (i = 0; i < get->nqueries; i++) {
        statement = &get->queries[i]->statement;

        hash = ngx_scale_plan_mix(hash ^ get->queries[i]->shape,
                                  statement->sql.data, statement->sql.len);
        hash = ngx_scale_plan_mix(hash, (u_char *) statement->oids,
                                  statement->nparams * sizeof(ngx_uint_t));
        hash = ngx_scale_plan_mix(hash, get->queries[i]->type.data,
                                  get->queries[i]->type.len);
    }

    if (get->etag) {
        hash = ngx_scale_plan_mix(hash, get->etag->version.data,
                                  get->etag->version.len);
        hash = ngx_scale_plan_mix(hash, get->etag->modified.data,
                                  get->etag->modified.len);
    }

    return hash;
}


static uint64_t
ngx_scale_plan_mix(uint64_t hash, u_char *data, size_t len)
{
    return (hash << 7) ^ (hash >> 57)
           ^ ((uint64_t) ngx_murmur_hash2(data, len) << 32)
           ^ ngx_crc32_long(data, len);
}


/* an entry has one value of each tag */

static char *
ngx_scale_plan_tags(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc)
{
    ngx_uint_t             i, j;
    ngx_scale_key_t       *tag;
    ngx_scale_key_part_t  *part;

    tag = loc->tags ? loc->tags->elts : NULL;

    for (i = 0; loc->tags && i < loc->tags->nelts; i++) {
        part = tag[i].parts.elts;

        for (j = 0; j < tag[i].parts.nelts; j++) {

            if (part[j].name.len == 0
                || ngx_scale_plan_holds(&loc->key->parts, &part[j].name))
            {
                continue;
            }

            ngx_scale_conf_error(cf, &tag[i].place,
                                 "tag \"%V\" holds \":%V\", which the key "
                                 "lacks, so one entry would have several; add "
                                 "it to scale_cache_key", &tag[i].text,
                                 &part[j].name);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


/* the route's name and every parameter that GET binds */

static char *
ngx_scale_plan_default_key(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *get)
{
    ngx_uint_t             i;
    ngx_scale_key_t       *key;
    ngx_scale_declared_t  *declared;
    ngx_scale_key_part_t  *part;

    key = ngx_pcalloc(cf->pool, sizeof(ngx_scale_key_t));
    if (key == NULL
        || ngx_array_init(&key->parts, cf->pool, 2 * get->nparams + 1,
                          sizeof(ngx_scale_key_part_t))
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    loc->key = key;
    key->place = loc->place;
    key->text = loc->http.route;
    declared = loc->params ? loc->params->elts : NULL;

    part = ngx_array_push_n(&key->parts, 2 * get->nparams + 1);
    ngx_memzero(part, (2 * get->nparams + 1) * sizeof(ngx_scale_key_part_t));

    part[0].literal = loc->http.route;

    for (i = 0; i < get->nparams; i++) {
        ngx_str_set(&part[2 * i + 1].literal, ":");
        part[2 * i + 2].name = declared[get->params[i]].param.name;
    }

    return NGX_CONF_OK;
}


/*
 * What a write of the same row makes old: the entry, or the entries of all who
 * ask, which share a tag, the key without the parts that say who.
 */

static char *
ngx_scale_plan_reach(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc)
{
    ngx_uint_t             i;
    ngx_scale_key_t       *key, *tag;
    ngx_scale_key_part_t  *part;

    key = loc->key;
    loc->reach = key;

    part = key->parts.elts;

    for (i = 0; i < key->parts.nelts; i++) {
        if (ngx_scale_plan_is_identity(loc, &part[i])) {
            break;
        }
    }

    if (i == key->parts.nelts) {
        return NGX_CONF_OK;
    }

    if (loc->tags == NULL) {
        loc->tags = ngx_array_create(cf->pool, 1, sizeof(ngx_scale_key_t));
        if (loc->tags == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    if (loc->tags->nelts == NGX_SCALE_CACHE_MAX_TAGS) {
        ngx_scale_conf_error(cf, &key->place,
                             "route \"%V\" is private and has a tag for that; "
                             "with it there are more than %d, remove one",
                             &loc->http.route, NGX_SCALE_CACHE_MAX_TAGS);
        return NGX_CONF_ERROR;
    }

    loc->private = 1;
    loc->reach = ngx_pcalloc(cf->pool, sizeof(ngx_scale_key_t));
    tag = ngx_array_push(loc->tags);

    if (loc->reach == NULL || tag == NULL
        || ngx_scale_plan_unscoped(cf, loc, loc->reach) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    *tag = *loc->reach;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_scale_plan_unscoped(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_key_t *tag)
{
    ngx_uint_t             i;
    ngx_scale_key_part_t  *part, *own;

    tag->text = loc->key->text;
    tag->place = loc->key->place;
    tag->tag = 1;

    if (ngx_array_init(&tag->parts, cf->pool, loc->key->parts.nelts + 1,
                       sizeof(ngx_scale_key_part_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    own = ngx_array_push(&tag->parts);
    ngx_memzero(own, sizeof(ngx_scale_key_part_t));
    ngx_str_set(&own->literal, "all:");

    part = loc->key->parts.elts;

    for (i = 0; i < loc->key->parts.nelts; i++) {
        if (!ngx_scale_plan_is_identity(loc, &part[i])) {
            own = ngx_array_push(&tag->parts);
            *own = part[i];
        }
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_scale_plan_is_identity(ngx_scale_loc_conf_t *loc,
    ngx_scale_key_part_t *part)
{
    ngx_scale_declared_t  *declared;

    if (part->name.len == 0) {
        return 0;
    }

    declared = ngx_scale_conf_find_param(loc, &part->name);

    return declared && declared->identity;
}
