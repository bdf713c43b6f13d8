
#include "secret/secret.h"
#include <openssl/ssl.h>


/* OpenSSL 3.0 and newer, SSL_CTX_set_options(3) */

void
ngx_scale_secret_tls(void *ctx)
{
#ifdef SSL_OP_CLEANSE_PLAINTEXT
    (void) SSL_CTX_set_options(ctx, SSL_OP_CLEANSE_PLAINTEXT);
#else
    (void) ctx;
#endif
}
