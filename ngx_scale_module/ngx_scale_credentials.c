
#include "ngx_scale_credentials.h"


static ngx_scale_credentials_t *ngx_scale_credentials_create(ngx_conf_t *cf,
    ngx_scale_main_conf_t *main);
static ngx_int_t ngx_scale_credentials_env(ngx_conf_t *cf,
    ngx_scale_credentials_t *credentials);
static ngx_int_t ngx_scale_credentials_file(ngx_conf_t *cf,
    ngx_scale_credentials_t *credentials);
static void ngx_scale_credentials_look(ngx_event_t *ev);
static void ngx_scale_credentials_again(ngx_scale_credentials_t *credentials,
    ngx_log_t *log);
static ngx_int_t ngx_scale_credentials_read(ngx_str_t *file, u_char *content,
    size_t *len);
static void ngx_scale_credentials_complain(
    ngx_scale_credentials_t *credentials, ngx_log_t *log, ngx_err_t err,
    ngx_str_t *error);


#define NGX_SCALE_CREDENTIALS_SIZE  8192
#define NGX_SCALE_CREDENTIALS_LOOK  5000   /* ms */


ngx_scale_credentials_t *
ngx_scale_credentials_conf(ngx_conf_t *cf, ngx_str_t *path)
{
    ngx_str_t                  file;
    ngx_uint_t                 i;
    ngx_scale_main_conf_t     *main;
    ngx_scale_credentials_t  **known, *credentials;

    main = ngx_http_conf_get_module_main_conf(cf, ngx_scale_module);

    ngx_str_null(&file);

    if (path) {
        file = *path;

        if (ngx_conf_full_name(cf->cycle, &file, 1) != NGX_OK) {
            return NULL;
        }
    }

    known = main->credentials.elts;

    for (i = 0; i < main->credentials.nelts; i++) {
        if (ngx_scale_same(&known[i]->file, &file)) {
            return known[i];
        }
    }

    credentials = ngx_scale_credentials_create(cf, main);
    if (credentials == NULL) {
        return NULL;
    }

    credentials->file = file;

    if ((file.len ? ngx_scale_credentials_file(cf, credentials)
                  : ngx_scale_credentials_env(cf, credentials))
        != NGX_OK)
    {
        return NULL;
    }

    credentials->current.version = 1;

    return credentials;
}


static ngx_scale_credentials_t *
ngx_scale_credentials_create(ngx_conf_t *cf, ngx_scale_main_conf_t *main)
{
    ngx_scale_credentials_t  **slot, *credentials;

    credentials = ngx_pcalloc(cf->pool, sizeof(ngx_scale_credentials_t));
    slot = ngx_array_push(&main->credentials);

    if (credentials == NULL || slot == NULL) {
        return NULL;
    }

    *slot = credentials;

    return credentials;
}


/* copies: a worker that is started has another environment */

static ngx_int_t
ngx_scale_credentials_env(ngx_conf_t *cf, ngx_scale_credentials_t *credentials)
{
    char        *value;
    ngx_str_t   *into;
    ngx_uint_t   i;

    static struct {
        const char  *name;
        size_t       offset;
        ngx_uint_t   needed;
    } variable[] = {
        { "AWS_ACCESS_KEY_ID", offsetof(ngx_scale_aws_credentials_t, id), 1 },
        { "AWS_SECRET_ACCESS_KEY",
          offsetof(ngx_scale_aws_credentials_t, secret), 1 },
        { "AWS_SESSION_TOKEN", offsetof(ngx_scale_aws_credentials_t, token),
          0 },
        { NULL, 0, 0 }
    };

    for (i = 0; variable[i].name; i++) {
        value = getenv(variable[i].name);
        into = (ngx_str_t *) ((u_char *) &credentials->current
                              + variable[i].offset);

        if (value == NULL && variable[i].needed) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "the environment of nginx has no \"%s\"; set "
                               "it, or write credentials file=path",
                               variable[i].name);
            return NGX_ERROR;
        }

        if (value && ngx_scale_conf_copy(cf->pool, (u_char *) value,
                                         ngx_strlen(value), into)
                     == NULL)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_scale_credentials_file(ngx_conf_t *cf,
    ngx_scale_credentials_t *credentials)
{
    ngx_str_t  content, error;

    credentials->content = ngx_pnalloc(cf->pool, NGX_SCALE_CREDENTIALS_SIZE);
    if (credentials->content == NULL) {
        return NGX_ERROR;
    }

    if (ngx_scale_credentials_read(&credentials->file, credentials->content,
                                   &credentials->len)
        != NGX_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "credentials \"%V\" cannot be read",
                           &credentials->file);
        return NGX_ERROR;
    }

    content.data = credentials->content;
    content.len = credentials->len;

    if (ngx_scale_aws_credentials_read(&content, &credentials->current, &error)
        != NGX_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" %V",
                           &credentials->file, &error);
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_scale_credentials_open(ngx_cycle_t *cycle, ngx_scale_main_conf_t *main)
{
    ngx_event_t  *ev;

    if (main->credentials.nelts == 0) {
        return;
    }

    ev = &main->look;

    ev->handler = ngx_scale_credentials_look;
    ev->data = main;
    ev->log = cycle->log;
    ev->cancelable = 1;

    ngx_add_timer(ev, NGX_SCALE_CREDENTIALS_LOOK);
}


void
ngx_scale_credentials_close(ngx_scale_main_conf_t *main)
{
    if (main->look.timer_set) {
        ngx_del_timer(&main->look);
    }
}


static void
ngx_scale_credentials_look(ngx_event_t *ev)
{
    ngx_scale_main_conf_t  *main = ev->data;

    ngx_uint_t                 i;
    ngx_scale_credentials_t  **credentials;

    credentials = main->credentials.elts;

    for (i = 0; i < main->credentials.nelts; i++) {
        if (credentials[i]->file.len) {
            ngx_scale_credentials_again(credentials[i], ev->log);
        }
    }

    ngx_add_timer(ev, NGX_SCALE_CREDENTIALS_LOOK);
}


/* what cannot be used leaves what was */

static void
ngx_scale_credentials_again(ngx_scale_credentials_t *credentials,
    ngx_log_t *log)
{
    u_char                       content[NGX_SCALE_CREDENTIALS_SIZE];
    size_t                       len;
    ngx_str_t                    text, error;
    ngx_uint_t                   version;
    ngx_scale_aws_credentials_t  now;

    if (ngx_scale_credentials_read(&credentials->file, content, &len)
        != NGX_OK)
    {
        ngx_scale_credentials_complain(credentials, log, ngx_errno, NULL);
        return;
    }

    if (len == credentials->len
        && ngx_memcmp(content, credentials->content, len) == 0)
    {
        credentials->unreadable = 0;
        goto done;
    }

    text.data = content;
    text.len = len;

    if (ngx_scale_aws_credentials_read(&text, &now, &error) != NGX_OK) {
        ngx_scale_credentials_complain(credentials, log, 0, &error);
        goto done;
    }

    ngx_log_error(NGX_LOG_NOTICE, log, 0, "credentials \"%V\" have changed",
                  &credentials->file);

    credentials->unreadable = 0;
    version = credentials->current.version;

    ngx_explicit_memzero(credentials->content, NGX_SCALE_CREDENTIALS_SIZE);
    ngx_memcpy(credentials->content, content, len);
    credentials->len = len;

    text.data = credentials->content;

    (void) ngx_scale_aws_credentials_read(&text, &credentials->current,
                                          &error);
    credentials->current.version = version + 1;

done:

    ngx_explicit_memzero(content, sizeof(content));
}


static ngx_int_t
ngx_scale_credentials_read(ngx_str_t *file, u_char *content, size_t *len)
{
    ssize_t    n;
    ngx_fd_t   fd;
    ngx_err_t  err;

    fd = ngx_open_file(file->data, NGX_FILE_RDONLY|NGX_FILE_NONBLOCK,
                       NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        return NGX_ERROR;
    }

    n = ngx_read_fd(fd, content, NGX_SCALE_CREDENTIALS_SIZE);
    err = ngx_errno;

    (void) ngx_close_file(fd);

    if (n < 0 || n == NGX_SCALE_CREDENTIALS_SIZE) {
        ngx_set_errno(n < 0 ? err : EFBIG);
        return NGX_ERROR;
    }

    *len = n;

    return NGX_OK;
}


static void
ngx_scale_credentials_complain(ngx_scale_credentials_t *credentials,
    ngx_log_t *log, ngx_err_t err, ngx_str_t *error)
{
    if (credentials->unreadable) {
        return;
    }

    credentials->unreadable = 1;

    ngx_log_error(NGX_LOG_ERR, log, err,
                  "credentials \"%V\" %s%V; those it had are used",
                  &credentials->file, error ? "" : "cannot be read",
                  error ? error : &(ngx_str_t) ngx_null_string);
}
