
/* the keys of scale_jwt: read, and read again when their files change */

#include "ngx_scale_issuer.h"


/* what is wrong with a file */

typedef struct {
    ngx_scale_issuer_file_t     *file;
    const char                  *reason;
    ngx_err_t                    err;
} ngx_scale_issuer_fault_t;


static void ngx_scale_issuer_refuse(ngx_conf_t *cf,
    ngx_scale_issuer_fault_t *fault);
static void ngx_scale_issuer_forget(void *data);
static ngx_scale_jwt_keys_t *ngx_scale_issuer_read(ngx_scale_issuer_t *issuer,
    ngx_log_t *log, ngx_scale_issuer_fault_t *fault);
static ngx_int_t ngx_scale_issuer_read_file(ngx_scale_issuer_t *issuer,
    ngx_scale_issuer_file_t *file, ngx_scale_jwt_keys_t *keys,
    ngx_scale_issuer_fault_t *fault);
static ssize_t ngx_scale_issuer_content(ngx_scale_issuer_file_t *file,
    u_char *content, size_t size);
static void ngx_scale_issuer_warn(ngx_scale_issuer_t *issuer);
static ngx_uint_t ngx_scale_issuer_changed(ngx_scale_issuer_t *issuer);
static void ngx_scale_issuer_tick(ngx_event_t *ev);
static void ngx_scale_issuer_look(ngx_scale_issuer_t *issuer);
static void ngx_scale_issuer_complain(ngx_scale_issuer_t *issuer,
    ngx_scale_issuer_fault_t *fault);


#define NGX_SCALE_ISSUER_TICK  2000        /* ms */


char *
ngx_scale_issuer_load(ngx_conf_t *cf, ngx_scale_issuer_t *issuer)
{
    ngx_pool_cleanup_t        *cln;
    ngx_scale_issuer_fault_t   fault;

    if (issuer->files.nelts == 0) {
        ngx_scale_conf_error(cf, &issuer->block.place,
                             "scale_jwt needs the keys of who signs: a "
                             "\"key_file\" in PEM, or a \"jwks_file\"");
        return NGX_CONF_ERROR;
    }

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NGX_CONF_ERROR;
    }

    issuer->trust.keys = ngx_scale_issuer_read(issuer, &cf->cycle->new_log,
                                               &fault);

    if (issuer->trust.keys == NULL) {
        ngx_scale_issuer_refuse(cf, &fault);
        return NGX_CONF_ERROR;
    }

    cln->handler = ngx_scale_issuer_forget;
    cln->data = issuer;

    return NGX_CONF_OK;
}


static void
ngx_scale_issuer_refuse(ngx_conf_t *cf, ngx_scale_issuer_fault_t *fault)
{
    u_char  *p, text[NGX_MAX_ERROR_STR];

    p = text;

    if (fault->err) {
        p = ngx_sprintf(p, " (%d: ", fault->err);
        p = ngx_strerror(fault->err, p, text + sizeof(text) - p - 1);
        *p++ = ')';
    }

    ngx_scale_conf_error(cf, &fault->file->place, "\"%V\" %s%*s",
                         &fault->file->path, fault->reason,
                         (size_t) (p - text), text);
}


/* those that a worker has by then */

static void
ngx_scale_issuer_forget(void *data)
{
    ngx_scale_issuer_t *issuer = data;

    ngx_scale_jwt_keys_destroy(issuer->trust.keys);
}


/* a set of all files; NULL: there is a fault */

static ngx_scale_jwt_keys_t *
ngx_scale_issuer_read(ngx_scale_issuer_t *issuer, ngx_log_t *log,
    ngx_scale_issuer_fault_t *fault)
{
    ngx_uint_t                i;
    ngx_scale_jwt_keys_t     *keys;
    ngx_scale_issuer_file_t  *file;

    file = issuer->files.elts;

    fault->file = file;
    fault->reason = "cannot be read for want of memory";
    fault->err = 0;

    keys = ngx_scale_jwt_keys_create(issuer->algs, log);
    if (keys == NULL) {
        return NULL;
    }

    for (i = 0; i < issuer->files.nelts; i++) {
        if (ngx_scale_issuer_read_file(issuer, &file[i], keys, fault)
            != NGX_OK)
        {
            ngx_scale_jwt_keys_destroy(keys);
            return NULL;
        }
    }

    if (ngx_scale_jwt_keys_count(keys) == 0) {
        fault->reason = "has no key of \"alg\", which is RS256 ES256 EdDSA "
                        "where it is not written";
        ngx_scale_jwt_keys_destroy(keys);
        return NULL;
    }

    return keys;
}


static ngx_int_t
ngx_scale_issuer_read_file(ngx_scale_issuer_t *issuer,
    ngx_scale_issuer_file_t *file, ngx_scale_jwt_keys_t *keys,
    ngx_scale_issuer_fault_t *fault)
{
    ssize_t    n;
    ngx_int_t  rc;
    ngx_str_t  content;

    u_char     buf[NGX_SCALE_JWT_KEYS_SIZE];

    fault->file = file;

    n = ngx_scale_issuer_content(file, buf, sizeof(buf));

    if (n < 0) {
        fault->reason = "cannot be read";
        fault->err = ngx_errno;
        return NGX_ERROR;
    }

    content.data = buf;
    content.len = n;

    if (n == sizeof(buf)) {
        fault->reason = "has more than 65535 bytes";
        rc = NGX_DECLINED;

    } else if (file->jwks) {
        rc = ngx_scale_jwt_keys_jwks(keys, &content, &issuer->trust.json,
                                     &fault->reason);
    } else {
        rc = ngx_scale_jwt_keys_pem(keys, &content, &file->kid,
                                    &fault->reason);
    }

    ngx_explicit_memzero(buf, sizeof(buf));

    return rc;
}


/* the version is taken first: what is written meanwhile is another one */

static ssize_t
ngx_scale_issuer_content(ngx_scale_issuer_file_t *file, u_char *content,
    size_t size)
{
    ssize_t          n;
    ngx_fd_t         fd;
    ngx_err_t        err;
    ngx_file_info_t  fi;

    fd = ngx_open_file(file->path.data, NGX_FILE_RDONLY|NGX_FILE_NONBLOCK,
                       NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        return NGX_ERROR;
    }

    n = NGX_ERROR;

    if (ngx_fd_info(fd, &fi) != NGX_FILE_ERROR) {
        file->uniq = ngx_file_uniq(&fi);
        file->changed = fi.st_ctim;

        n = ngx_read_fd(fd, content, size);
    }

    err = ngx_errno;

    (void) ngx_close_file(fd);

    ngx_set_errno(err);

    return n;
}


void
ngx_scale_issuers_open(ngx_cycle_t *cycle, ngx_scale_main_conf_t *main)
{
    ngx_uint_t            i;
    ngx_scale_issuer_t  **issuer;

    issuer = main->auth[NGX_SCALE_AUTH_JWT].elts;

    for (i = 0; i < main->auth[NGX_SCALE_AUTH_JWT].nelts; i++) {
        issuer[i]->log = cycle->log;
        issuer[i]->timer.handler = ngx_scale_issuer_tick;
        issuer[i]->timer.data = issuer[i];
        issuer[i]->timer.log = cycle->log;
        issuer[i]->timer.cancelable = 1;

        ngx_add_timer(&issuer[i]->timer, NGX_SCALE_ISSUER_TICK);

        if (ngx_worker == 0) {
            ngx_scale_issuer_warn(issuer[i]);
        }
    }
}


static void
ngx_scale_issuer_warn(ngx_scale_issuer_t *issuer)
{
    ngx_fd_t                  fd;
    ngx_uint_t                i;
    ngx_scale_issuer_file_t  *file;

    file = issuer->files.elts;

    for (i = 0; i < issuer->files.nelts; i++) {

        fd = ngx_open_file(file[i].path.data,
                           NGX_FILE_RDONLY|NGX_FILE_NONBLOCK, NGX_FILE_OPEN,
                           0);

        if (fd != NGX_INVALID_FILE) {
            (void) ngx_close_file(fd);
            continue;
        }

        ngx_log_error(NGX_LOG_WARN, issuer->log, ngx_errno,
                      "scale_jwt \"%V\": \"%V\" cannot be read by a worker, "
                      "so that new keys need a reload; let the user of the "
                      "workers read it", &issuer->block.name, &file[i].path);
    }
}


void
ngx_scale_issuers_close(ngx_scale_main_conf_t *main)
{
    ngx_uint_t            i;
    ngx_scale_issuer_t  **issuer;

    issuer = main->auth[NGX_SCALE_AUTH_JWT].elts;

    for (i = 0; i < main->auth[NGX_SCALE_AUTH_JWT].nelts; i++) {
        if (issuer[i]->timer.timer_set) {
            ngx_del_timer(&issuer[i]->timer);
        }
    }
}


static void
ngx_scale_issuer_tick(ngx_event_t *ev)
{
    ngx_scale_issuer_t *issuer = ev->data;

    ngx_add_timer(&issuer->timer, NGX_SCALE_ISSUER_TICK);

    if (ngx_scale_issuer_changed(issuer)) {
        ngx_scale_issuer_look(issuer);
    }
}


/* a file that is written over, replaced, or gone; each version counts once */

static ngx_uint_t
ngx_scale_issuer_changed(ngx_scale_issuer_t *issuer)
{
    ngx_uint_t                i, changed;
    ngx_file_info_t           fi;
    ngx_scale_issuer_file_t  *file;

    file = issuer->files.elts;
    changed = 0;

    for (i = 0; i < issuer->files.nelts; i++) {

        if (ngx_file_info(file[i].path.data, &fi) == NGX_FILE_ERROR) {
            ngx_memzero(&fi, sizeof(ngx_file_info_t));
        }

        if (ngx_file_uniq(&fi) != file[i].uniq
            || fi.st_ctim.tv_sec != file[i].changed.tv_sec
            || fi.st_ctim.tv_nsec != file[i].changed.tv_nsec)
        {
            file[i].uniq = ngx_file_uniq(&fi);
            file[i].changed = fi.st_ctim;
            changed = 1;
        }
    }

    return changed;
}


static void
ngx_scale_issuer_look(ngx_scale_issuer_t *issuer)
{
    ngx_scale_jwt_keys_t      *keys;
    ngx_scale_issuer_fault_t   fault;

    keys = ngx_scale_issuer_read(issuer, issuer->log, &fault);

    if (keys == NULL) {
        ngx_scale_issuer_complain(issuer, &fault);
        return;
    }

    issuer->fault = NULL;

    ngx_log_error(NGX_LOG_NOTICE, issuer->log, 0,
                  "scale_jwt \"%V\": its keys have changed, there are %ui",
                  &issuer->block.name, ngx_scale_jwt_keys_count(keys));

    ngx_scale_jwt_keys_destroy(issuer->trust.keys);
    issuer->trust.keys = keys;
}


/* of a file that is written just now it may be no more: it is read again */

static void
ngx_scale_issuer_complain(ngx_scale_issuer_t *issuer,
    ngx_scale_issuer_fault_t *fault)
{
    ngx_uint_t                i;
    ngx_scale_issuer_file_t  *file;

    if (fault->reason != issuer->fault) {
        issuer->fault = fault->reason;

        ngx_log_error(NGX_LOG_ERR, issuer->log, fault->err,
                      "scale_jwt \"%V\": \"%V\" %s; the keys it had are used",
                      &issuer->block.name, &fault->file->path,
                      fault->reason);
    }

    file = issuer->files.elts;

    for (i = 0; i < issuer->files.nelts; i++) {
        file[i].uniq = 0;
    }
}
