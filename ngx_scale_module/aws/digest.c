
#include "aws/aws_int.h"
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>


ngx_int_t
ngx_scale_aws_sha256(u_char *data, size_t len, u_char *digest)
{
    return EVP_Digest(data, len, digest, NULL, EVP_sha256(), NULL) == 1
           ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_scale_aws_hmac(u_char *key, size_t key_len, u_char *data, size_t len,
    u_char *mac)
{
    return HMAC(EVP_sha256(), key, (int) key_len, data, len, mac, NULL)
           ? NGX_OK : NGX_ERROR;
}


ngx_uint_t
ngx_scale_aws_equal(u_char *a, u_char *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}
