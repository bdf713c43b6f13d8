
/* the block scale_queue */

#include "ngx_scale_queue.h"
#include "ngx_scale_block.h"
#include "ngx_scale_directives.h"


static char *ngx_scale_queue_backoff(ngx_conf_t *cf,
    ngx_scale_block_directive_t *cmd, void *block);
static char *ngx_scale_queue_depth(ngx_conf_t *cf,
    ngx_scale_block_directive_t *cmd, void *block);
static ngx_int_t ngx_scale_queue_option(ngx_str_t *word, const char *name,
    ngx_str_t *value);
static ngx_scale_queue_t *ngx_scale_queue_called(ngx_scale_main_conf_t *main,
    ngx_str_t *name);
static char *ngx_scale_queue_database(ngx_conf_t *cf,
    ngx_scale_main_conf_t *main, ngx_scale_queue_t *queue);
static ngx_int_t ngx_scale_queue_statements(ngx_conf_t *cf,
    ngx_scale_database_t *database);


#define NGX_SCALE_QUEUE_NAME      64
#define NGX_SCALE_QUEUE_ATTEMPTS  1000


static ngx_scale_block_directive_t  ngx_scale_queue_block[] = {
    { ngx_string("database"), 1, 1, ngx_scale_block_set_str,
      offsetof(ngx_scale_queue_t, use) },
    { ngx_string("visibility"), 1, 1, ngx_scale_block_set_msec,
      offsetof(ngx_scale_queue_t, visibility) },
    { ngx_string("attempts"), 1, 1, ngx_scale_block_set_num,
      offsetof(ngx_scale_queue_t, attempts) },
    { ngx_string("backoff"), 1, 2, ngx_scale_queue_backoff, 0 },
    { ngx_string("depth"), 1, 1, ngx_scale_queue_depth, 0 },
    { ngx_string("keep"), 1, 1, ngx_scale_block_set_msec,
      offsetof(ngx_scale_queue_t, keep) },
    { ngx_null_string, 0, 0, NULL, 0 }
};


char *
ngx_scale_queue_directive(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_main_conf_t  *main = conf;

    char                *rv;
    size_t               i;
    ngx_str_t           *word;
    ngx_scale_queue_t   *queue, **slot;

    word = cf->args->elts;

    for (i = 0; i < word[1].len; i++) {
        if (!ngx_scale_conf_is_name(word[1].data[i])) {
            break;
        }
    }

    if (i == 0 || i < word[1].len || i > NGX_SCALE_QUEUE_NAME) {
        return "takes a name of at most 64 letters, digits, \"_\", \"-\" and "
               "\".\"";
    }

    if (ngx_scale_queue_called(main, &word[1])) {
        return "has the name of another queue; give one of them another name";
    }

    queue = ngx_pcalloc(cf->pool, sizeof(ngx_scale_queue_t));
    slot = ngx_array_push(&main->queues);

    if (queue == NULL || slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = queue;

    ngx_scale_conf_here(cf, &queue->place);

    queue->name = word[1];
    queue->visibility = NGX_CONF_UNSET_MSEC;
    queue->attempts = NGX_CONF_UNSET_UINT;
    queue->backoff = NGX_CONF_UNSET_MSEC;
    queue->max_backoff = NGX_CONF_UNSET_MSEC;
    queue->depth = NGX_CONF_UNSET_UINT;
    queue->keep = NGX_CONF_UNSET_MSEC;

    rv = ngx_scale_block_parse(cf, ngx_scale_queue_block, queue);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    ngx_conf_init_msec_value(queue->visibility, 30000);
    ngx_conf_init_uint_value(queue->attempts, 5);
    ngx_conf_init_msec_value(queue->backoff, 1000);
    ngx_conf_init_msec_value(queue->max_backoff, 600000);
    ngx_conf_init_uint_value(queue->depth, 0);
    ngx_conf_init_msec_value(queue->keep, 3600000);

    if (queue->attempts > NGX_SCALE_QUEUE_ATTEMPTS) {
        ngx_scale_conf_error(cf, &queue->place,
                             "queue \"%V\" has \"attempts %ui\"; at most %d "
                             "are made", &queue->name, queue->attempts,
                             NGX_SCALE_QUEUE_ATTEMPTS);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* backoff first [max=] */

static char *
ngx_scale_queue_backoff(ngx_conf_t *cf, ngx_scale_block_directive_t *cmd,
    void *block)
{
    ngx_scale_queue_t  *queue = block;

    ngx_int_t   first, max;
    ngx_str_t  *word, value;

    if (queue->backoff != NGX_CONF_UNSET_MSEC) {
        return "is duplicate";
    }

    word = cf->args->elts;
    first = ngx_parse_time(&word[1], 0);
    max = NGX_CONF_UNSET;

    if (cf->args->nelts == 3) {
        max = ngx_scale_queue_option(&word[2], "max=", &value) == NGX_OK
              ? ngx_parse_time(&value, 0) : NGX_ERROR;

        if (max < first) {
            first = NGX_ERROR;
        }
    }

    if (first < 1) {
        return "takes a time before the second attempt and maybe the longest "
               "one, such as \"backoff 1s max=10m;\"";
    }

    queue->backoff = first;
    queue->max_backoff = max;

    return NGX_CONF_OK;
}


/* depth max=jobs */

static char *
ngx_scale_queue_depth(ngx_conf_t *cf, ngx_scale_block_directive_t *cmd,
    void *block)
{
    ngx_scale_queue_t  *queue = block;

    ngx_int_t   n;
    ngx_str_t  *word, value;

    if (queue->depth != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    word = cf->args->elts;

    n = ngx_scale_queue_option(&word[1], "max=", &value) == NGX_OK
        ? ngx_atoi(value.data, value.len) : NGX_ERROR;

    if (n < 1 || n > NGX_SCALE_QUEUE_MAX_DEPTH) {
        return "takes a number of jobs up to 100000000, such as "
               "\"depth max=100000;\"";
    }

    queue->depth = n;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_scale_queue_option(ngx_str_t *word, const char *name, ngx_str_t *value)
{
    size_t  len;

    len = ngx_strlen(name);

    if (word->len <= len || ngx_strncmp(word->data, name, len) != 0) {
        return NGX_DECLINED;
    }

    value->data = word->data + len;
    value->len = word->len - len;

    return NGX_OK;
}


static ngx_scale_queue_t *
ngx_scale_queue_called(ngx_scale_main_conf_t *main, ngx_str_t *name)
{
    ngx_uint_t           i;
    ngx_scale_queue_t  **queue;

    queue = main->queues.elts;

    for (i = 0; i < main->queues.nelts; i++) {
        if (ngx_scale_same(&queue[i]->name, name)) {
            return queue[i];
        }
    }

    return NULL;
}


ngx_scale_queue_t *
ngx_scale_queue_find(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_scale_queue_t  *queue;

    queue = ngx_scale_queue_called(
                ngx_http_conf_get_module_main_conf(cf, ngx_scale_module),
                name);

    if (queue == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "there is no queue \"%V\"; write \"scale_queue %V "
                           "{ }\" in http{}, before this server", name, name);
    }

    return queue;
}


char *
ngx_scale_queue_init(ngx_conf_t *cf, ngx_scale_main_conf_t *main)
{
    ngx_uint_t           i;
    ngx_scale_queue_t  **queue;

    queue = main->queues.elts;

    for (i = 0; i < main->queues.nelts; i++) {
        if (ngx_scale_queue_database(cf, main, queue[i]) != NGX_CONF_OK
            || ngx_scale_queue_statements(cf, queue[i]->database) != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_scale_queue_database(ngx_conf_t *cf, ngx_scale_main_conf_t *main,
    ngx_scale_queue_t *queue)
{
    ngx_uint_t              i;
    ngx_scale_database_t  **database;

    database = main->databases.elts;

    for (i = 0; i < main->databases.nelts; i++) {
        if ((queue->use.len == 0 && main->databases.nelts == 1)
            || ngx_scale_same(&queue->use, &database[i]->conf.name))
        {
            queue->database = database[i];
        }
    }

    if (queue->database == NULL) {
        ngx_scale_conf_error(cf, &queue->place,
                             "queue \"%V\" has no database%s%V; name one of "
                             "the declared ones by \"database\"",
                             &queue->name, queue->use.len ? " " : "",
                             &queue->use);
        return NGX_CONF_ERROR;
    }

    if (queue->database->map) {
        ngx_scale_conf_error(cf, &queue->place,
                             "queue \"%V\" is of database \"%V\", which has "
                             "shards; a queue needs one without",
                             &queue->name, &queue->database->conf.name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_scale_queue_statements(ngx_conf_t *cf, ngx_scale_database_t *database)
{
    ngx_uint_t                  i;
    ngx_scale_pg_statement_t   *statement, **slot;

    static ngx_str_t  sql[NGX_SCALE_QUEUE_NCALLS] = {
        ngx_string("SELECT * FROM scale.queue_watch($1)"),
        ngx_string("SELECT scale.job_return($1, $2, $3)")
    };

    static ngx_uint_t  nparams[NGX_SCALE_QUEUE_NCALLS] = { 1, 3 };
    static ngx_uint_t  inferred[3];

    if (database->queue) {
        return NGX_OK;
    }

    database->queue = ngx_pcalloc(cf->pool, NGX_SCALE_QUEUE_NCALLS
                                            * sizeof(ngx_scale_pg_statement_t));
    if (database->queue == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < NGX_SCALE_QUEUE_NCALLS; i++) {
        statement = &database->queue[i];

        statement->sql = sql[i];
        statement->nparams = nparams[i];
        statement->oids = inferred;
        statement->index = database->conf.statements->nelts;

        slot = ngx_array_push(database->conf.statements);
        if (slot == NULL) {
            return NGX_ERROR;
        }

        *slot = statement;
    }

    return NGX_OK;
}
