
/* scale_session, and the directives of who starts and who ends one */

#include "ngx_scale_block.h"
#include "ngx_scale_directives.h"
#include "ngx_scale_login.h"


static char *ngx_scale_session_check(ngx_conf_t *cf,
    ngx_scale_session_conf_t *session);
static char *ngx_scale_session_cookie(ngx_conf_t *cf,
    ngx_scale_block_directive_t *cmd, void *block);
static ngx_uint_t ngx_scale_session_is_token(ngx_str_t *name);
static char *ngx_scale_session_time(ngx_conf_t *cf,
    ngx_scale_block_directive_t *cmd, void *block);
static char *ngx_scale_session_copies(ngx_conf_t *cf,
    ngx_scale_block_directive_t *cmd, void *block);
static char *ngx_scale_session_same_site(ngx_conf_t *cf,
    ngx_scale_block_directive_t *cmd, void *block);
static char *ngx_scale_session_table(ngx_conf_t *cf,
    ngx_scale_block_directive_t *cmd, void *block);


#define NGX_SCALE_SESSION_TTL       (30 * 86400)
#define NGX_SCALE_SESSION_IDLE      (7 * 86400)

/* memcached takes a longer time for a date (protocol.txt, "Expiration") */
#define NGX_SCALE_SESSION_MAX_IDLE  (30 * 86400)

/* what browsers keep a cookie for: RFC 6265bis, section 5.5 */
#define NGX_SCALE_SESSION_MAX_TTL   (400 * 86400)

#define NGX_SCALE_SESSION_COPIES    2
#define NGX_SCALE_SESSION_MOST      3


static ngx_scale_block_directive_t  ngx_scale_session_block[] = {
    { ngx_string("cookie"), 1, 2, ngx_scale_session_cookie, 0 },
    { ngx_string("cache"), 1, 1, ngx_scale_block_set_str,
      offsetof(ngx_scale_session_conf_t, cache) },
    { ngx_string("ttl"), 1, 1, ngx_scale_session_time,
      offsetof(ngx_scale_session_conf_t, ttl) },
    { ngx_string("idle"), 1, 1, ngx_scale_session_time,
      offsetof(ngx_scale_session_conf_t, idle) },
    { ngx_string("copies"), 1, 1, ngx_scale_session_copies, 0 },
    { ngx_string("user"), 1, 1, ngx_scale_block_set_str,
      offsetof(ngx_scale_session_conf_t, user) },
    { ngx_string("same_site"), 1, 1, ngx_scale_session_same_site, 0 },
    { ngx_string("store"), 1, 1, ngx_scale_session_table, 0 },
    { ngx_null_string, 0, 0, NULL, 0 }
};


char *
ngx_scale_session_directive(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_main_conf_t  *main = conf;

    char                       *rv;
    size_t                      n;
    ngx_str_t                  *word;
    ngx_uint_t                  i;
    ngx_array_t                *blocks;
    ngx_scale_session_conf_t   *session, **slot;

    word = cf->args->elts;
    blocks = &main->auth[NGX_SCALE_AUTH_SESSION];
    slot = blocks->elts;

    for (i = 0; i < blocks->nelts; i++) {
        if (ngx_scale_same(&slot[i]->block.name, &word[1])) {
            return "has the name of another; give one of them "
                   "another name";
        }
    }

    for (n = 0; n < word[1].len; n++) {
        if (!ngx_scale_conf_is_name(word[1].data[n])) {
            break;
        }
    }

    if (n == 0 || n < word[1].len || n > NGX_SCALE_SESSION_NAME) {
        return "takes a name of 1 to 32 letters, digits, \"_\", \"-\" and "
               "\".\"";
    }

    session = ngx_pcalloc(cf->pool, sizeof(ngx_scale_session_conf_t));
    slot = ngx_array_push(blocks);

    if (session == NULL || slot == NULL) {
        return NGX_CONF_ERROR;
    }

    *slot = session;

    ngx_scale_conf_here(cf, &session->block.place);
    session->block.name = word[1];
    session->ttl = NGX_CONF_UNSET;
    session->idle = NGX_CONF_UNSET;
    session->copies = NGX_CONF_UNSET_UINT;
    ngx_queue_init(&session->seen);

    rv = ngx_scale_block_parse(cf, ngx_scale_session_block, session);

    return rv == NGX_CONF_OK ? ngx_scale_session_check(cf, session) : rv;
}


static char *
ngx_scale_session_check(ngx_conf_t *cf, ngx_scale_session_conf_t *session)
{
    u_char                      *p;
    ngx_scale_session_cookie_t  *cookie;

    static ngx_str_t  none = ngx_string("None");

    cookie = &session->cookie;

    ngx_conf_init_value(session->ttl, NGX_SCALE_SESSION_TTL);
    ngx_conf_init_value(session->idle, ngx_min(NGX_SCALE_SESSION_IDLE,
                                               session->ttl));
    ngx_conf_init_uint_value(session->copies, NGX_SCALE_SESSION_COPIES);

    if (session->user.data == NULL) {
        ngx_str_set(&session->user, "user");
    }

    if (cookie->same_site.data == NULL) {
        ngx_str_set(&cookie->same_site, "Lax");
    }

    if (cookie->name.data == NULL) {
        cookie->secure = 1;
        cookie->name.len = sizeof("__Host-") - 1 + session->block.name.len;
        cookie->name.data = ngx_pnalloc(cf->pool, cookie->name.len);
        if (cookie->name.data == NULL) {
            return NGX_CONF_ERROR;
        }

        p = ngx_cpymem(cookie->name.data, "__Host-", sizeof("__Host-") - 1);
        ngx_memcpy(p, session->block.name.data, session->block.name.len);
    }

    if (session->idle > session->ttl
        || session->idle > NGX_SCALE_SESSION_MAX_IDLE
        || session->ttl > NGX_SCALE_SESSION_MAX_TTL)
    {
        ngx_scale_conf_error(cf, &session->block.place,
                             "session \"%V\" has an \"idle\" of %T s and a "
                             "\"ttl\" of %T s; write an \"idle\" of at most "
                             "30d and of the ttl, which is at most 400d",
                             &session->block.name, session->idle,
                             session->ttl);
        return NGX_CONF_ERROR;
    }

    if (!cookie->secure && ngx_scale_same(&cookie->same_site, &none)) {
        ngx_scale_conf_error(cf, &session->block.place,
                             "session \"%V\" has \"same_site none\", which "
                             "browsers take of secure cookies only; remove "
                             "\"insecure\"", &session->block.name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* cookie name [insecure] */

static char *
ngx_scale_session_cookie(ngx_conf_t *cf, ngx_scale_block_directive_t *cmd,
    void *block)
{
    ngx_scale_session_conf_t  *session = block;

    ngx_str_t   *word;
    ngx_uint_t   insecure;

    if (session->cookie.name.data) {
        return "is duplicate";
    }

    word = cf->args->elts;
    insecure = cf->args->nelts == 3;

    if (!ngx_scale_session_is_token(&word[1])
        || (insecure && ngx_strcmp(word[2].data, "insecure") != 0))
    {
        return "takes a cookie's name and maybe \"insecure\", such as "
               "\"cookie __Host-sid;\"";
    }

    if (insecure && ngx_strncmp(word[1].data, "__", 2) == 0) {
        return "cannot be insecure by that name: browsers refuse it; "
               "remove its \"__Host-\" or \"__Secure-\"";
    }

    session->cookie.name = word[1];
    session->cookie.secure = !insecure;

    return NGX_CONF_OK;
}


/* of RFC 9110, section 5.6.2 */

static ngx_uint_t
ngx_scale_session_is_token(ngx_str_t *name)
{
    size_t  i;

    for (i = 0; i < name->len; i++) {
        if (name->data[i] <= ' ' || name->data[i] >= 0x7f
            || ngx_strchr("\"(),/:;<=>?@[\\]{}", name->data[i]))
        {
            return 0;
        }
    }

    return name->len != 0;
}


static char *
ngx_scale_session_time(ngx_conf_t *cf, ngx_scale_block_directive_t *cmd,
    void *block)
{
    time_t     *field, value;
    ngx_str_t  *word;

    field = (time_t *) ((u_char *) block + cmd->offset);

    if (*field != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    word = cf->args->elts;
    value = ngx_parse_time(&word[1], 1);

    if (value == (time_t) NGX_ERROR || value == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" takes a time such as 1h or 30d, not \"%V\"",
                           &word[0], &word[1]);
        return NGX_CONF_ERROR;
    }

    *field = value;

    return NGX_CONF_OK;
}


static char *
ngx_scale_session_copies(ngx_conf_t *cf, ngx_scale_block_directive_t *cmd,
    void *block)
{
    ngx_scale_session_conf_t  *session = block;

    ngx_int_t   n;
    ngx_str_t  *word;

    if (session->copies != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    word = cf->args->elts;
    n = ngx_atoi(word[1].data, word[1].len);

    if (n < 1 || n > NGX_SCALE_SESSION_MOST) {
        return "is 1, 2 or 3";
    }

    session->copies = n;

    return NGX_CONF_OK;
}


static char *
ngx_scale_session_same_site(ngx_conf_t *cf, ngx_scale_block_directive_t *cmd,
    void *block)
{
    ngx_scale_session_conf_t  *session = block;

    ngx_str_t   *word;
    ngx_uint_t   i;

    static ngx_str_t  known[] = {
        ngx_string("Lax"),
        ngx_string("Strict"),
        ngx_string("None"),
        ngx_null_string
    };

    if (session->cookie.same_site.data) {
        return "is duplicate";
    }

    word = cf->args->elts;

    for (i = 0; known[i].len; i++) {
        if (ngx_strcasecmp(word[1].data, known[i].data) == 0) {
            session->cookie.same_site = known[i];
            return NGX_CONF_OK;
        }
    }

    return "is lax, strict or none";
}


/* store cache | database=name */

static char *
ngx_scale_session_table(ngx_conf_t *cf, ngx_scale_block_directive_t *cmd,
    void *block)
{
    ngx_scale_session_conf_t  *session = block;

    ngx_str_t  *word;

    if (session->table.data) {
        return "is duplicate";
    }

    word = cf->args->elts;
    ngx_str_set(&session->table, "");

    if (ngx_strcmp(word[1].data, "cache") == 0) {
        return NGX_CONF_OK;
    }

    if (ngx_strncmp(word[1].data, "database=", 9) != 0 || word[1].len == 9) {
        return "is \"store cache\", for memcached alone, or \"store "
               "database=name\", for a table beside it";
    }

    session->table.data = word[1].data + 9;
    session->table.len = word[1].len - 9;

    return NGX_CONF_OK;
}


char *
ngx_scale_session_start_directive(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_scale_loc_conf_t  *loc = conf;

    if (loc->starts) {
        return "is duplicate";
    }

    loc->starts = 1;
    ngx_scale_conf_here(cf, &loc->started);

    return NGX_CONF_OK;
}


/* scale_session_end one|all */

char *
ngx_scale_session_end_directive(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_scale_loc_conf_t  *loc = conf;

    ngx_str_t  *word;

    if (loc->ends) {
        return "is duplicate";
    }

    word = cf->args->elts;

    if (ngx_strcmp(word[1].data, "one") == 0) {
        loc->ends = NGX_SCALE_SESSION_ONE;

    } else if (ngx_strcmp(word[1].data, "all") == 0) {
        loc->ends = NGX_SCALE_SESSION_ALL;

    } else {
        return "is one, for the session that asks, or all, for all of its "
               "user";
    }

    ngx_scale_conf_here(cf, &loc->ended);

    return NGX_CONF_OK;
}


/* scale_csrf on | off | origin ... */

char *
ngx_scale_session_csrf_directive(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_scale_loc_conf_t  *loc = conf;

    ngx_str_t   *word, *origin;
    ngx_uint_t   i;

    if (loc->csrf != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    word = cf->args->elts;
    loc->csrf = ngx_strcmp(word[1].data, "off") != 0;

    if (cf->args->nelts == 2
        && (!loc->csrf || ngx_strcmp(word[1].data, "on") == 0))
    {
        return NGX_CONF_OK;
    }

    loc->origins = ngx_array_create(cf->pool, cf->args->nelts - 1,
                                    sizeof(ngx_str_t));
    if (loc->origins == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        if (!ngx_scale_conf_is_origin(&word[i])) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "scale_csrf is on, off, or such origins as "
                               "\"https://app.example.com\", not \"%V\"",
                               &word[i]);
            return NGX_CONF_ERROR;
        }

        origin = ngx_array_push(loc->origins);
        if (origin == NULL) {
            return NGX_CONF_ERROR;
        }

        *origin = word[i];
    }

    return NGX_CONF_OK;
}
