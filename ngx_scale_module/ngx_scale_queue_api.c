
/*
 * scale_queue_api: a queue as resources.  They are locations with statements
 * like any other, written here as nginx.conf would have them; only the claim
 * is a step of its own.
 */

#include "ngx_scale_directives.h"
#include "ngx_scale_queue.h"


static char *ngx_scale_queue_api_place(ngx_conf_t *cf, ngx_str_t *at);
static ngx_int_t ngx_scale_queue_api_nowhere(ngx_http_request_t *r);


#define NGX_SCALE_QUEUE_API_JOB  "(?<scale_job>[0-9a-f-]{36})"

/* what a level above may have turned on, and is not for jobs */

#define NGX_SCALE_QUEUE_API_PLAIN                                             \
    "%use% scale_cache_valid off; scale_cdn off; scale_if_match off; "

#define NGX_SCALE_QUEUE_API_CLAIMED                                           \
    "scale_param id $scale_job uuid required; "                               \
    "scale_param claim header.Job-Claim uuid required; "


static ngx_str_t  ngx_scale_queue_api_text = ngx_string(

    "location = %at% { "
    "scale_route queue.%name%; " NGX_SCALE_QUEUE_API_PLAIN
    "scale_param payload json.payload jsonb required; "
    "scale_param priority json.priority int default=0 min=0 max=9; "
    "scale_param delay json.delay int default=0 min=0 max=31536000; "
    "scale_param key json.key text len=1-200; "
    "scale_param wait arg.wait text \"pattern=^([0-5]?[0-9]|60)s?$\"; "
    "scale_param max arg.max int default=1 min=1 max=100; "
    "scale_query POST row "
      "\"SELECT id, 'waiting' AS status, "
                "'%at%/' || id AS \\\"http:Location\\\" "
          "FROM %enqueue%'%name%', :payload, :priority, "
                          "make_interval(secs => :delay), :key) AS id\" "
      "status=202; "
    "scale_query GET rows "
      "\"SELECT *, 'no-store' AS \\\"http:Cache-Control\\\" "
          "FROM scale.job_claim('%name%', :max, '%visibility% ms', "
                               "%attempts%)\" "
      "write claim=%name%; "
    "} "

    "location ~ \"^%at%/" NGX_SCALE_QUEUE_API_JOB "$\" { "
    "scale_route queue.%name%.job; " NGX_SCALE_QUEUE_API_PLAIN
    NGX_SCALE_QUEUE_API_CLAIMED
    "scale_param visibility json.visibility int min=1 max=86400; "
    "scale_query GET row "
      "\"SELECT * FROM scale.job_status('%name%', :id)\"; "
    "scale_query PATCH row "
      "\"SELECT scale.job_extend('%name%', :id, :claim, "
            "coalesce(make_interval(secs => :visibility), "
                     "'%visibility% ms')) AS visible\"; "
    "scale_query DELETE none "
      "\"SELECT scale.job_ack('%name%', :id, :claim, '%keep% ms')\"; "
    "} "

    "location ~ \"^%at%/" NGX_SCALE_QUEUE_API_JOB "/fail$\" { "
    "scale_route queue.%name%.fail; " NGX_SCALE_QUEUE_API_PLAIN
    NGX_SCALE_QUEUE_API_CLAIMED
    "scale_param error json.error text len=0-2000; "
    "scale_query POST row "
      "\"SELECT * FROM scale.job_fail('%name%', :id, :claim, :error, "
                                     "%attempts%, '%backoff% ms', "
                                     "'%max_backoff% ms')\"; "
    "} "

    "location ~ \"^%at%/" NGX_SCALE_QUEUE_API_JOB "/return$\" { "
    "scale_route queue.%name%.return; " NGX_SCALE_QUEUE_API_PLAIN
    NGX_SCALE_QUEUE_API_CLAIMED
    "scale_query POST none "
      "\"SELECT scale.require(scale.job_return('%name%', ARRAY[:id], "
                                              "ARRAY[:claim]) = 1, "
                             "409, 'The claim is over')\"; "
    "} "

    "location = %at%/dead { "
    "scale_route queue.%name%.dead; " NGX_SCALE_QUEUE_API_PLAIN
    "scale_param after arg.after uuid; "
    "scale_param limit arg.limit int default=50 min=1 max=1000; "
    "scale_query GET rows "
      "\"SELECT * FROM scale.job_dead_letters('%name%', :after, :limit)\"; "
    "} "

    "location = %at%/redrive { "
    "scale_route queue.%name%.redrive; " NGX_SCALE_QUEUE_API_PLAIN
    "scale_param id json.id uuid; "
    "scale_param max json.max int default=1000 min=1 max=10000; "
    "scale_query POST row "
      "\"SELECT scale.job_redrive('%name%', :id, :max) AS redriven\"; "
    "} "

    "location = %at%/stats { "
    "scale_route queue.%name%.stats; " NGX_SCALE_QUEUE_API_PLAIN
    "scale_query GET row \"SELECT * FROM scale.queue_stats('%name%')\" write; "
    "} "

    "}"
);


/* how a job is, for who has its address: it is not to be guessed */

static ngx_str_t  ngx_scale_queue_api_status_text = ngx_string(

    "location ~ \"^%at%/" NGX_SCALE_QUEUE_API_JOB "$\" { "
    "scale_route queue.%name%.status; " NGX_SCALE_QUEUE_API_PLAIN
    "scale_param id $scale_job uuid required; "
    "scale_query GET row "
      "\"SELECT id, status, attempt, queued, ended "
          "FROM scale.job_status('%name%', :id)\"; "
    "} "

    "}"
);


/* scale_queue_api queue [status] */

char *
ngx_scale_queue_api_directive(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_scale_loc_conf_t  *loc = conf;

    char                      *rv;
    ngx_str_t                 *word, at;
    ngx_uint_t                 status;
    ngx_scale_queue_t         *queue;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    word = cf->args->elts;
    status = cf->args->nelts == 3;

    if (status && ngx_strcmp(word[2].data, "status") != 0) {
        return "takes the name of a queue, and maybe \"status\" where clients "
               "only ask how a job is";
    }

    if (clcf->handler) {
        return "is in a location that has another directive that answers; "
               "remove one, or give each a location";
    }

    rv = ngx_scale_queue_api_place(cf, &at);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    queue = ngx_scale_queue_find(cf, &word[1]);
    if (queue == NULL) {
        return NGX_CONF_ERROR;
    }

    clcf->handler = ngx_scale_queue_api_nowhere;
    loc->http.enabled = 1;

    if (!status) {
        ngx_scale_conf_here(cf, &loc->closed);
    }

    return ngx_scale_queue_text(cf, queue, &at,
                                status ? &ngx_scale_queue_api_status_text
                                       : &ngx_scale_queue_api_text);
}


/* a path that regular expressions and SQL take as it is */

static char *
ngx_scale_queue_api_place(ngx_conf_t *cf, ngx_str_t *at)
{
    size_t                     i;
    u_char                     ch;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    *at = clcf->name;

    for (i = 0; i < at->len; i++) {
        ch = at->data[i];

        if (ch != '/' && (!ngx_scale_conf_is_name(ch) || ch == '.')) {
            break;
        }
    }

#if (NGX_PCRE)
    if (clcf->regex) {
        i = 0;
    }
#endif

    if (clcf->exact_match || clcf->noname || i < at->len || at->len < 2
        || at->data[0] != '/' || at->data[i - 1] == '/')
    {
        return "is for a location of a prefix without \".\" or a \"/\" at its "
               "end, such as \"location /v1/queues/thumbs { }\"";
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_scale_queue_api_nowhere(ngx_http_request_t *r)
{
    return NGX_HTTP_NOT_FOUND;
}
