
/*
 * "ring database=": the statements of its keeper, and how the servers of
 * nginx.conf differ from those of the table.
 */

#include "ngx_scale_keeper.h"


static u_char *ngx_scale_keeper_difference(ngx_scale_cache_store_t *store,
    ngx_scale_view_t *view, u_char *p, u_char *last);


#define NGX_SCALE_KEEPER_TEXT  4096


char *
ngx_scale_keeper_conf(ngx_conf_t *cf, ngx_scale_main_conf_t *main,
    ngx_scale_cache_store_t *store)
{
    ngx_uint_t                  i;
    ngx_scale_database_t      **database;
    ngx_scale_pg_statement_t   *statement, **slot;

    static ngx_str_t  sql[NGX_SCALE_RING_NCALLS] = {
        ngx_string("SELECT * FROM scale.ring_refresh($1, $2, $3)"),
        ngx_string("SELECT scale.ring_eject($1, $2, $3, $4)"),
        ngx_string("SELECT scale.ring_readmit($1, $2, $3, $4)"),
        ngx_string("SELECT scale.ring_on($1, $2, $3, $4)"),
        ngx_string("SELECT scale.ring_renew($1, $2)")
    };

    static ngx_uint_t  nparams[NGX_SCALE_RING_NCALLS] = { 3, 4, 4, 4, 2 };
    static ngx_uint_t  inferred[4];

    if (!store->conf.shared) {
        return NGX_CONF_OK;
    }

    database = main->databases.elts;

    for (i = 0; i < main->databases.nelts; i++) {
        if (ngx_scale_same(&database[i]->conf.name, &store->ring)) {
            store->database = database[i];
        }
    }

    if (store->database == NULL) {
        ngx_scale_conf_error(cf, &store->place,
                             "cache \"%V\" has \"ring database=%V\", and "
                             "there is no such scale_database",
                             &store->conf.name, &store->ring);
        return NGX_CONF_ERROR;
    }

    if (store->database->map) {
        ngx_scale_conf_error(cf, &store->place,
                             "cache \"%V\" has \"ring database=%V\", which "
                             "has shards; the ring needs one of its own "
                             "without", &store->conf.name, &store->ring);
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < NGX_SCALE_RING_NCALLS; i++) {
        statement = &store->calls[i];

        statement->sql = sql[i];
        statement->nparams = nparams[i];
        statement->oids = inferred;
        statement->index = store->database->conf.statements->nelts;

        slot = ngx_array_push(store->database->conf.statements);
        if (slot == NULL) {
            return NGX_CONF_ERROR;
        }

        *slot = statement;
    }

    return NGX_CONF_OK;
}


/* the table wins; what nginx.conf has is said once, as statements */

void
ngx_scale_keeper_compare(ngx_scale_cache_store_t *store,
    ngx_scale_view_t *view, ngx_log_t *log)
{
    u_char                    *p, text[NGX_SCALE_KEEPER_TEXT];
    ngx_uint_t                 i, told;
    ngx_scale_cache_server_t  *server;

    server = store->conf.servers.elts;
    told = 1;

    for (i = 0; i < store->conf.servers.nelts; i++) {
        told = told * 31 + 2 * server[i].weight + server[i].gutter
               + ngx_crc32_short(server[i].name.data, server[i].name.len);
    }

    if (store->record->told == told) {
        return;
    }

    store->record->told = told;

    p = ngx_scale_keeper_difference(store, view, text, text + sizeof(text));

    if (p > text) {
        ngx_log_error((view->nnodes ? NGX_LOG_WARN : NGX_LOG_ERR), log, 0,
                      "cache \"%V\": its ring in database \"%V\" %s, and "
                      "counts; for the servers of nginx.conf run there: "
                      "SELECT%*s", &store->conf.name, &store->ring,
                      view->nnodes ? "has other servers than nginx.conf"
                                   : "is empty",
                      (size_t) (p - text - 1), text);
    }
}


static u_char *
ngx_scale_keeper_difference(ngx_scale_cache_store_t *store,
    ngx_scale_view_t *view, u_char *p, u_char *last)
{
    ngx_str_t                 *cache, name;
    ngx_uint_t                 i, j;
    ngx_scale_view_node_t     *node;
    ngx_scale_cache_server_t  *server;

    cache = &store->conf.name;
    server = store->conf.servers.elts;

    for (i = 0; i < store->conf.servers.nelts; i++, server++) {
        node = ngx_scale_view_find(view, server->name.data, server->name.len);

        if (node == NULL || node->role == NGX_SCALE_VIEW_PAST) {
            p = ngx_slprintf(p, last, " scale.ring_add('%V', '%V', %ui%s),",
                             cache, &server->name, server->weight,
                             server->gutter ? ", true" : "");

        } else if (node->weight != server->weight) {
            p = ngx_slprintf(p, last, " scale.ring_reweight('%V', '%V', %ui),",
                             cache, &server->name, server->weight);
        }
    }

    for (i = 0; i < view->nnodes; i++) {
        name.data = view->nodes[i].name;
        name.len = view->nodes[i].len;
        server = store->conf.servers.elts;

        for (j = 0; j < store->conf.servers.nelts; j++, server++) {
            if (ngx_scale_same(&server->name, &name)) {
                break;
            }
        }

        if (view->nodes[i].role != NGX_SCALE_VIEW_PAST
            && j == store->conf.servers.nelts)
        {
            p = ngx_slprintf(p, last, " scale.ring_remove('%V', '%V'),",
                             cache, &name);
        }
    }

    return p;
}
