
/* scale_enqueue: a write that is accepted as a job */

#include "ngx_scale_directives.h"
#include "ngx_scale_queue.h"


typedef struct {
    ngx_str_t      methods;
    ngx_str_t      members;                /* 'name', :name, ... */
    ngx_str_t      location;
    ngx_str_t      key;                    /* of a parameter, or empty */
    ngx_int_t      priority;
    ngx_int_t      delay;                  /* seconds */
} ngx_scale_enqueue_t;


static char *ngx_scale_directives_enqueue_words(ngx_conf_t *cf,
    ngx_scale_enqueue_t *e);
static ngx_int_t ngx_scale_directives_enqueue_option(ngx_str_t *word,
    ngx_scale_enqueue_t *e);
static ngx_uint_t ngx_scale_directives_is_param(ngx_str_t *word);
static char *ngx_scale_directives_enqueue_query(ngx_conf_t *cf,
    ngx_scale_queue_t *queue, ngx_scale_enqueue_t *e);


/* of the statement, beside what comes from nginx.conf */
#define NGX_SCALE_ENQUEUE_TEXT  512


/* scale_enqueue METHODS queue :param ... [options] */

char *
ngx_scale_directives_enqueue(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char                 *rv;
    ngx_str_t            *word;
    ngx_scale_queue_t    *queue;
    ngx_scale_enqueue_t   e;

    word = cf->args->elts;

    queue = ngx_scale_queue_find(cf, &word[2]);
    if (queue == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&e, sizeof(ngx_scale_enqueue_t));
    e.methods = word[1];

    rv = ngx_scale_directives_enqueue_words(cf, &e);

    return rv == NGX_CONF_OK ? ngx_scale_directives_enqueue_query(cf, queue, &e)
                             : rv;
}


static char *
ngx_scale_directives_enqueue_words(ngx_conf_t *cf, ngx_scale_enqueue_t *e)
{
    u_char      *p;
    size_t       len;
    ngx_str_t   *word, name;
    ngx_uint_t   i;

    word = cf->args->elts;
    len = 0;

    for (i = 3; i < cf->args->nelts; i++) {
        len += 2 * word[i].len + sizeof("'', , ");
    }

    p = ngx_pnalloc(cf->temp_pool, len + 1);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    e->members.data = p;

    for (i = 3; i < cf->args->nelts; i++) {

        if (ngx_scale_directives_is_param(&word[i])) {
            name.data = word[i].data + 1;
            name.len = word[i].len - 1;

            p = ngx_snprintf(p, len, "%s'%V', :%V",
                             p == e->members.data ? "" : ", ", &name, &name);
            continue;
        }

        if (ngx_scale_directives_enqueue_option(&word[i], e) != NGX_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" is neither a parameter such as "
                               "\":photo\" nor one of priority=0 to 9, "
                               "delay=, key=:param and location=/path/",
                               &word[i]);
            return NGX_CONF_ERROR;
        }
    }

    e->members.len = p - e->members.data;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_scale_directives_enqueue_option(ngx_str_t *word, ngx_scale_enqueue_t *e)
{
    u_char     *eq;
    size_t      i;
    ngx_str_t   name, value;

    eq = ngx_strlchr(word->data, word->data + word->len, '=');
    if (eq == NULL) {
        return NGX_DECLINED;
    }

    name.data = word->data;
    name.len = eq - word->data;
    value.data = eq + 1;
    value.len = word->data + word->len - value.data;

    if (name.len == 8 && ngx_strncmp(name.data, "priority", 8) == 0) {
        e->priority = ngx_atoi(value.data, value.len);
        return e->priority >= 0 && e->priority <= 9 ? NGX_OK : NGX_DECLINED;
    }

    if (name.len == 5 && ngx_strncmp(name.data, "delay", 5) == 0) {
        e->delay = ngx_parse_time(&value, 1);
        return e->delay == NGX_ERROR ? NGX_DECLINED : NGX_OK;
    }

    if (name.len == 3 && ngx_strncmp(name.data, "key", 3) == 0) {
        e->key = value;
        return ngx_scale_directives_is_param(&value) ? NGX_OK : NGX_DECLINED;
    }

    if (name.len != 8 || ngx_strncmp(name.data, "location", 8) != 0) {
        return NGX_DECLINED;
    }

    for (i = 0; i < value.len; i++) {
        if (value.data[i] != '/' && !ngx_scale_conf_is_name(value.data[i])) {
            return NGX_DECLINED;
        }
    }

    e->location = value;

    return value.len && value.data[value.len - 1] == '/' ? NGX_OK
                                                         : NGX_DECLINED;
}


static ngx_uint_t
ngx_scale_directives_is_param(ngx_str_t *word)
{
    size_t  i;
    u_char  ch;

    for (i = 1; i < word->len; i++) {
        ch = word->data[i];

        if (!ngx_scale_conf_is_name(ch) || ch == '-' || ch == '.') {
            return 0;
        }
    }

    return word->len > 1 && word->data[0] == ':';
}


static char *
ngx_scale_directives_enqueue_query(ngx_conf_t *cf, ngx_scale_queue_t *queue,
    ngx_scale_enqueue_t *e)
{
    u_char     *p, *last;
    size_t      len;
    ngx_str_t   text;

    len = NGX_SCALE_ENQUEUE_TEXT + e->methods.len + e->members.len
          + e->location.len + e->key.len;

    text.data = ngx_pnalloc(cf->temp_pool, len);
    if (text.data == NULL) {
        return NGX_CONF_ERROR;
    }

    last = text.data + len;

    p = ngx_slprintf(text.data, last, "scale_query \"%V\" row \"SELECT id, "
                     "'waiting' AS status", &e->methods);

    if (e->location.len) {
        p = ngx_slprintf(p, last, ", '%V' || id AS \\\"http:Location\\\"",
                         &e->location);
    }

    p = ngx_slprintf(p, last, " FROM %%enqueue%%'%%name%%', "
                     "jsonb_build_object(%V), %i, make_interval(secs => %i), "
                     "%V%s) AS id\" status=202; }",
                     &e->members, e->priority, e->delay,
                     &e->key, e->key.len ? "::text" : "NULL");

    text.len = p - text.data;

    return ngx_scale_queue_text(cf, queue, &e->location, &text);
}
