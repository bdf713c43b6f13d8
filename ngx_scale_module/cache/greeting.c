
#include "cache/greeting.h"


typedef struct {
    ngx_str_t      name;
    ngx_uint_t   (*is_bad)(ngx_str_t *value);
    ngx_uint_t     fault;
} ngx_scale_greeting_stat_t;


static ngx_int_t ngx_scale_greeting_line(u_char **pos, u_char *last,
    ngx_str_t *line);
static ngx_int_t ngx_scale_greeting_stat(ngx_str_t *line,
    ngx_scale_facts_t *facts);
static ngx_uint_t ngx_scale_greeting_is(ngx_str_t *s, const char *text);
static ngx_uint_t ngx_scale_greeting_is_old(ngx_str_t *value);
static ngx_uint_t ngx_scale_greeting_is_no(ngx_str_t *value);
static ngx_uint_t ngx_scale_greeting_is_path(ngx_str_t *value);
static ngx_uint_t ngx_scale_greeting_is_any(ngx_str_t *value);
static ngx_uint_t ngx_scale_greeting_is_short(ngx_str_t *value);
static ngx_uint_t ngx_scale_greeting_is_small(ngx_str_t *value);


/* paths are among the values */
#define NGX_SCALE_GREETING_MAX_LINE  8192

/* marks of writes live so many seconds, with the default deadline */
#define NGX_SCALE_GREETING_MARK      16

#define NGX_SCALE_GREETING_ITEM      (1024 * 1024)


const ngx_scale_fault_t  ngx_scale_faults[] = {

    { NGX_SCALE_FAULT_TLS,
      "is not trusted, or speaks no TLS; see \"tls\", and its -Z" },

    { NGX_SCALE_FAULT_AUTH,
      "takes no such user and password; make \"auth_file\" a line of the "
      "file of its -Y" },

    { NGX_SCALE_FAULT_ANSWER,
      "does not answer \"stats\" as memcached does; it may want \"tls on\" or "
      "an \"auth_file\", and a proxy cannot be used" },

    { NGX_SCALE_FAULT_OLD,
      "is older than 1.6.18 and lacks what the cache is made of; upgrade it" },

    { NGX_SCALE_FAULT_CAS,
      "has no CAS, without which old values would come back; start it without "
      "-C" },

    { NGX_SCALE_FAULT_EXTSTORE,
      "keeps values in files (extstore); start it without \"-o ext_path\"" },

    { NGX_SCALE_FAULT_WARM,
      "keeps old values over its restart; start it without -e" },

    { NGX_SCALE_FAULT_EVICTS,
      "evicts the marks of writes when its memory is full, and then entries "
      "are lost; start it with \"-o temporary_ttl=61\"" },

    { NGX_SCALE_FAULT_SMALL,
      "refuses values that the cache would keep; start it with \"-I 1m\"" },

    { NGX_SCALE_FAULT_ANYBODY,
      "asks nobody for a password, though there is an \"auth_file\"; start it "
      "with -Y" },

    { 0, NULL }
};


/* what is not told is not held against it */

static ngx_scale_greeting_stat_t  ngx_scale_greeting_table[] = {

    { ngx_string("version"), ngx_scale_greeting_is_old,
      NGX_SCALE_FAULT_OLD },

    { ngx_string("cas_enabled"), ngx_scale_greeting_is_no,
      NGX_SCALE_FAULT_CAS },

    { ngx_string("ext_path"), ngx_scale_greeting_is_path,
      NGX_SCALE_FAULT_EXTSTORE },

    /* 1.6.18 does not tell ext_path; this it tells where there is one only */

    { ngx_string("extstore_limit_maxbytes"), ngx_scale_greeting_is_any,
      NGX_SCALE_FAULT_EXTSTORE },

    { ngx_string("memory_file"), ngx_scale_greeting_is_path,
      NGX_SCALE_FAULT_WARM },

    /* the switch; temporary_ttl is told as 61 where it is off, too */

    { ngx_string("temp_lru"), ngx_scale_greeting_is_no,
      NGX_SCALE_FAULT_EVICTS },

    { ngx_string("temporary_ttl"), ngx_scale_greeting_is_short,
      NGX_SCALE_FAULT_EVICTS },

    { ngx_string("item_size_max"), ngx_scale_greeting_is_small,
      NGX_SCALE_FAULT_SMALL },

    { ngx_string("auth_enabled_ascii"), ngx_scale_greeting_is_no,
      NGX_SCALE_FAULT_ANYBODY },

    { ngx_null_string, NULL, 0 }
};


/*
 * memcached splits at spaces.  Who asks for no password would store this as an
 * item: it has expired already.
 */

ngx_int_t
ngx_scale_greeting_auth(ngx_str_t *content, ngx_str_t *command,
    ngx_str_t *error)
{
    u_char      *p, *colon;
    size_t       len;
    ngx_uint_t   i;

    for (len = content->len;
         len && (content->data[len - 1] == LF || content->data[len - 1] == CR);
         len--)
    {
        /* void */
    }

    colon = ngx_strlchr(content->data, content->data + len, ':');

    if (colon == NULL || colon == content->data
        || colon == content->data + len - 1)
    {
        ngx_str_set(error, "holds no line \"user:password\"");
        return NGX_DECLINED;
    }

    for (i = 0; i < len; i++) {
        if (content->data[i] <= ' ' || content->data[i] == 0x7f) {
            ngx_str_set(error, "holds more than a line \"user:password\" "
                               "without blanks");
            return NGX_DECLINED;
        }
    }

    p = ngx_sprintf(command->data, "set auth 0 -1 %uz" CRLF, len);
    p = ngx_cpymem(p, content->data, colon - content->data);
    *p++ = ' ';
    p = ngx_cpymem(p, colon + 1, content->data + len - colon - 1);
    p = ngx_cpymem(p, CRLF, sizeof(CRLF) - 1);

    command->len = p - command->data;

    return NGX_OK;
}


ngx_int_t
ngx_scale_greeting_stored(u_char **pos, u_char *last)
{
    ngx_int_t  rc;
    ngx_str_t  line;

    rc = ngx_scale_greeting_line(pos, last, &line);

    if (rc == NGX_OK && !ngx_scale_greeting_is(&line, "STORED")) {
        return NGX_ERROR;
    }

    return rc;
}


ngx_int_t
ngx_scale_greeting_stats(u_char **pos, u_char *last, ngx_scale_facts_t *facts)
{
    u_char     *p;
    ngx_int_t   rc;
    ngx_str_t   line;

    for ( ;; ) {
        p = *pos;
        rc = ngx_scale_greeting_line(&p, last, &line);

        if (rc != NGX_OK) {
            return rc;
        }

        if (ngx_scale_greeting_is(&line, "END")) {
            facts->lists++;

        } else if (ngx_scale_greeting_stat(&line, facts) != NGX_OK) {
            return NGX_ERROR;
        }

        *pos = p;

        if (facts->lists == 2) {
            break;
        }
    }

    if (!facts->version) {
        facts->faults |= NGX_SCALE_FAULT_OLD;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_scale_greeting_line(u_char **pos, u_char *last, ngx_str_t *line)
{
    u_char  *p, *eol;

    p = *pos;
    eol = memchr(p, LF, ngx_min(last - p, NGX_SCALE_GREETING_MAX_LINE));

    if (eol == NULL) {
        return last - p < NGX_SCALE_GREETING_MAX_LINE ? NGX_AGAIN : NGX_ERROR;
    }

    if (eol == p || eol[-1] != CR) {
        return NGX_ERROR;
    }

    line->data = p;
    line->len = eol - 1 - p;
    *pos = eol + 1;

    return NGX_OK;
}


/* STAT name value */

static ngx_int_t
ngx_scale_greeting_stat(ngx_str_t *line, ngx_scale_facts_t *facts)
{
    u_char                     *p, *last;
    ngx_str_t                   name, value;
    ngx_scale_greeting_stat_t  *stat;

    last = line->data + line->len;

    if (line->len < 5 || ngx_memcmp(line->data, "STAT ", 5) != 0) {
        return NGX_ERROR;
    }

    name.data = line->data + 5;

    p = ngx_strlchr(name.data, last, ' ');
    if (p == NULL) {
        return NGX_OK;
    }

    name.len = p - name.data;
    value.data = p + 1;
    value.len = last - value.data;

    for (stat = ngx_scale_greeting_table; stat->name.len; stat++) {

        if (stat->name.len == name.len
            && ngx_memcmp(stat->name.data, name.data, name.len) == 0)
        {
            facts->version |= stat->fault == NGX_SCALE_FAULT_OLD;
            facts->faults |= stat->is_bad(&value) ? stat->fault : 0;
        }
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_scale_greeting_is(ngx_str_t *s, const char *text)
{
    return s->len == ngx_strlen(text)
           && ngx_memcmp(s->data, text, s->len) == 0;
}


/* what follows the third number is the distributor's */

static ngx_uint_t
ngx_scale_greeting_is_old(ngx_str_t *value)
{
    u_char      *p, *last;
    ngx_uint_t   i, number;

    static ngx_uint_t  least[] = { 1, 6, 18 };

    p = value->data;
    last = p + value->len;

    for (i = 0; i < 3; i++) {

        if (p == last || *p < '0' || *p > '9') {
            return 1;
        }

        for (number = 0; p < last && *p >= '0' && *p <= '9'; p++) {
            number = ngx_min(number * 10 + *p - '0', 100000);
        }

        if (number != least[i]) {
            return number < least[i];
        }

        if (p < last && *p == '.') {
            p++;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_scale_greeting_is_no(ngx_str_t *value)
{
    return ngx_scale_greeting_is(value, "no");
}


static ngx_uint_t
ngx_scale_greeting_is_path(ngx_str_t *value)
{
    return value->len && !ngx_scale_greeting_is(value, "(null)")
           && !ngx_scale_greeting_is(value, "NULL");
}


static ngx_uint_t
ngx_scale_greeting_is_any(ngx_str_t *value)
{
    return 1;
}


static ngx_uint_t
ngx_scale_greeting_is_short(ngx_str_t *value)
{
    ngx_int_t  n;

    n = ngx_atoi(value->data, value->len);

    return n != NGX_ERROR && n < NGX_SCALE_GREETING_MARK;
}


static ngx_uint_t
ngx_scale_greeting_is_small(ngx_str_t *value)
{
    ngx_int_t  n;

    n = ngx_atoi(value->data, value->len);

    return n != NGX_ERROR && n < NGX_SCALE_GREETING_ITEM;
}
