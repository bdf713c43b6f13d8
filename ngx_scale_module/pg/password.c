
/*
 * The content of password_file, read before each attempt to connect: a file
 * that was replaced, or written over, counts from the next connection on.
 * What cannot be read leaves the password that worked, in the configuration's
 * own memory, of which this process has a copy.
 */

#include "pg/cluster.h"
#include "pg/session.h"


static void ngx_scale_pg_password_complain(ngx_scale_pg_t *pg, ngx_int_t rc,
    ngx_err_t err);


ngx_int_t
ngx_scale_pg_password_read(ngx_str_t *file, u_char *password)
{
    ssize_t    n;
    ngx_fd_t   fd;
    ngx_err_t  err;

    fd = ngx_open_file(file->data, NGX_FILE_RDONLY|NGX_FILE_NONBLOCK,
                       NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        return NGX_ERROR;
    }

    n = ngx_read_fd(fd, password, NGX_SCALE_PG_PASSWORD_SIZE);
    err = ngx_errno;

    (void) ngx_close_file(fd);

    if (n < 0) {
        ngx_set_errno(err);
        return NGX_ERROR;
    }

    if (n == NGX_SCALE_PG_PASSWORD_SIZE) {
        return NGX_DECLINED;
    }

    while (n && (password[n - 1] == LF || password[n - 1] == CR)) {
        n--;
    }

    password[n] = '\0';

    return n && ngx_strlen(password) == (size_t) n ? NGX_OK : NGX_DECLINED;
}


void
ngx_scale_pg_password_init(ngx_scale_pg_t *pg)
{
    u_char     password[NGX_SCALE_PG_PASSWORD_SIZE];
    ngx_err_t  err;

    if (pg->conf->password_file.len == 0) {
        return;
    }

    if (ngx_scale_pg_password_read(&pg->conf->password_file, password)
        == NGX_ERROR)
    {
        err = ngx_errno;
        pg->unreadable = 1;

        if (ngx_worker == 0) {
            ngx_log_error(NGX_LOG_WARN, pg->log, err,
                          "database \"%V\": password_file \"%V\" cannot be "
                          "read by a worker, so that a new password needs a "
                          "reload; let the user of the workers read it",
                          &pg->conf->name, &pg->conf->password_file);
        }
    }

    ngx_explicit_memzero(password, sizeof(password));
}


const char *
ngx_scale_pg_password(ngx_scale_pg_t *pg)
{
    u_char     password[NGX_SCALE_PG_PASSWORD_SIZE];
    ngx_int_t  rc;
    ngx_err_t  err;

    if (pg->conf->password_file.len == 0) {
        return NULL;
    }

    rc = ngx_scale_pg_password_read(&pg->conf->password_file, password);
    err = ngx_errno;

    if (rc == NGX_OK) {
        pg->unreadable = 0;

        if (ngx_strcmp(password, pg->conf->password) != 0) {
            ngx_log_error(NGX_LOG_NOTICE, pg->log, 0,
                          "database \"%V\": password_file has changed",
                          &pg->conf->name);

            ngx_explicit_memzero(pg->conf->password,
                                 NGX_SCALE_PG_PASSWORD_SIZE);
            ngx_memcpy(pg->conf->password, password, ngx_strlen(password) + 1);
        }

    } else if (!pg->unreadable) {
        pg->unreadable = 1;
        ngx_scale_pg_password_complain(pg, rc, err);
    }

    ngx_explicit_memzero(password, sizeof(password));

    return (char *) pg->conf->password;
}


static void
ngx_scale_pg_password_complain(ngx_scale_pg_t *pg, ngx_int_t rc, ngx_err_t err)
{
    if (rc == NGX_ERROR) {
        ngx_log_error(NGX_LOG_ERR, pg->log, err,
                      "database \"%V\": password_file \"%V\" cannot be read; "
                      "the password it had is used", &pg->conf->name,
                      &pg->conf->password_file);
        return;
    }

    ngx_log_error(NGX_LOG_ERR, pg->log, 0,
                  "database \"%V\": password_file \"%V\" must hold the "
                  "password and nothing else, at most %d bytes; the password "
                  "it had is used", &pg->conf->name, &pg->conf->password_file,
                  NGX_SCALE_PG_PASSWORD_SIZE - 1);
}
