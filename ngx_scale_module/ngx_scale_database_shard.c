
/* the blocks shard of a scale_database, and which keys are whose */

#include "ngx_scale_database.h"


/* what one block says */

typedef struct {
    ngx_scale_pg_conf_t          conf;       /* the first part */
    ngx_scale_database_t        *database;
    ngx_uint_t                   shard;
} ngx_scale_shard_block_t;


static char *ngx_scale_database_buckets(ngx_conf_t *cf,
    ngx_scale_block_directive_t *cmd, void *block);
static char *ngx_scale_database_range(ngx_conf_t *cf,
    ngx_scale_block_directive_t *cmd, void *block);
static ngx_int_t ngx_scale_database_interval(ngx_conf_t *cf, ngx_str_t *word,
    ngx_uint_t *first, ngx_uint_t *last);
static ngx_int_t ngx_scale_database_map(ngx_conf_t *cf,
    ngx_scale_database_t *database);
static ngx_int_t ngx_scale_database_shard_name(ngx_conf_t *cf,
    ngx_scale_database_t *database, ngx_str_t *name);
static char *ngx_scale_database_join(ngx_conf_t *cf,
    ngx_scale_database_t *database, ngx_scale_cluster_t *cluster);
static char *ngx_scale_database_servers(ngx_conf_t *cf,
    ngx_scale_cluster_t *cluster);
static char *ngx_scale_database_cover(ngx_conf_t *cf,
    ngx_scale_database_t *database);
static char *ngx_scale_database_cover_ranges(ngx_conf_t *cf,
    ngx_scale_database_t *database);


static ngx_scale_block_directive_t  ngx_scale_database_shard_block[] = {
    { ngx_string("server"), 1, 4, ngx_scale_database_server, 0 },
    { ngx_string("buckets"), 1, 32, ngx_scale_database_buckets, 0 },
    { ngx_string("range"), 2, 2, ngx_scale_database_range, 0 },
    { ngx_null_string, 0, 0, NULL, 0 }
};


char *
ngx_scale_database_shard(ngx_conf_t *cf, ngx_scale_block_directive_t *cmd,
    void *block)
{
    ngx_scale_database_t  *database = block;

    char                     *rv;
    ngx_str_t                 name;
    ngx_scale_cluster_t      *cluster;
    ngx_scale_shard_block_t   shard;

    if (database->clusters.nelts == NGX_SCALE_DATABASE_MAX_SHARDS) {
        return "is there more than 64 times";
    }

    if (ngx_scale_database_map(cf, database) != NGX_OK
        || ngx_scale_database_shard_name(cf, database, &name) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&shard, sizeof(ngx_scale_shard_block_t));

    shard.database = database;
    shard.shard = database->clusters.nelts;

    cluster = ngx_array_push(&database->clusters);

    if (cluster == NULL
        || ngx_array_init(&shard.conf.servers, cf->pool, 2,
                          sizeof(ngx_scale_pg_server_conf_t))
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(cluster, sizeof(ngx_scale_cluster_t));
    ngx_scale_conf_here(cf, &cluster->place);
    cluster->name = name;

    rv = ngx_scale_block_parse(cf, ngx_scale_database_shard_block, &shard);

    cluster->conf.servers = shard.conf.servers;

    return rv;
}


static ngx_int_t
ngx_scale_database_map(ngx_conf_t *cf, ngx_scale_database_t *database)
{
    if (database->map) {
        return NGX_OK;
    }

    database->map = ngx_palloc(cf->pool, sizeof(ngx_scale_shard_map_t));

    return database->map ? ngx_scale_shard_map_init(cf->pool, database->map)
                         : NGX_ERROR;
}


/* cookies and the log have it: as written, or its number */

static ngx_int_t
ngx_scale_database_shard_name(ngx_conf_t *cf, ngx_scale_database_t *database,
    ngx_str_t *name)
{
    u_char               *p;
    ngx_str_t            *word;
    ngx_uint_t            i;
    ngx_scale_cluster_t  *cluster;

    word = cf->args->elts;

    if (cf->args->nelts == 2) {
        *name = word[1];

    } else {
        p = ngx_pnalloc(cf->pool, NGX_INT_T_LEN);
        if (p == NULL) {
            return NGX_ERROR;
        }

        name->data = p;
        name->len = ngx_sprintf(p, "%ui", database->clusters.nelts + 1) - p;
    }

    for (i = 0; i < name->len; i++) {
        if (!ngx_scale_conf_is_name(name->data[i])) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" cannot name a shard; a name has "
                               "letters, digits, \"_\", \"-\" and \".\"",
                               name);
            return NGX_ERROR;
        }
    }

    cluster = database->clusters.elts;

    for (i = 0; i < database->clusters.nelts; i++) {
        if (ngx_scale_same(&cluster[i].name, name)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "shard \"%V\" has the name of another; give "
                               "each a name, or none", name);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* buckets 7 100-199 ... */

static char *
ngx_scale_database_buckets(ngx_conf_t *cf, ngx_scale_block_directive_t *cmd,
    void *block)
{
    ngx_scale_shard_block_t  *shard = block;

    ngx_str_t              *word;
    ngx_uint_t              i, first, last, taken;
    ngx_scale_cluster_t    *cluster;
    ngx_scale_shard_map_t  *map;

    word = cf->args->elts;
    map = shard->database->map;
    cluster = shard->database->clusters.elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_scale_database_interval(cf, &word[i], &first, &last)
            != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }

        if (ngx_scale_shard_map_give(map, first, last, shard->shard, &taken)
            == NGX_OK)
        {
            continue;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "bucket %ui is of shard \"%V\" already; leave it "
                           "to one of them", taken,
                           &cluster[map->owners[taken]].name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_scale_database_interval(ngx_conf_t *cf, ngx_str_t *word,
    ngx_uint_t *first, ngx_uint_t *last)
{
    if (ngx_scale_shard_interval(word, first, last) == NGX_OK) {
        return NGX_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "\"%V\" names no buckets; write a number of 0 to %d, "
                       "or two such as 0-511", word,
                       NGX_SCALE_SHARD_BUCKETS - 1);

    return NGX_ERROR;
}


/* range from to: "" is an open end */

static char *
ngx_scale_database_range(ngx_conf_t *cf, ngx_scale_block_directive_t *cmd,
    void *block)
{
    ngx_scale_shard_block_t  *shard = block;

    ngx_str_t                *word;
    ngx_scale_shard_range_t  *range;

    word = cf->args->elts;

    range = ngx_array_push(&shard->database->map->ranges);
    if (range == NULL) {
        return NGX_CONF_ERROR;
    }

    range->from = word[1];
    range->to = word[2];
    range->shard = shard->shard;

    if (range->to.len && ngx_memn2cmp(range->from.data, range->to.data,
                                      range->from.len, range->to.len) >= 0)
    {
        return "takes the first text it holds and the first one it does not, "
               "such as \"range A N;\"; \"\" is an open end";
    }

    return NGX_CONF_OK;
}


/* frozen buckets 7 100-199 ..., or frozen range from to */

char *
ngx_scale_database_frozen(ngx_conf_t *cf, ngx_scale_block_directive_t *cmd,
    void *block)
{
    ngx_scale_database_t  *database = block;

    ngx_str_t                *word;
    ngx_uint_t                i, first, last;
    ngx_scale_shard_range_t  *range;

    word = cf->args->elts;

    if (ngx_scale_database_map(cf, database) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    if (ngx_strcmp(word[1].data, "range") == 0 && cf->args->nelts == 4) {
        range = ngx_array_push(&database->map->frozen_ranges);
        if (range == NULL) {
            return NGX_CONF_ERROR;
        }

        range->from = word[2];
        range->to = word[3];

        return NGX_CONF_OK;
    }

    if (ngx_strcmp(word[1].data, "buckets") != 0) {
        return "takes what a shard holds, such as \"frozen buckets 0-99;\" or "
               "\"frozen range A N;\"";
    }

    for (i = 2; i < cf->args->nelts; i++) {

        if (ngx_scale_database_interval(cf, &word[i], &first, &last)
            != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }

        ngx_memset(database->map->frozen + first, 1, last - first + 1);
    }

    return NGX_CONF_OK;
}


char *
ngx_scale_database_clusters(ngx_conf_t *cf, ngx_scale_database_t *database)
{
    char                 *rv;
    ngx_uint_t            i;
    ngx_scale_cluster_t  *cluster;

    if (database->map == NULL) {
        cluster = ngx_array_push(&database->clusters);
        if (cluster == NULL) {
            return NGX_CONF_ERROR;
        }

        ngx_memzero(cluster, sizeof(ngx_scale_cluster_t));

        cluster->conf = database->conf;
        cluster->place = database->place;

        return ngx_scale_database_servers(cf, cluster);
    }

    if (database->clusters.nelts == 0 || database->conf.servers.nelts) {
        ngx_scale_conf_error(cf, &database->place,
                             "database \"%V\" has %s; write each \"server\" "
                             "into a \"shard\" block",
                             &database->conf.name,
                             database->clusters.nelts
                             ? "servers beside its shards"
                             : "\"frozen\" and no shards");
        return NGX_CONF_ERROR;
    }

    cluster = database->clusters.elts;

    for (i = 0; i < database->clusters.nelts; i++) {
        rv = ngx_scale_database_join(cf, database, &cluster[i]);
        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return ngx_scale_database_cover(cf, database);
}


/* a shard is as its database, but for its servers */

static char *
ngx_scale_database_join(ngx_conf_t *cf, ngx_scale_database_t *database,
    ngx_scale_cluster_t *cluster)
{
    u_char       *p;
    ngx_array_t   servers;

    servers = cluster->conf.servers;
    cluster->conf = database->conf;
    cluster->conf.servers = servers;

    p = ngx_pnalloc(cf->pool, database->conf.name.len + 1
                              + cluster->name.len);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    cluster->conf.name.data = p;

    p = ngx_cpymem(p, database->conf.name.data, database->conf.name.len);
    *p++ = '/';
    p = ngx_cpymem(p, cluster->name.data, cluster->name.len);

    cluster->conf.name.len = p - cluster->conf.name.data;

    return ngx_scale_database_servers(cf, cluster);
}


static char *
ngx_scale_database_servers(ngx_conf_t *cf, ngx_scale_cluster_t *cluster)
{
    if (cluster->conf.servers.nelts == 0) {
        ngx_scale_conf_error(cf, &cluster->place,
                             "%s \"%V\" has no \"server\"; write "
                             "\"server host:port\"",
                             cluster->name.len ? "shard" : "database",
                             &cluster->conf.name);
        return NGX_CONF_ERROR;
    }

    if (cluster->conf.servers.nelts > NGX_SCALE_PG_MAX_SERVERS) {
        ngx_scale_conf_error(cf, &cluster->place,
                             "%s \"%V\" has more than %d servers",
                             cluster->name.len ? "shard" : "database",
                             &cluster->conf.name, NGX_SCALE_PG_MAX_SERVERS);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* each key has one shard */

static char *
ngx_scale_database_cover(ngx_conf_t *cf, ngx_scale_database_t *database)
{
    ngx_uint_t              first, last, none;
    ngx_scale_shard_map_t  *map;

    map = database->map;

    if (ngx_scale_shard_map_gap(map, &first, &last) != NGX_OK) {
        none = 0;

    } else if (map->ranges.nelts) {
        none = last - first + 1 == NGX_SCALE_SHARD_BUCKETS;

    } else {
        ngx_scale_conf_error(cf, &database->place,
                             "buckets %ui-%ui of database \"%V\" have no "
                             "shard; give them to one", first, last,
                             &database->conf.name);
        return NGX_CONF_ERROR;
    }

    if (map->ranges.nelts
        ? !none || ngx_strlchr(map->frozen,
                               map->frozen + NGX_SCALE_SHARD_BUCKETS, 1)
        : map->frozen_ranges.nelts)
    {
        ngx_scale_conf_error(cf, &database->place,
                             "database \"%V\" has both \"buckets\" and "
                             "\"range\"; leave one kind",
                             &database->conf.name);
        return NGX_CONF_ERROR;
    }

    return map->ranges.nelts ? ngx_scale_database_cover_ranges(cf, database)
                             : NGX_CONF_OK;
}


static char *
ngx_scale_database_cover_ranges(ngx_conf_t *cf,
    ngx_scale_database_t *database)
{
    ngx_str_t  from, to;

    switch (ngx_scale_shard_map_sort(database->map, &from, &to)) {

    case NGX_OK:
        return NGX_CONF_OK;

    case NGX_BUSY:
        ngx_scale_conf_error(cf, &database->place,
                             "key \"%V\" of database \"%V\" is in two "
                             "ranges; leave it to one of them", &from,
                             &database->conf.name);
        return NGX_CONF_ERROR;

    default:
        ngx_scale_conf_error(cf, &database->place,
                             "keys of database \"%V\" from \"%V\" to "
                             "\"%V\" are in no range; give them to a shard",
                             &database->conf.name, &from, &to);
        return NGX_CONF_ERROR;
    }
}
