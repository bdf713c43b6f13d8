
/* what libpq's TLS leaves for its caller to do */

#include "pg/conn.h"
#include "pg/session.h"
#include <openssl/err.h>
#include <openssl/ssl.h>


/*
 * A TLS record has up to 16 kB, and libpq reads as much of it as it has room
 * for: the rest waits inside of OpenSSL, and no event tells of it.
 */

ngx_uint_t
ngx_scale_pg_tls_pending(ngx_scale_pg_conn_t *conn)
{
    SSL  *ssl;

    ssl = PQsslStruct(conn->pgconn, "OpenSSL");

    return ssl && SSL_pending(ssl) > 0;
}


/* nginx logs what it finds in the queue of errors as an alert of its own */

void
ngx_scale_pg_tls_clear(void)
{
    ERR_clear_error();
}
