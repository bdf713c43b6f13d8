/* sources: aws/digest.c aws/encode.c aws/canonical.c aws/key.c aws/sign.c */

#include "aws/aws.h"
#include "test.h"
#include "aws_vectors.h"


static ngx_scale_aws_credentials_t  credentials = {
    ngx_string("AKIDEXAMPLE"),
    ngx_string("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
    ngx_null_string,
    1
};

static ngx_scale_aws_scope_t  scope = {
    ngx_string("us-east-1"), ngx_string("service"), 0, { 0 }, { 0 }
};


static ngx_str_t
str(const char *text)
{
    ngx_str_t  s;

    s.data = (u_char *) text;
    s.len = ngx_strlen(text);

    return s;
}


static void
add(ngx_array_t *headers, ngx_str_t key, ngx_str_t value)
{
    ngx_keyval_t  *header;

    header = ngx_array_push(headers);
    header->key = key;
    header->value = value;
}


/* "line" is behind the request line; a line that begins with a space goes on */

static char *
read_headers(char *line, ngx_array_t *headers)
{
    char       *end, *colon;
    ngx_str_t   key, value;

    while (*line && *line != '\n') {
        end = strchr(line, '\n');

        while (end && end[1] == ' ') {
            end = strchr(end + 1, '\n');
        }

        end = end ? end : line + strlen(line);
        colon = strchr(line, ':');

        key.data = (u_char *) line;
        key.len = colon - line;
        value.data = (u_char *) colon + 1;
        value.len = end - colon - 1;
        add(headers, key, value);

        line = *end ? end + 1 : end;
    }

    return *line ? line + 1 : line;
}


static void
read_request(ngx_pool_t *pool, vector_t *vector, u_char *hash,
    ngx_scale_aws_request_t *request)
{
    char       *line, *space, *last, *query;
    ngx_str_t   body;

    ngx_memzero(request, sizeof(ngx_scale_aws_request_t));
    request->headers = ngx_array_create(pool, 4, sizeof(ngx_keyval_t));

    line = ngx_pcalloc(pool, strlen(vector->request) + 1);
    strcpy(line, vector->request);
    space = strchr(line, ' ');
    last = strstr(line, " HTTP/1.1");
    query = memchr(space, '?', last - space);

    request->method.data = (u_char *) line;
    request->method.len = space - line;
    request->path.data = (u_char *) space + 1;
    request->path.len = (query ? query : last) - space - 1;

    if (query) {
        request->args.data = (u_char *) query + 1;
        request->args.len = last - query - 1;
    }

    body = str(read_headers(strchr(line, '\n') + 1, request->headers));
    ngx_scale_aws_hash(body.data, body.len, hash);

    request->payload.data = hash;
    request->payload.len = NGX_SCALE_AWS_HEX;
}


static void
run(ngx_pool_t *pool, vector_t *vector)
{
    u_char                   hash[NGX_SCALE_AWS_HEX];
    ngx_str_t                canonical, names, text, authorization;
    const char              *token;
    ngx_scale_aws_request_t  request;

    read_request(pool, vector, hash, &request);

    /* what a request lacks, and what is signed of it */

    token = strstr(vector->canonical, "x-amz-security-token:");

    if (token && strstr(vector->request, "X-Amz-Security-Token") == NULL) {
        token += strlen("x-amz-security-token:");
        text.data = (u_char *) token;
        text.len = strchr(token, '\n') - token;
        add(request.headers, str("X-Amz-Security-Token"), text);
    }

    ngx_scale_aws_canonical(pool, &scope, &request, NULL, &canonical, &names);
    is_str(canonical, vector->canonical, vector->name);

    ngx_scale_aws_text(pool, &scope, (u_char *) "20150830T123600Z", &canonical,
                       &text);
    is_str(text, vector->text, vector->name);

    ngx_scale_aws_authorize(pool, &scope, &credentials, &request,
                            (u_char *) "20150830T123600Z", &authorization);
    is_str(authorization, vector->authorization, vector->name);
}


int
main(void)
{
    ngx_uint_t   i;
    ngx_pool_t  *pool;

    pool = test_pool();

    for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        run(pool, &vectors[i]);
    }

    ngx_destroy_pool(pool);

    return done();
}
