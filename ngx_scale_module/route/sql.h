
/*
 * The tokens of SQL (PostgreSQL manual, 4.1 Lexical Structure), as far as they
 * must be told apart to find parameters.
 */

#ifndef _NGX_SCALE_SQL_H_INCLUDED_
#define _NGX_SCALE_SQL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* those after STOP belong to a statement */

typedef enum {
    NGX_SCALE_SQL_END = 0,
    NGX_SCALE_SQL_BLANK,                   /* a space, or a comment */
    NGX_SCALE_SQL_STOP,                    /* ";" */
    NGX_SCALE_SQL_WORD,                    /* unquoted, or a number */
    NGX_SCALE_SQL_PARAM,                   /* ":name", with its colon */
    NGX_SCALE_SQL_OTHER                    /* quoted text, an operator */
} ngx_scale_sql_e;


/* "pos" to "last" is what is left to read; the token points into the text */

typedef struct {
    u_char             *pos;
    u_char             *last;
    ngx_scale_sql_e     kind;
    ngx_str_t           token;
    ngx_pool_t         *pool;              /* for "error" alone */
    ngx_str_t          *error;
} ngx_scale_sql_t;


/*
 * Reads the next token.  NGX_ERROR: "error" says what is not ended or cannot
 * stand in SQL, an empty one that memory is out; "kind" is of what it is in.
 */
ngx_int_t ngx_scale_sql_next(ngx_scale_sql_t *sql);


#endif /* _NGX_SCALE_SQL_H_INCLUDED_ */
