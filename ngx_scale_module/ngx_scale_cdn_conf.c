
/* scale_cdn: who may keep what GET answers, decided once */

#include "ngx_scale_directives.h"
#include "ngx_scale_plan.h"
#include "ngx_scale_source.h"


typedef struct {
    ngx_str_t    name;
    ngx_uint_t   preset;
} ngx_scale_cdn_preset_t;


static ngx_int_t ngx_scale_cdn_option(ngx_scale_loc_conf_t *loc,
    ngx_str_t *word);
static ngx_scale_edge_t *ngx_scale_cdn_edge(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc, ngx_scale_method_t *get);
static ngx_int_t ngx_scale_cdn_found(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_str_t *value);
static ngx_int_t ngx_scale_cdn_missing(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc, ngx_str_t *value);
static ngx_int_t ngx_scale_cdn_tags(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_edge_t *edge);
static ngx_uint_t ngx_scale_cdn_reveals(ngx_scale_loc_conf_t *loc,
    ngx_scale_key_t *key);
static ngx_scale_declared_t *ngx_scale_cdn_private(ngx_conf_t *cf,
    ngx_scale_loc_conf_t *loc, ngx_scale_method_t *get);
static ngx_uint_t ngx_scale_cdn_is_shared(ngx_conf_t *cf,
    ngx_scale_declared_t *declared);


static ngx_scale_cdn_preset_t  ngx_scale_cdn_presets[] = {
    { ngx_string("off"), NGX_SCALE_CDN_OFF },
    { ngx_string("on"), NGX_SCALE_CDN_ON },
    { ngx_string("browser"), NGX_SCALE_CDN_BROWSER },
    { ngx_string("micro"), NGX_SCALE_CDN_MICRO },
    { ngx_null_string, 0 }
};


/* scale_cdn on | browser | micro | off [shared | private=...] */

char *
ngx_scale_cdn_directive(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_loc_conf_t  *loc = conf;

    ngx_str_t               *word;
    ngx_scale_cdn_preset_t  *preset;

    if (loc->cdn != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    word = cf->args->elts;
    ngx_scale_conf_here(cf, &loc->cdn_place);

    for (preset = ngx_scale_cdn_presets; preset->name.len; preset++) {
        if (ngx_scale_same(&preset->name, &word[1])) {
            break;
        }
    }

    loc->cdn = preset->preset;

    if (preset->name.len == 0
        || (cf->args->nelts == 3
            && ngx_scale_cdn_option(loc, &word[2]) != NGX_OK))
    {
        return "is on, browser, micro or off, and knows \"shared\", "
               "private=no-store and private=no-cache";
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_scale_cdn_option(ngx_scale_loc_conf_t *loc, ngx_str_t *word)
{
    if (ngx_strcmp(word->data, "shared") == 0) {
        loc->cdn_shared = 1;
        return NGX_OK;
    }

    loc->cdn_revalidate = ngx_strcmp(word->data, "private=no-cache") == 0;

    return loc->cdn_revalidate
           || ngx_strcmp(word->data, "private=no-store") == 0
           ? NGX_OK : NGX_ERROR;
}


char *
ngx_scale_cdn_plan(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc)
{
    ngx_scale_method_t  *m;

    m = loc->methods->elts;

    if (loc->cdn == NGX_SCALE_CDN_OFF || m->method != NGX_HTTP_GET) {
        return NGX_CONF_OK;
    }

    if (loc->cdn_shared && m->personal) {
        ngx_scale_conf_error(cf, &loc->cdn_place,
                             "route \"%V\" depends on who asks, by %s, and "
                             "cannot be \"scale_cdn shared\"; remove one",
                             &loc->http.route,
                             loc->auth ? "scale_auth"
                             : loc->identities ? "scale_identity"
                                               : "what its GET binds");
        return NGX_CONF_ERROR;
    }

    loc->edge = ngx_scale_cdn_edge(cf, loc, m);

    return loc->edge ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static ngx_scale_edge_t *
ngx_scale_cdn_edge(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *get)
{
    ngx_scale_edge_t      *edge;
    ngx_scale_declared_t  *declared;

    edge = ngx_pcalloc(cf->pool, sizeof(ngx_scale_edge_t));
    if (edge == NULL) {
        return NULL;
    }

    if (loc->cdn_revalidate) {
        ngx_str_set(&edge->secret, "private, no-cache");

    } else {
        ngx_str_set(&edge->secret, "private, no-store");
    }

    declared = ngx_scale_cdn_private(cf, loc, get);
    edge->private = declared != NULL || get->personal;

    if (declared && !declared->identity && !declared->hashed) {
        ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                      "route \"%V\" is private for caches, since \":%V\" is "
                      "not of the URL; write \"scale_cdn ... shared\" if all "
                      "may see its answers, or \"scale_cdn off\", in %V:%ui",
                      &loc->http.route, &declared->param.name,
                      &loc->cdn_place.file, loc->cdn_place.line);
    }

    if (edge->private || !get->cached) {
        return edge;
    }

    if (ngx_scale_cdn_found(cf, loc, &edge->found) != NGX_OK
        || ngx_scale_cdn_missing(cf, loc, &edge->missing) != NGX_OK
        || ngx_scale_cdn_tags(cf, loc, edge) != NGX_OK)
    {
        return NULL;
    }

    return edge;
}


/*
 * "max-age" is for browsers, which nobody can purge: without "browser" they
 * ask each time, and the CDN has a 304 for them.
 */

static ngx_int_t
ngx_scale_cdn_found(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_str_t *value)
{
    u_char  *p;
    time_t   ttl, stale;

    ttl = loc->ttl;
    stale = loc->stale;

    if (loc->cdn == NGX_SCALE_CDN_MICRO) {
        ttl = 1;
        stale = 1;
    }

    p = ngx_pnalloc(cf->pool, sizeof("max-age=, s-maxage=, "
                                     "stale-while-revalidate=, "
                                     "stale-if-error=") + 4 * NGX_TIME_T_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value->data = p;

    p = ngx_sprintf(p, "max-age=%T, s-maxage=%T",
                    loc->cdn == NGX_SCALE_CDN_BROWSER ? ttl : 0, ttl);

    if (stale) {
        p = ngx_sprintf(p, ", stale-while-revalidate=%T", stale);
    }

    if (loc->error) {
        p = ngx_sprintf(p, ", stale-if-error=%T", loc->error);
    }

    value->len = p - value->data;

    return NGX_OK;
}


static ngx_int_t
ngx_scale_cdn_missing(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_str_t *value)
{
    time_t  ttl;

    if (loc->missing == 0) {
        return NGX_OK;
    }

    ttl = loc->cdn == NGX_SCALE_CDN_MICRO ? 1 : loc->missing;

    value->data = ngx_pnalloc(cf->pool, sizeof("max-age=0, s-maxage=")
                                        + NGX_TIME_T_LEN);
    if (value->data == NULL) {
        return NGX_ERROR;
    }

    value->len = ngx_sprintf(value->data, "max-age=0, s-maxage=%T", ttl)
                 - value->data;

    return NGX_OK;
}


static ngx_int_t
ngx_scale_cdn_tags(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_edge_t *edge)
{
    ngx_uint_t        i;
    ngx_scale_key_t  *tag;

    edge->shown = !ngx_scale_cdn_reveals(loc, loc->key);

    if (loc->tags == NULL) {
        return NGX_OK;
    }

    edge->tags = ngx_palloc(cf->pool, loc->tags->nelts * sizeof(ngx_uint_t));
    if (edge->tags == NULL) {
        return NGX_ERROR;
    }

    tag = loc->tags->elts;

    for (i = 0; i < loc->tags->nelts; i++) {
        if (!ngx_scale_cdn_reveals(loc, &tag[i])) {
            edge->tags[edge->ntags++] = i;
        }
    }

    return NGX_OK;
}


/* of what a field says not even a digest is for others to see */

static ngx_uint_t
ngx_scale_cdn_reveals(ngx_scale_loc_conf_t *loc, ngx_scale_key_t *key)
{
    ngx_uint_t             i;
    ngx_scale_declared_t  *declared;
    ngx_scale_key_part_t  *part;

    part = key->parts.elts;

    for (i = 0; i < key->parts.nelts; i++) {

        if (part[i].name.len == 0) {
            continue;
        }

        declared = ngx_scale_conf_find_param(loc, &part[i].name);

        if (declared->hashed && declared->param.choices == NULL) {
            return 1;
        }
    }

    return 0;
}


/* a parameter for whose sake the answer is not everybody's, or NULL */

static ngx_scale_declared_t *
ngx_scale_cdn_private(ngx_conf_t *cf, ngx_scale_loc_conf_t *loc,
    ngx_scale_method_t *get)
{
    ngx_uint_t             i;
    ngx_scale_declared_t  *declared;

    if (loc->cdn_shared) {
        return NULL;
    }

    for (i = 0; i < get->nparams; i++) {
        declared = loc->params->elts;
        declared += get->params[i];

        if (declared->identity || !ngx_scale_cdn_is_shared(cf, declared)) {
            return declared;
        }
    }

    return NULL;
}


/*
 * It is of the URL, or of a field that Vary may name, which is no secret as
 * all of its values stand in the configuration.
 */

static ngx_uint_t
ngx_scale_cdn_is_shared(ngx_conf_t *cf, ngx_scale_declared_t *declared)
{
    ngx_str_t  rest, name, field;

    switch (declared->param.source) {

    case NGX_SCALE_SOURCE_ARG:
    case NGX_SCALE_SOURCE_CURSOR:
        return 1;

    case NGX_SCALE_SOURCE_HEADER:
        return declared->param.choices
               && ngx_scale_source_is_open(&declared->param.argument);

    case NGX_SCALE_SOURCE_EXPR:
        break;

    default:
        return 0;
    }

    rest = declared->param.argument;

    while (ngx_scale_source_next(&rest, &name) == NGX_OK) {

        if (ngx_scale_source_is_url(cf, &name)) {
            continue;
        }

        if (declared->param.choices == NULL
            || ngx_scale_source_field(cf->pool, &name, &field) != NGX_OK
            || !ngx_scale_source_is_open(&field))
        {
            return 0;
        }
    }

    return 1;
}
