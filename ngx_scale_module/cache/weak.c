
#include "cache/weak.h"


#if (NGX_SCALE_STEP || NGX_SCALE_WEAK)

ngx_uint_t
ngx_scale_weak(const char *guard)
{
    const char  *weak;

    weak = getenv("SCALE_WEAK");

    return weak && ngx_strcmp(weak, guard) == 0;
}

#endif
