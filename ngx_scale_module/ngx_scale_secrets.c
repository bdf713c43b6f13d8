
#include "ngx_scale_secrets.h"


/* what tells a file from what it was */

typedef struct {
    dev_t                        device;
    ino_t                        inode;
    off_t                        size;
    struct timespec              written;
    struct timespec              changed;
} ngx_scale_secret_stamp_t;


typedef struct {
    const char                  *title;
    ngx_str_t                    files[NGX_SCALE_SECRET_FILES];
    ngx_uint_t                   n;
    ngx_scale_secret_renew_pt    renew;
    void                        *data;

    /* the worker's */

    ngx_scale_secret_stamp_t     stamps[NGX_SCALE_SECRET_FILES];
    unsigned                     complained:1;
} ngx_scale_secret_t;


static ngx_int_t ngx_scale_secrets_stamp(ngx_scale_secret_t *secret,
    ngx_scale_secret_stamp_t *stamps);
static ngx_int_t ngx_scale_secrets_stamp_one(ngx_str_t *file,
    ngx_scale_secret_stamp_t *stamp);
static void ngx_scale_secrets_timer(ngx_event_t *ev);
static void ngx_scale_secrets_look(ngx_scale_secret_t *secret, ngx_log_t *log,
    ngx_uint_t first);
static void ngx_scale_secrets_complain(ngx_scale_secret_t *secret,
    ngx_log_t *log, ngx_uint_t first, ngx_err_t err, ngx_str_t *error);


#define NGX_SCALE_SECRETS_INTERVAL  2000
#define NGX_SCALE_SECRETS_POOL      1024


ngx_int_t
ngx_scale_secrets_create(ngx_conf_t *cf, ngx_scale_main_conf_t *main)
{
    main->secrets = ngx_scale_secret_alloc(cf->pool,
                                           sizeof(ngx_scale_sign_keys_t));
    if (main->secrets == NULL) {
        return NGX_ERROR;
    }

    return ngx_array_init(&main->secret_files, cf->pool, 4,
                          sizeof(ngx_scale_secret_t));
}


ngx_int_t
ngx_scale_secrets_follow(ngx_conf_t *cf, const char *title,
    ngx_str_t *files, ngx_uint_t n, ngx_scale_secret_renew_pt renew,
    void *data)
{
    ngx_uint_t              i;
    ngx_scale_secret_t     *secret;
    ngx_scale_main_conf_t  *main;

    main = ngx_http_conf_get_module_main_conf(cf, ngx_scale_module);

    secret = ngx_array_push(&main->secret_files);
    if (secret == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(secret, sizeof(ngx_scale_secret_t));

    secret->title = title;
    secret->renew = renew;
    secret->data = data;

    for (i = 0; i < n; i++) {
        if (files[i].len) {
            secret->files[secret->n++] = files[i];
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_scale_secrets_read(ngx_str_t *file, ngx_str_t *content)
{
    ssize_t    n;
    ngx_fd_t   fd;
    ngx_err_t  err;

    fd = ngx_open_file(file->data, NGX_FILE_RDONLY|NGX_FILE_NONBLOCK,
                       NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        return NGX_ERROR;
    }

    n = ngx_read_fd(fd, content->data, content->len);
    err = ngx_errno;

    (void) ngx_close_file(fd);

    if (n < 0) {
        ngx_set_errno(err);
        return NGX_ERROR;
    }

    if ((size_t) n == content->len) {
        return NGX_DECLINED;
    }

    content->len = n;

    return NGX_OK;
}


void
ngx_scale_secrets_open(ngx_scale_main_conf_t *main, ngx_log_t *log)
{
    ngx_uint_t           i;
    ngx_event_t         *ev;
    ngx_scale_secret_t  *secret;

    ev = &main->secrets_timer;
    secret = main->secret_files.elts;

    ev->handler = ngx_scale_secrets_timer;
    ev->data = main;
    ev->log = log;
    ev->cancelable = 1;

    for (i = 0; i < main->secret_files.nelts; i++) {
        ngx_scale_secrets_look(&secret[i], log, 1);
    }

    if (main->secret_files.nelts) {
        ngx_add_timer(ev, NGX_SCALE_SECRETS_INTERVAL);
    }
}


void
ngx_scale_secrets_close(ngx_scale_main_conf_t *main)
{
    if (main->secrets_timer.timer_set) {
        ngx_del_timer(&main->secrets_timer);
    }
}


static void
ngx_scale_secrets_timer(ngx_event_t *ev)
{
    ngx_scale_main_conf_t *main = ev->data;

    ngx_uint_t           i;
    ngx_scale_secret_t  *secret;

    secret = main->secret_files.elts;

    for (i = 0; i < main->secret_files.nelts; i++) {
        ngx_scale_secrets_look(&secret[i], ev->log, 0);
    }

    ngx_add_timer(ev, NGX_SCALE_SECRETS_INTERVAL);
}


/* written over while it is read, it is read again: the stamp is older */

static void
ngx_scale_secrets_look(ngx_scale_secret_t *secret, ngx_log_t *log,
    ngx_uint_t first)
{
    ngx_int_t                  rc;
    ngx_err_t                  err;
    ngx_str_t                  error;
    ngx_pool_t                *pool;
    ngx_scale_secret_stamp_t   stamps[NGX_SCALE_SECRET_FILES];

    rc = ngx_scale_secrets_stamp(secret, stamps);
    err = ngx_errno;

    if (rc == NGX_OK
        && ngx_memcmp(stamps, secret->stamps, sizeof(stamps)) == 0)
    {
        return;
    }

    pool = ngx_create_pool(NGX_SCALE_SECRETS_POOL, log);
    if (pool == NULL) {
        return;
    }

    if (rc == NGX_OK && ngx_scale_secret_pool(pool) == NGX_OK) {
        rc = secret->renew(secret->data, pool, &error);
        err = ngx_errno;
    }

    if (rc == NGX_OK && !first && ngx_worker == 0) {
        ngx_log_error(NGX_LOG_NOTICE, log, 0, "%s \"%V\" has changed and is "
                      "used", secret->title, &secret->files[0]);
    }

    if (rc != NGX_OK && !secret->complained) {
        ngx_scale_secrets_complain(secret, log, first,
                                   rc == NGX_ERROR ? err : 0, &error);
    }

    secret->complained = rc != NGX_OK;

    if (rc != NGX_ERROR) {
        ngx_memcpy(secret->stamps, stamps, sizeof(stamps));
    }

    ngx_destroy_pool(pool);
}


static ngx_int_t
ngx_scale_secrets_stamp(ngx_scale_secret_t *secret,
    ngx_scale_secret_stamp_t *stamps)
{
    ngx_uint_t  i;

    ngx_memzero(stamps, NGX_SCALE_SECRET_FILES
                        * sizeof(ngx_scale_secret_stamp_t));

    for (i = 0; i < secret->n; i++) {
        if (ngx_scale_secrets_stamp_one(&secret->files[i], &stamps[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* opened, since who may not read it may still see when it was written */

static ngx_int_t
ngx_scale_secrets_stamp_one(ngx_str_t *file, ngx_scale_secret_stamp_t *stamp)
{
    ngx_fd_t         fd;
    ngx_int_t        rc;
    ngx_file_info_t  fi;

    fd = ngx_open_file(file->data, NGX_FILE_RDONLY|NGX_FILE_NONBLOCK,
                       NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        return NGX_ERROR;
    }

    rc = ngx_fd_info(fd, &fi) == NGX_FILE_ERROR ? NGX_ERROR : NGX_OK;

    (void) ngx_close_file(fd);

    if (rc == NGX_OK) {
        stamp->device = fi.st_dev;
        stamp->inode = fi.st_ino;
        stamp->size = fi.st_size;
        stamp->written = fi.st_mtim;
        stamp->changed = fi.st_ctim;
    }

    return rc;
}


/* by one worker: the others see the same */

static void
ngx_scale_secrets_complain(ngx_scale_secret_t *secret, ngx_log_t *log,
    ngx_uint_t first, ngx_err_t err, ngx_str_t *error)
{
    if (ngx_worker != 0) {
        return;
    }

    if (err == 0) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "%s \"%V\" has changed, but %V; what it held before is "
                      "used until it is put right", secret->title,
                      &secret->files[0], error);

    } else if (first) {
        ngx_log_error(NGX_LOG_WARN, log, err,
                      "%s \"%V\" cannot be read by a worker, so that a new "
                      "one needs a reload; let the user of the workers read "
                      "it", secret->title, &secret->files[0]);

    } else {
        ngx_log_error(NGX_LOG_ERR, log, err,
                      "%s \"%V\" cannot be read; what it held before is used",
                      secret->title, &secret->files[0]);
    }
}


void
ngx_scale_secrets_cleanse(ngx_conf_t *cf)
{
#if (NGX_HTTP_SSL)

    ngx_uint_t                   i;
    ngx_http_ssl_srv_conf_t     *sscf;
    ngx_http_core_srv_conf_t   **cscfp;
    ngx_http_core_main_conf_t   *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    cscfp = cmcf->servers.elts;

    for (i = 0; i < cmcf->servers.nelts; i++) {
        sscf = cscfp[i]->ctx->srv_conf[ngx_http_ssl_module.ctx_index];

        if (sscf->ssl.ctx) {
            ngx_scale_secret_tls(sscf->ssl.ctx);
        }
    }

#endif
}
