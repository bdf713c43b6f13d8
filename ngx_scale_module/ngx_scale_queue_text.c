
/* directives that are written by a directive */

#include "ngx_scale_queue.h"


typedef struct {
    ngx_str_t    name;                     /* with its "%" */
    ngx_str_t    value;
} ngx_scale_queue_word_t;


static ngx_int_t ngx_scale_queue_words(ngx_conf_t *cf,
    ngx_scale_queue_t *queue, ngx_str_t *at, ngx_scale_queue_word_t *words);
static ngx_int_t ngx_scale_queue_word(ngx_conf_t *cf,
    ngx_scale_queue_word_t *word, const char *name, const char *fmt, ...);
static ngx_scale_queue_word_t *ngx_scale_queue_word_at(
    ngx_scale_queue_word_t *words, u_char *p, u_char *last);
static char *ngx_scale_queue_parse(ngx_conf_t *cf, ngx_str_t *text);


#define NGX_SCALE_QUEUE_NWORDS  10
#define NGX_SCALE_QUEUE_WORD    256        /* bytes of one */


char *
ngx_scale_queue_text(ngx_conf_t *cf, ngx_scale_queue_t *queue, ngx_str_t *at,
    ngx_str_t *text)
{
    u_char                  *p, *last, *out;
    ngx_str_t                filled;
    ngx_uint_t               n;
    ngx_scale_queue_word_t  *word, words[NGX_SCALE_QUEUE_NWORDS];

    if (ngx_scale_queue_words(cf, queue, at, words) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    n = 0;
    last = text->data + text->len;

    for (p = text->data; p < last; p++) {
        n += *p == '%';
    }

    filled.data = ngx_pnalloc(cf->temp_pool,
                              text->len + n * NGX_SCALE_QUEUE_WORD);
    if (filled.data == NULL) {
        return NGX_CONF_ERROR;
    }

    out = filled.data;

    for (p = text->data; p < last; /* void */ ) {
        word = ngx_scale_queue_word_at(words, p, last);

        if (word == NULL) {
            *out++ = *p++;
            continue;
        }

        out = ngx_cpymem(out, word->value.data, word->value.len);
        p += word->name.len;
    }

    filled.len = out - filled.data;

    return ngx_scale_queue_parse(cf, &filled);
}


static ngx_int_t
ngx_scale_queue_words(ngx_conf_t *cf, ngx_scale_queue_t *queue, ngx_str_t *at,
    ngx_scale_queue_word_t *words)
{
    ngx_int_t                rc;
    ngx_scale_queue_word_t  *w;

    w = words;

    rc = ngx_scale_queue_word(cf, w++, "%at%", "%V", at);
    rc |= ngx_scale_queue_word(cf, w++, "%name%", "%V", &queue->name);
    rc |= ngx_scale_queue_word(cf, w++, "%visibility%", "%M",
                               queue->visibility);
    rc |= ngx_scale_queue_word(cf, w++, "%attempts%", "%ui", queue->attempts);
    rc |= ngx_scale_queue_word(cf, w++, "%backoff%", "%M", queue->backoff);
    rc |= ngx_scale_queue_word(cf, w++, "%max_backoff%", "%M",
                               queue->max_backoff);
    rc |= ngx_scale_queue_word(cf, w++, "%keep%", "%M", queue->keep);

    rc |= queue->use.len
          ? ngx_scale_queue_word(cf, w++, "%use%", "scale_use database=%V;",
                                 &queue->use)
          : ngx_scale_queue_word(cf, w++, "%use%", "");

    rc |= queue->depth
          ? ngx_scale_queue_word(cf, w++, "%enqueue%",
                                 "scale.enqueue_within(%ui, ", queue->depth)
          : ngx_scale_queue_word(cf, w++, "%enqueue%", "scale.enqueue(");

    w->name.len = 0;

    return rc;
}


static ngx_int_t
ngx_scale_queue_word(ngx_conf_t *cf, ngx_scale_queue_word_t *word,
    const char *name, const char *fmt, ...)
{
    va_list  args;

    word->name.data = (u_char *) name;
    word->name.len = ngx_strlen(name);

    word->value.data = ngx_pnalloc(cf->temp_pool, NGX_SCALE_QUEUE_WORD);
    if (word->value.data == NULL) {
        return NGX_ERROR;
    }

    va_start(args, fmt);
    word->value.len = ngx_vslprintf(word->value.data,
                                    word->value.data + NGX_SCALE_QUEUE_WORD,
                                    fmt, args)
                      - word->value.data;
    va_end(args);

    return word->value.len < NGX_SCALE_QUEUE_WORD ? NGX_OK : NGX_ERROR;
}


static ngx_scale_queue_word_t *
ngx_scale_queue_word_at(ngx_scale_queue_word_t *words, u_char *p,
    u_char *last)
{
    for ( /* void */ ; words->name.len; words++) {
        if ((size_t) (last - p) >= words->name.len
            && ngx_memcmp(p, words->name.data, words->name.len) == 0)
        {
            return words;
        }
    }

    return NULL;
}


/*
 * As if it stood there: errors have the line of the directive that wrote it.
 * The text ends with the "}" of the block that nginx takes it for.
 */

static char *
ngx_scale_queue_parse(ngx_conf_t *cf, ngx_str_t *text)
{
    char             *rv;
    ngx_buf_t         buf;
    ngx_conf_file_t   here, *file;

    ngx_memzero(&buf, sizeof(ngx_buf_t));

    buf.start = text->data;
    buf.pos = text->data;
    buf.last = text->data + text->len;
    buf.end = buf.last;
    buf.temporary = 1;

    file = cf->conf_file;

    here = *file;
    here.buffer = &buf;
    here.dump = NULL;
    here.file.offset = 0;
    ngx_memzero(&here.file.info, sizeof(ngx_file_info_t));

    cf->conf_file = &here;
    rv = ngx_conf_parse(cf, NULL);
    cf->conf_file = file;

    return rv;
}
