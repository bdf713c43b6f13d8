
/* the request's body, of the members that parameters name */

#include "ngx_scale_openapi.h"


typedef struct {
    ngx_scale_json_doc_t        *doc;
    ngx_scale_param_t          **params;     /* that name members */
    ngx_uint_t                   nparams;
} ngx_scale_openapi_members_t;


static void ngx_scale_openapi_batch(ngx_scale_openapi_t *api,
    ngx_scale_openapi_members_t *members);
static void ngx_scale_openapi_whole(ngx_scale_openapi_t *api,
    ngx_scale_param_t *param);
static void ngx_scale_openapi_object(ngx_scale_openapi_members_t *members,
    ngx_str_t *name, ngx_uint_t depth, ngx_scale_param_t *of);
static void ngx_scale_openapi_member(ngx_scale_openapi_members_t *members,
    ngx_uint_t depth, ngx_scale_param_t *of, ngx_uint_t i);
static ngx_uint_t ngx_scale_openapi_is_first(
    ngx_scale_openapi_members_t *members, ngx_uint_t depth,
    ngx_scale_param_t *of, ngx_uint_t i);
static ngx_uint_t ngx_scale_openapi_shares(ngx_scale_param_t *a,
    ngx_scale_param_t *b, ngx_uint_t depth);
static ngx_uint_t ngx_scale_openapi_is_needed(
    ngx_scale_openapi_members_t *members, ngx_uint_t depth,
    ngx_scale_param_t *param);


void
ngx_scale_openapi_body(ngx_scale_openapi_t *api, ngx_scale_method_t *m)
{
    ngx_uint_t                    i;
    ngx_scale_param_t            *param, *whole;
    ngx_scale_declared_t         *declared;
    ngx_scale_openapi_members_t   members;

    whole = NULL;
    members.doc = api->doc;
    members.nparams = 0;
    members.params = ngx_palloc(api->cf->temp_pool,
                                (m->nparams + 1) * sizeof(void *));
    if (members.params == NULL) {
        return;
    }

    for (i = 0; i < m->nparams; i++) {
        declared = api->loc->params->elts;
        param = &declared[m->params[i]].param;

        if (param->source == NGX_SCALE_SOURCE_BODY
            || (param->source == NGX_SCALE_SOURCE_JSON
                && param->path.nelts == 0))
        {
            whole = param;

        } else if (param->source == NGX_SCALE_SOURCE_JSON) {
            members.params[members.nparams++] = param;
        }
    }

    if (members.nparams == 0) {
        ngx_scale_openapi_whole(api, whole);
        return;
    }

    ngx_scale_json_doc_object(api->doc, ngx_scale_json_text("requestBody"));

    if (ngx_scale_openapi_is_needed(&members, 0, members.params[0])) {
        ngx_scale_json_doc_verbatim(api->doc, ngx_scale_json_text("required"),
                                    ngx_scale_json_text("true"));
    }

    ngx_scale_json_doc_object(api->doc, ngx_scale_json_text("content"));
    ngx_scale_json_doc_object(api->doc,
                              ngx_scale_json_text("application/json"));

    if (m->batch) {
        ngx_scale_openapi_batch(api, &members);

    } else {
        ngx_scale_openapi_object(&members, ngx_scale_json_text("schema"), 0,
                                 members.params[0]);
    }

    ngx_scale_json_doc_close(api->doc);
    ngx_scale_json_doc_close(api->doc);
    ngx_scale_json_doc_close(api->doc);
}


/* one, or several of the same */

static void
ngx_scale_openapi_batch(ngx_scale_openapi_t *api,
    ngx_scale_openapi_members_t *members)
{
    u_char                 buf[NGX_INT_T_LEN];
    ngx_str_t              most;
    ngx_scale_json_doc_t  *doc;

    doc = api->doc;

    most.data = buf;
    most.len = ngx_sprintf(buf, "%ui", api->loc->batch) - buf;

    ngx_scale_json_doc_object(doc, ngx_scale_json_text("schema"));
    ngx_scale_json_doc_array(doc, ngx_scale_json_text("oneOf"));

    ngx_scale_openapi_object(members, NULL, 0, members->params[0]);

    ngx_scale_json_doc_object(doc, NULL);
    ngx_scale_json_doc_string(doc, ngx_scale_json_text("type"),
                              ngx_scale_json_text("array"));
    ngx_scale_json_doc_verbatim(doc, ngx_scale_json_text("maxItems"), &most);
    ngx_scale_openapi_object(members, ngx_scale_json_text("items"), 0,
                             members->params[0]);
    ngx_scale_json_doc_close(doc);

    ngx_scale_json_doc_close(doc);
    ngx_scale_json_doc_close(doc);
}


static void
ngx_scale_openapi_whole(ngx_scale_openapi_t *api, ngx_scale_param_t *param)
{
    if (param == NULL) {
        return;
    }

    ngx_scale_json_doc_object(api->doc, ngx_scale_json_text("requestBody"));

    if (param->required) {
        ngx_scale_json_doc_verbatim(api->doc, ngx_scale_json_text("required"),
                                    ngx_scale_json_text("true"));
    }

    ngx_scale_json_doc_object(api->doc, ngx_scale_json_text("content"));
    ngx_scale_json_doc_object(api->doc,
                              param->source == NGX_SCALE_SOURCE_JSON
                              ? ngx_scale_json_text("application/json")
                              : ngx_scale_json_text("*/*"));
    ngx_scale_openapi_schema(api->doc, ngx_scale_json_text("schema"), param,
                             0);
    ngx_scale_json_doc_close(api->doc);
    ngx_scale_json_doc_close(api->doc);
    ngx_scale_json_doc_close(api->doc);
}


/* members whose path is that of "of" up to "depth" */

static void
ngx_scale_openapi_object(ngx_scale_openapi_members_t *members, ngx_str_t *name,
    ngx_uint_t depth, ngx_scale_param_t *of)
{
    ngx_str_t             *path;
    ngx_uint_t             i;
    ngx_scale_json_doc_t  *doc;

    doc = members->doc;

    ngx_scale_json_doc_object(doc, name);
    ngx_scale_json_doc_string(doc, ngx_scale_json_text("type"),
                              ngx_scale_json_text("object"));

    ngx_scale_json_doc_object(doc, ngx_scale_json_text("properties"));

    for (i = 0; i < members->nparams; i++) {
        if (ngx_scale_openapi_is_first(members, depth, of, i)) {
            ngx_scale_openapi_member(members, depth, of, i);
        }
    }

    ngx_scale_json_doc_close(doc);

    ngx_scale_json_doc_array(doc, ngx_scale_json_text("required"));

    for (i = 0; i < members->nparams; i++) {
        if (ngx_scale_openapi_is_first(members, depth, of, i)
            && ngx_scale_openapi_is_needed(members, depth + 1,
                                           members->params[i]))
        {
            path = members->params[i]->path.elts;
            ngx_scale_json_doc_string(doc, NULL, &path[depth]);
        }
    }

    ngx_scale_json_doc_close(doc);
    ngx_scale_json_doc_close(doc);
}


static void
ngx_scale_openapi_member(ngx_scale_openapi_members_t *members,
    ngx_uint_t depth, ngx_scale_param_t *of, ngx_uint_t i)
{
    ngx_str_t          *path;
    ngx_uint_t          j;
    ngx_scale_param_t  *param;

    param = members->params[i];
    path = param->path.elts;

    /* that of a part says more than that of the whole */

    for (j = i; j < members->nparams; j++) {
        if (members->params[j]->path.nelts > depth + 1
            && ngx_scale_openapi_shares(members->params[j], param, depth + 1))
        {
            ngx_scale_openapi_object(members, &path[depth], depth + 1,
                                     members->params[j]);
            return;
        }
    }

    ngx_scale_openapi_schema(members->doc, &path[depth], param,
                             !param->required);
}


/* it is the first that has this member */

static ngx_uint_t
ngx_scale_openapi_is_first(ngx_scale_openapi_members_t *members,
    ngx_uint_t depth, ngx_scale_param_t *of, ngx_uint_t i)
{
    ngx_uint_t  j;

    if (members->params[i]->path.nelts <= depth
        || !ngx_scale_openapi_shares(members->params[i], of, depth))
    {
        return 0;
    }

    for (j = 0; j < i; j++) {
        if (ngx_scale_openapi_shares(members->params[i], members->params[j],
                                     depth + 1))
        {
            return 0;
        }
    }

    return 1;
}


static ngx_uint_t
ngx_scale_openapi_shares(ngx_scale_param_t *a, ngx_scale_param_t *b,
    ngx_uint_t depth)
{
    ngx_str_t   *one, *other;
    ngx_uint_t   i;

    if (a->path.nelts < depth || b->path.nelts < depth) {
        return 0;
    }

    one = a->path.elts;
    other = b->path.elts;

    for (i = 0; i < depth; i++) {
        if (!ngx_scale_same(&one[i], &other[i])) {
            return 0;
        }
    }

    return 1;
}


/* something that is required has to be within it */

static ngx_uint_t
ngx_scale_openapi_is_needed(ngx_scale_openapi_members_t *members,
    ngx_uint_t depth, ngx_scale_param_t *param)
{
    ngx_uint_t  i;

    for (i = 0; i < members->nparams; i++) {
        if (members->params[i]->required
            && ngx_scale_openapi_shares(members->params[i], param, depth))
        {
            return 1;
        }
    }

    return 0;
}
