#include "route/sql.h"
#include "route/fault.h"
#include "route/name.h"


/* PostgreSQL has every byte above ASCII in identifiers */

#define ngx_scale_sql_first(ch)  (ngx_scale_name_first(ch) || (ch) >= 0x80)
#define ngx_scale_sql_letter(ch)  (ngx_scale_name_next(ch) || (ch) >= 0x80)


/*
 * How a token begins, and what finds its end after that: NULL where there is
 * none, which is "fault", or where the function has said what is wrong.
 */

typedef struct {
    ngx_str_t            opening;
    ngx_scale_sql_e      kind;
    u_char            *(*end)(ngx_scale_sql_t *sql, u_char *p);
    const char          *fault;
} ngx_scale_sql_rule_t;


static ngx_scale_sql_rule_t *ngx_scale_sql_rule(ngx_scale_sql_t *sql);
static u_char *ngx_scale_sql_here(ngx_scale_sql_t *sql, u_char *p);
static u_char *ngx_scale_sql_comment(ngx_scale_sql_t *sql, u_char *p);
static u_char *ngx_scale_sql_line(ngx_scale_sql_t *sql, u_char *p);
static u_char *ngx_scale_sql_quoted(ngx_scale_sql_t *sql, u_char *p);
static u_char *ngx_scale_sql_escaped(ngx_scale_sql_t *sql, u_char *p);
static u_char *ngx_scale_sql_continued(ngx_scale_sql_t *sql, u_char *p);
static u_char *ngx_scale_sql_dollar(ngx_scale_sql_t *sql, u_char *p);
static u_char *ngx_scale_sql_body(ngx_scale_sql_t *sql, u_char *p);
static u_char *ngx_scale_sql_colon(ngx_scale_sql_t *sql, u_char *p);
static u_char *ngx_scale_sql_word(ngx_scale_sql_t *sql, u_char *p);
static ngx_int_t ngx_scale_sql_variable(ngx_scale_sql_t *sql, u_char *p);
static ngx_uint_t ngx_scale_sql_blank(u_char ch);


static const char  ngx_scale_sql_escaped_fault[] =
    "a string of E'' is not ended; close it with \"'\", a quote within it is "
    "\"\\'\" or \"''\"";


/* the first that matches decides */

static ngx_scale_sql_rule_t  ngx_scale_sql_rules[] = {

    { ngx_string("/*"), NGX_SCALE_SQL_BLANK, ngx_scale_sql_comment,
      "a comment is not ended; close every \"/*\" with \"*/\"" },

    { ngx_string("--"), NGX_SCALE_SQL_BLANK, ngx_scale_sql_line, NULL },

    { ngx_string(";"), NGX_SCALE_SQL_STOP, ngx_scale_sql_here, NULL },

    { ngx_string("E'"), NGX_SCALE_SQL_OTHER, ngx_scale_sql_escaped,
      ngx_scale_sql_escaped_fault },

    { ngx_string("e'"), NGX_SCALE_SQL_OTHER, ngx_scale_sql_escaped,
      ngx_scale_sql_escaped_fault },

    { ngx_string("'"), NGX_SCALE_SQL_OTHER, ngx_scale_sql_quoted,
      "a string is not ended; close it with \"'\", a quote within it is "
      "\"''\"" },

    { ngx_string("\""), NGX_SCALE_SQL_OTHER, ngx_scale_sql_quoted,
      "a quoted identifier is not ended; close it with '\"', a quote within "
      "it is '\"\"'" },

    { ngx_string("$"), NGX_SCALE_SQL_OTHER, ngx_scale_sql_dollar, NULL },

    { ngx_string("::"), NGX_SCALE_SQL_OTHER, ngx_scale_sql_here, NULL },

    { ngx_string(":"), NGX_SCALE_SQL_OTHER, ngx_scale_sql_colon, NULL },

    { ngx_null_string, NGX_SCALE_SQL_OTHER, NULL, NULL }
};

/* of a character that no opening begins with */

static ngx_scale_sql_rule_t  ngx_scale_sql_space = {
    ngx_string(" "), NGX_SCALE_SQL_BLANK, ngx_scale_sql_here, NULL
};

static ngx_scale_sql_rule_t  ngx_scale_sql_name = {
    ngx_null_string, NGX_SCALE_SQL_WORD, ngx_scale_sql_word, NULL
};

static ngx_scale_sql_rule_t  ngx_scale_sql_sign = {
    ngx_string("+"), NGX_SCALE_SQL_OTHER, ngx_scale_sql_here, NULL
};


ngx_int_t
ngx_scale_sql_next(ngx_scale_sql_t *sql)
{
    u_char                *end;
    ngx_scale_sql_rule_t  *rule;

    sql->token.data = sql->pos;
    sql->token.len = 0;

    if (sql->pos == sql->last) {
        sql->kind = NGX_SCALE_SQL_END;
        return NGX_OK;
    }

    rule = ngx_scale_sql_rule(sql);

    sql->kind = rule->kind;

    end = rule->end(sql, sql->pos + rule->opening.len);

    if (end == NULL) {
        return rule->fault ? ngx_scale_route_fault(sql->pool, sql->error,
                                                   "%s", rule->fault)
                           : NGX_ERROR;
    }

    sql->token.len = end - sql->pos;
    sql->pos = end;

    return NGX_OK;
}


static ngx_scale_sql_rule_t *
ngx_scale_sql_rule(ngx_scale_sql_t *sql)
{
    ngx_str_t             *opening;
    ngx_scale_sql_rule_t  *rule;

    for (rule = ngx_scale_sql_rules; rule->end; rule++) {
        opening = &rule->opening;

        if ((size_t) (sql->last - sql->pos) >= opening->len
            && ngx_memcmp(sql->pos, opening->data, opening->len) == 0)
        {
            return rule;
        }
    }

    if (ngx_scale_sql_blank(*sql->pos)) {
        return &ngx_scale_sql_space;
    }

    return ngx_scale_sql_letter(*sql->pos) ? &ngx_scale_sql_name
                                           : &ngx_scale_sql_sign;
}


/* the opening is all of it */

static u_char *
ngx_scale_sql_here(ngx_scale_sql_t *sql, u_char *p)
{
    return p;
}


static u_char *
ngx_scale_sql_comment(ngx_scale_sql_t *sql, u_char *p)
{
    ngx_uint_t  depth;

    depth = 1;

    for ( /* void */ ; sql->last - p >= 2; p++) {

        if (p[0] == '/' && p[1] == '*') {
            depth++;
            p++;
            continue;
        }

        if (p[0] == '*' && p[1] == '/') {
            p++;

            if (--depth == 0) {
                return p + 1;
            }
        }
    }

    return NULL;
}


static u_char *
ngx_scale_sql_line(ngx_scale_sql_t *sql, u_char *p)
{
    while (p < sql->last && *p != LF && *p != CR) {
        p++;
    }

    return p;
}


/* a doubled quote closes a string and opens the next one: the same extent */

static u_char *
ngx_scale_sql_quoted(ngx_scale_sql_t *sql, u_char *p)
{
    p = ngx_strlchr(p, sql->last, p[-1]);

    return p ? p + 1 : NULL;
}


static u_char *
ngx_scale_sql_escaped(ngx_scale_sql_t *sql, u_char *p)
{
    u_char  *next;

    for ( /* void */ ; p < sql->last; p++) {

        if (*p == '\\') {
            p++;
            continue;
        }

        if (*p != '\'') {
            continue;
        }

        next = ngx_scale_sql_continued(sql, p + 1);

        if (next == NULL) {
            return p + 1;
        }

        p = next;
    }

    return NULL;
}


/*
 * PostgreSQL manual, 4.1.2.1: strings separated by blanks with a newline are
 * one string, so backslashes are escapes in the part after the newline, too.
 */

static u_char *
ngx_scale_sql_continued(ngx_scale_sql_t *sql, u_char *p)
{
    ngx_uint_t  newline;

    if (p < sql->last && *p == '\'') {
        return p;
    }

    for (newline = 0; p < sql->last; p++) {

        if (sql->last - p >= 2 && p[0] == '-' && p[1] == '-') {
            p = ngx_scale_sql_line(sql, p);

            if (p == sql->last) {
                break;
            }
        }

        if (*p == LF || *p == CR) {
            newline = 1;
            continue;
        }

        if (!ngx_scale_sql_blank(*p)) {
            return (newline && *p == '\'') ? p : NULL;
        }
    }

    return NULL;
}


static u_char *
ngx_scale_sql_dollar(ngx_scale_sql_t *sql, u_char *p)
{
    u_char  *tag;

    tag = p;

    if (p < sql->last && ngx_scale_sql_first(*p)) {
        while (p < sql->last && ngx_scale_sql_letter(*p)) {
            p++;
        }
    }

    if (p < sql->last && *p == '$') {
        return ngx_scale_sql_body(sql, p + 1);
    }

    return ngx_scale_sql_variable(sql, tag - 1) == NGX_OK ? tag : NULL;
}


/* from after "$tag$" to the same again */

static u_char *
ngx_scale_sql_body(ngx_scale_sql_t *sql, u_char *p)
{
    ngx_str_t  tag;

    tag.data = sql->pos;
    tag.len = p - sql->pos;

    for ( /* void */ ; (size_t) (sql->last - p) >= tag.len; p++) {

        if (ngx_memcmp(p, tag.data, tag.len) == 0) {
            return p + tag.len;
        }
    }

    (void) ngx_scale_route_fault(sql->pool, sql->error,
                                 "the text quoted by \"%V\" is not ended; "
                                 "close it with \"%V\"; an nginx variable "
                                 "cannot stand in SQL", &tag, &tag);
    return NULL;
}


static u_char *
ngx_scale_sql_colon(ngx_scale_sql_t *sql, u_char *p)
{
    if (p == sql->last || !ngx_scale_name_first(*p)) {
        return p;
    }

    sql->kind = NGX_SCALE_SQL_PARAM;

    while (p < sql->last && ngx_scale_name_next(*p)) {
        p++;
    }

    if (p < sql->last && *p >= 0x80) {
        (void) ngx_scale_route_fault(sql->pool, sql->error,
                                     "a parameter's name has a non-ASCII "
                                     "character; use letters, digits and "
                                     "\"_\"");
        return NULL;
    }

    return p;
}


/* "$" may be within an identifier, where it opens no dollar quotes */

static u_char *
ngx_scale_sql_word(ngx_scale_sql_t *sql, u_char *p)
{
    for ( /* void */ ; p < sql->last; p++) {

        if (*p == '$') {
            if (ngx_scale_sql_variable(sql, p) != NGX_OK) {
                return NULL;
            }

            continue;
        }

        if (!ngx_scale_sql_letter(*p)) {
            break;
        }
    }

    return p;
}


/* is what "$" begins taken for a variable of nginx, or a "$n"? */

static ngx_int_t
ngx_scale_sql_variable(ngx_scale_sql_t *sql, u_char *p)
{
    u_char  *last;

    last = p + 1;

    if (last == sql->last) {
        return NGX_OK;
    }

    if (ngx_scale_is_digit(*last)) {
        return ngx_scale_route_fault(sql->pool, sql->error, "\"$%c\" cannot "
                                     "stand in SQL; declare a parameter with "
                                     "scale_param and write :name",
                                     (int) *last);
    }

    if (*last != '{' && !ngx_scale_sql_first(*last)) {
        return NGX_OK;
    }

    do {
        last++;
    } while (last < sql->last && ngx_scale_sql_letter(*last));

    if (p[1] == '{' && last < sql->last && *last == '}') {
        last++;
    }

    return ngx_scale_route_fault(sql->pool, sql->error, "an nginx variable "
                                 "cannot stand in SQL, \"%*s\" does; declare "
                                 "it with scale_param and write :name",
                                 (size_t) (last - p), p);
}


static ngx_uint_t
ngx_scale_sql_blank(u_char ch)
{
    return ch == ' ' || (ch >= '\t' && ch <= '\r');
}
