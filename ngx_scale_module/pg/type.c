
/* Declared parameter types as PostgreSQL numbers them (pg_type.dat). */

#include "pg/pg.h"


typedef struct {
    ngx_uint_t    scalar;
    ngx_uint_t    array;
} ngx_scale_pg_oids_t;


static ngx_scale_pg_oids_t  ngx_scale_pg_oids[NGX_SCALE_NTYPES] = {
    [NGX_SCALE_BOOL] =        { 16, 1000 },
    [NGX_SCALE_INT] =         { 23, 1007 },
    [NGX_SCALE_BIGINT] =      { 20, 1016 },
    [NGX_SCALE_NUMERIC] =     { 1700, 1231 },
    [NGX_SCALE_FLOAT8] =      { 701, 1022 },
    [NGX_SCALE_TEXT] =        { 25, 1009 },
    [NGX_SCALE_UUID] =        { 2950, 2951 },
    [NGX_SCALE_DATE] =        { 1082, 1182 },
    [NGX_SCALE_TIMESTAMPTZ] = { 1184, 1185 },
    [NGX_SCALE_JSON] =        { 114, 199 },
    [NGX_SCALE_JSONB] =       { 3802, 3807 },
    [NGX_SCALE_BYTEA] =       { 17, 1001 },
};


ngx_uint_t
ngx_scale_pg_type_oid(ngx_uint_t type)
{
    ngx_scale_pg_oids_t  *oids;

    oids = &ngx_scale_pg_oids[type & ~NGX_SCALE_ARRAY];

    return (type & NGX_SCALE_ARRAY) ? oids->array : oids->scalar;
}
