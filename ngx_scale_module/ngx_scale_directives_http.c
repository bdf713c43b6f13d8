
/* the directives of what HTTP promises: versions, keys, pages, batches */

#include "ngx_scale_directives.h"


static ngx_uint_t ngx_scale_directives_demand(ngx_str_t *word);


#define NGX_SCALE_DIRECTIVES_KEY_TTL   86400
#define NGX_SCALE_DIRECTIVES_MAX_ROWS  10000


/* scale_etag body | column=name [modified=name] */

char *
ngx_scale_directives_etag(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_loc_conf_t  *loc = conf;

    ngx_str_t         *word;
    ngx_uint_t         i;
    ngx_scale_etag_t  *etag;

    if (loc->etag) {
        return "is duplicate";
    }

    etag = ngx_pcalloc(cf->pool, sizeof(ngx_scale_etag_t));
    if (etag == NULL) {
        return NGX_CONF_ERROR;
    }

    loc->etag = etag;
    word = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (i == 1 && ngx_strcmp(word[i].data, "body") == 0) {
            continue;
        }

        if (i == 1 && word[i].len > 7
            && ngx_strncmp(word[i].data, "column=", 7) == 0)
        {
            etag->version.data = word[i].data + 7;
            etag->version.len = word[i].len - 7;
            continue;
        }

        if (i == 2 && word[i].len > 9
            && ngx_strncmp(word[i].data, "modified=", 9) == 0)
        {
            etag->modified.data = word[i].data + 9;
            etag->modified.len = word[i].len - 9;
            continue;
        }

        return "takes body or column=name, and then maybe modified=name, such "
               "as \"scale_etag column=version modified=updated_at;\"";
    }

    return NGX_CONF_OK;
}


/* scale_if_match off | optional | required */

char *
ngx_scale_directives_if_match(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_loc_conf_t  *loc = conf;

    ngx_str_t  *word;

    if (loc->if_match != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    word = cf->args->elts;

    loc->if_match = ngx_scale_directives_demand(&word[1]);

    if (loc->if_match == NGX_CONF_UNSET_UINT) {
        return "is off, optional or required";
    }

    ngx_scale_conf_here(cf, &loc->guarded);

    return NGX_CONF_OK;
}


/* scale_idempotency off | optional | required [ttl=time] */

char *
ngx_scale_directives_idempotency(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_loc_conf_t  *loc = conf;

    ngx_str_t  *word, value;

    if (loc->idempotency != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    word = cf->args->elts;
    loc->key_ttl = NGX_SCALE_DIRECTIVES_KEY_TTL;

    loc->idempotency = ngx_scale_directives_demand(&word[1]);

    if (cf->args->nelts == 3) {
        loc->key_ttl = NGX_ERROR;

        if (ngx_strncmp(word[2].data, "ttl=", 4) == 0) {
            value.data = word[2].data + 4;
            value.len = word[2].len - 4;
            loc->key_ttl = ngx_parse_time(&value, 1);
        }
    }

    if (loc->idempotency == NGX_CONF_UNSET_UINT || loc->key_ttl < 1
        || loc->key_ttl > NGX_MAX_INT32_VALUE)
    {
        return "takes off, optional or required, and maybe a time, such as "
               "\"scale_idempotency optional ttl=24h;\"";
    }

    return NGX_CONF_OK;
}


/* scale_page keyset column[:desc],... max=rows [default=rows] */

char *
ngx_scale_directives_page(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_loc_conf_t  *loc = conf;

    ngx_int_t          rows;
    ngx_str_t         *word;
    ngx_uint_t         i;
    ngx_scale_page_t  *page;

    if (loc->page) {
        return "is duplicate";
    }

    page = ngx_pcalloc(cf->pool, sizeof(ngx_scale_page_t));
    if (page == NULL) {
        return NGX_CONF_ERROR;
    }

    loc->page = page;
    ngx_scale_conf_here(cf, &page->place);

    word = cf->args->elts;
    page->keyset = ngx_scale_directives_order(cf, &word[2]);

    for (i = 3; i < cf->args->nelts; i++) {
        rows = NGX_ERROR;

        if (ngx_strncmp(word[i].data, "max=", 4) == 0) {
            rows = ngx_atoi(word[i].data + 4, word[i].len - 4);
            page->max = rows;

        } else if (ngx_strncmp(word[i].data, "default=", 8) == 0) {
            rows = ngx_atoi(word[i].data + 8, word[i].len - 8);
            page->usual = rows;
        }

        if (rows < 1) {
            page->max = 0;
            break;
        }
    }

    if (ngx_strcmp(word[1].data, "keyset") != 0 || page->keyset == NULL
        || page->keyset->nelts > NGX_SCALE_PAGE_MAX_KEYSET
        || page->max == 0 || page->max > NGX_SCALE_DIRECTIVES_MAX_ROWS
        || page->usual > page->max)
    {
        return "takes keyset, up to 4 columns, and at most 10000 rows, such "
               "as \"scale_page keyset created:desc,id max=100 default=20;\"";
    }

    if (page->usual == 0) {
        page->usual = page->max;
    }

    return NGX_CONF_OK;
}


/* scale_batch max=elements */

char *
ngx_scale_directives_batch(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_loc_conf_t  *loc = conf;

    ngx_int_t   max;
    ngx_str_t  *word;

    if (loc->batch) {
        return "is duplicate";
    }

    word = cf->args->elts;
    max = NGX_ERROR;

    if (ngx_strncmp(word[1].data, "max=", 4) == 0) {
        max = ngx_atoi(word[1].data + 4, word[1].len - 4);
    }

    if (max < 1 || max > NGX_SCALE_PG_MAX_BATCH) {
        return "takes a number of elements up to 300, such as "
               "\"scale_batch max=100;\"";
    }

    loc->batch = max;
    ngx_scale_conf_here(cf, &loc->batched);

    return NGX_CONF_OK;
}


static ngx_uint_t
ngx_scale_directives_demand(ngx_str_t *word)
{
    ngx_uint_t  i;

    static ngx_str_t  names[] = {
        ngx_string("off"),
        ngx_string("optional"),
        ngx_string("required"),
        ngx_null_string
    };

    for (i = 0; names[i].len; i++) {
        if (ngx_scale_same(word, &names[i])) {
            return i;
        }
    }

    return NGX_CONF_UNSET_UINT;
}
