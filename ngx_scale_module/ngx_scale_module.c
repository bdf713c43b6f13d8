
#include "ngx_scale_apikey.h"
#include "ngx_scale_directives.h"
#include "ngx_scale_handler.h"
#include "ngx_scale_issuer.h"
#include "ngx_scale_job.h"
#include "ngx_scale_login.h"
#include "ngx_scale_merge.h"
#include "ngx_scale_object.h"
#include "ngx_scale_openapi.h"
#include "ngx_scale_plan.h"
#include "ngx_scale_session_table.h"
#include "ngx_scale_secrets.h"
#include "ngx_scale_signed.h"
#include "ngx_scale_stores.h"


static ngx_int_t ngx_scale_preconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_scale_postconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_scale_init_process(ngx_cycle_t *cycle);
static void ngx_scale_exit_process(ngx_cycle_t *cycle);


#define NGX_SCALE_ANY_CONF                                                    \
    NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF


static ngx_command_t  ngx_scale_commands[] = {

    { ngx_string("scale_database"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_scale_database_directive,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_cache"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_scale_cache_directive,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_session"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_scale_session_directive,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_key"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_scale_apikey_directive,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_queue"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_scale_queue_directive,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_scale_directives_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_secret_file"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_scale_directives_secret_file,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_use"),
      NGX_SCALE_ANY_CONF|NGX_CONF_1MORE,
      ngx_scale_directives_use,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_deadline"),
      NGX_SCALE_ANY_CONF|NGX_CONF_TAKE1,
      ngx_scale_directives_deadline,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_consistency"),
      NGX_SCALE_ANY_CONF|NGX_CONF_TAKE12,
      ngx_scale_directives_consistency,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_stale_if_primary_down"),
      NGX_SCALE_ANY_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_scale_loc_conf_t, stale_down),
      NULL },

    { ngx_string("scale_shard_key"),
      NGX_SCALE_ANY_CONF|NGX_CONF_1MORE,
      ngx_scale_directives_shard_key,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_route"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_scale_directives_route,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_param"),
      NGX_SCALE_ANY_CONF|NGX_CONF_2MORE,
      ngx_scale_directives_param,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_identity"),
      NGX_SCALE_ANY_CONF|NGX_CONF_TAKE2,
      ngx_scale_directives_identity,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_jwt"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_NOARGS|NGX_CONF_TAKE1,
      ngx_scale_issuer_directive,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_auth"),
      NGX_SCALE_ANY_CONF|NGX_CONF_TAKE1,
      ngx_scale_auth_directive,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_session_start"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_scale_session_start_directive,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_session_end"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_scale_session_end_directive,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_csrf"),
      NGX_SCALE_ANY_CONF|NGX_CONF_1MORE,
      ngx_scale_session_csrf_directive,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_query"),
      NGX_HTTP_LOC_CONF|NGX_CONF_2MORE,
      ngx_scale_directives_query,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_enqueue"),
      NGX_HTTP_LOC_CONF|NGX_CONF_2MORE,
      ngx_scale_directives_enqueue,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_queue_api"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_scale_queue_api_directive,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_cache_valid"),
      NGX_SCALE_ANY_CONF|NGX_CONF_TAKE1234,
      ngx_scale_directives_valid,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_cache_audit"),
      NGX_SCALE_ANY_CONF|NGX_CONF_TAKE1,
      ngx_scale_directives_audit,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_cache_scope"),
      NGX_SCALE_ANY_CONF|NGX_CONF_TAKE1,
      ngx_scale_directives_scope,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_cache_key"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_scale_directives_key,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_cache_tags"),
      NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_scale_directives_tags,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_scale_loc_conf_t, tags),
      NULL },

    { ngx_string("scale_cache_bypass"),
      NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_set_predicate_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_scale_loc_conf_t, bypass),
      NULL },

    { ngx_string("scale_purge"),
      NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_scale_directives_purge,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_purge_tags"),
      NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_scale_directives_tags,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_scale_loc_conf_t, purge_tags),
      NULL },

    { ngx_string("scale_etag"),
      NGX_SCALE_ANY_CONF|NGX_CONF_TAKE12,
      ngx_scale_directives_etag,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_batch"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_scale_directives_batch,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_page"),
      NGX_HTTP_LOC_CONF|NGX_CONF_2MORE,
      ngx_scale_directives_page,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_idempotency"),
      NGX_SCALE_ANY_CONF|NGX_CONF_TAKE12,
      ngx_scale_directives_idempotency,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_if_match"),
      NGX_SCALE_ANY_CONF|NGX_CONF_TAKE1,
      ngx_scale_directives_if_match,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_limit"),
      NGX_SCALE_ANY_CONF|NGX_CONF_1MORE,
      ngx_scale_directives_limit,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_cdn"),
      NGX_SCALE_ANY_CONF|NGX_CONF_TAKE12,
      ngx_scale_cdn_directive,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_cors"),
      NGX_SCALE_ANY_CONF|NGX_CONF_1MORE,
      ngx_scale_cors_directive,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_openapi"),
      NGX_HTTP_LOC_CONF|NGX_CONF_ANY,
      ngx_scale_openapi_directive,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_object_store"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_scale_object_directive,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_presign"),
      NGX_HTTP_LOC_CONF|NGX_CONF_2MORE,
      ngx_scale_presign_directive,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_aws_verify"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_scale_verified_directive,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_aws_sign"),
      NGX_HTTP_LOC_CONF|NGX_CONF_2MORE,
      ngx_scale_signed_directive,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_sqlstate"),
      NGX_SCALE_ANY_CONF|NGX_CONF_2MORE,
      ngx_scale_directives_sqlstate,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("scale_error_detail"),
      NGX_SCALE_ANY_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_scale_loc_conf_t, error_detail),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_scale_module_ctx = {
    ngx_scale_preconfiguration,        /* preconfiguration */
    ngx_scale_postconfiguration,       /* postconfiguration */

    ngx_scale_merge_create_main,        /* create main configuration */
    ngx_scale_merge_init_main,         /* init main configuration */

    NULL,                              /* create server configuration */
    NULL,                              /* merge server configuration */

    ngx_scale_merge_create_loc,        /* create location configuration */
    ngx_scale_merge_loc                /* merge location configuration */
};


ngx_module_t  ngx_scale_module = {
    NGX_MODULE_V1,
    &ngx_scale_module_ctx,             /* module context */
    ngx_scale_commands,                /* module directives */
    NGX_HTTP_MODULE,                   /* module type */
    NULL,                              /* init master */
    NULL,                              /* init module */
    ngx_scale_init_process,            /* init process */
    NULL,                              /* init thread */
    NULL,                              /* exit thread */
    ngx_scale_exit_process,            /* exit process */
    NULL,                              /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_scale_preconfiguration(ngx_conf_t *cf)
{
    if (ngx_scale_variables_add(cf) != NGX_OK
        || ngx_scale_made_variables_add(cf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_scale_session_add_variables(cf) == NGX_OK
           ? ngx_scale_counters_add_variables(cf) : NGX_ERROR;
}


static ngx_int_t
ngx_scale_postconfiguration(ngx_conf_t *cf)
{
    ngx_scale_main_conf_t  *main;

    main = ngx_http_conf_get_module_main_conf(cf, ngx_scale_module);

    if (ngx_scale_plan_routes(cf, main) != NGX_CONF_OK
        || ngx_scale_plan_json_variables(cf) != NGX_CONF_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_scale_openapi_write(cf, main) != NGX_OK
        || ngx_scale_handler_add(cf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_scale_secrets_cleanse(cf);

    return ngx_scale_filter_init(cf);
}


static ngx_int_t
ngx_scale_init_process(ngx_cycle_t *cycle)
{
    ngx_scale_main_conf_t  *main;

    main = ngx_http_cycle_get_module_main_conf(cycle, ngx_scale_module);

    if (main == NULL
        || (ngx_process != NGX_PROCESS_WORKER
            && ngx_process != NGX_PROCESS_SINGLE))
    {
        return NGX_OK;
    }

    ngx_scale_jobs_init(&main->jobs);
    ngx_scale_issuers_open(cycle, main);
    ngx_scale_wipe_init(&main->wipe, cycle->log);
    ngx_scale_secrets_open(main, cycle->log);
    ngx_scale_credentials_open(cycle, main);

    return ngx_scale_stores_open(cycle, main);
}


static void
ngx_scale_exit_process(ngx_cycle_t *cycle)
{
    ngx_scale_main_conf_t  *main;

    main = ngx_http_cycle_get_module_main_conf(cycle, ngx_scale_module);

    if (main) {
        ngx_scale_secrets_close(main);
        ngx_scale_jobs_cancel(&main->jobs);
        ngx_scale_issuers_close(main);
        ngx_scale_session_table_close(main);
        ngx_scale_credentials_close(main);
        ngx_scale_stores_close(main);
    }
}
