
/*
 * SCALE_STEP: where a worker waits until a controller lets it go, so that an
 * interleaving of workers can be played again.  The controller listens at the
 * unix domain socket that the environment's SCALE_STEP names; it is told "pid
 * step", and answers with a line.  Never in a module that is shipped.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_scale.h"


#if (NGX_SCALE_STEP)

static ngx_int_t ngx_scale_step_connect(ngx_socket_t s, const char *path);


void
ngx_scale_step(const char *name)
{
    u_char        ch, line[128];
    size_t        len;
    const char   *path;

    static ngx_socket_t  s = (ngx_socket_t) -1;
    static ngx_pid_t     pid;

    path = getenv("SCALE_STEP");

    if (path == NULL) {
        return;
    }

    if (pid != ngx_pid) {
        pid = ngx_pid;
        s = socket(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 0);

        if (s != (ngx_socket_t) -1
            && ngx_scale_step_connect(s, path) != NGX_OK)
        {
            ngx_close_socket(s);
            s = (ngx_socket_t) -1;
        }
    }

    if (s == (ngx_socket_t) -1) {
        return;
    }

    len = ngx_snprintf(line, sizeof(line), "%P %s\n", pid, name) - line;

    if (send(s, line, len, MSG_NOSIGNAL) != (ssize_t) len) {
        return;
    }

    while (recv(s, &ch, 1, 0) == 1 && ch != LF) { /* void */ }
}


static ngx_int_t
ngx_scale_step_connect(ngx_socket_t s, const char *path)
{
    struct sockaddr_un  address;

    ngx_memzero(&address, sizeof(address));

    address.sun_family = AF_UNIX;
    ngx_cpystrn((u_char *) address.sun_path, (u_char *) path,
                sizeof(address.sun_path));

    return connect(s, (struct sockaddr *) &address, sizeof(address)) == 0
           ? NGX_OK : NGX_ERROR;
}

#endif
