
/*
 * Dates and times, in the proleptic Gregorian calendar as PostgreSQL's own.
 */

#include "route/type.h"
#include "route/name.h"


#define NGX_SCALE_TIME_DATE      (sizeof("YYYY-MM-DD") - 1)
#define NGX_SCALE_TIME_SECONDS   (sizeof("YYYY-MM-DDTHH:MM:SS") - 1)
#define NGX_SCALE_TIME_FRACTION  6


typedef struct {
    ngx_int_t    year;
    ngx_int_t    month;
    ngx_int_t    day;
    ngx_int_t    seconds;                  /* since midnight */
    ngx_int_t    zone;                     /* seconds east of UTC */
    ngx_str_t    fraction;
} ngx_scale_time_t;


static ngx_int_t ngx_scale_time_read_date(u_char *p, ngx_scale_time_t *t);
static ngx_int_t ngx_scale_time_read(ngx_str_t *text, ngx_scale_time_t *t);
static ngx_int_t ngx_scale_time_clock(u_char *p, ngx_scale_time_t *t);
static ngx_int_t ngx_scale_time_zone(u_char *p, u_char *end,
    ngx_scale_time_t *t);
static ngx_int_t ngx_scale_time_utc(ngx_scale_time_t *t);
static ngx_int_t ngx_scale_time_month(ngx_int_t year, ngx_int_t month);


ngx_int_t
ngx_scale_time_date(ngx_pool_t *pool, ngx_scale_raw_t *raw,
    ngx_scale_value_t *value, const char **reason)
{
    ngx_scale_time_t  t;

    if (!ngx_scale_raw_is_text(raw)
        || raw->text.len != NGX_SCALE_TIME_DATE
        || ngx_scale_time_read_date(raw->text.data, &t) != NGX_OK)
    {
        *reason = "must be a date, YYYY-MM-DD";
        return NGX_DECLINED;
    }

    return ngx_scale_value_set(pool, value, raw->text.data, raw->text.len);
}


ngx_int_t
ngx_scale_time_timestamptz(ngx_pool_t *pool, ngx_scale_raw_t *raw,
    ngx_scale_value_t *value, const char **reason)
{
    u_char            *p;
    u_char             text[sizeof("YYYY-MM-DDTHH:MM:SS.ffffffZ")];
    ngx_scale_time_t   t;

    if (!ngx_scale_raw_is_text(raw)
        || ngx_scale_time_read(&raw->text, &t) != NGX_OK)
    {
        *reason = "must be a time as of RFC 3339 with its zone";
        return NGX_DECLINED;
    }

    if (ngx_scale_time_utc(&t) != NGX_OK) {
        *reason = "is out of range";
        return NGX_DECLINED;
    }

    p = ngx_sprintf(text, "%04i-%02i-%02iT%02i:%02i:%02i", t.year, t.month,
                    t.day, t.seconds / 3600, t.seconds / 60 % 60,
                    t.seconds % 60);

    if (t.fraction.len) {
        p = ngx_sprintf(p, ".%V", &t.fraction);
    }

    *p++ = 'Z';

    return ngx_scale_value_set(pool, value, text, p - text);
}


ngx_int_t
ngx_scale_time_compare_date(ngx_str_t *a, ngx_str_t *b)
{
    return ngx_memn2cmp(a->data, b->data, a->len, b->len);
}


/* without the "Z", which is greater than the "." and digits of a fraction */

ngx_int_t
ngx_scale_time_compare(ngx_str_t *a, ngx_str_t *b)
{
    return ngx_memn2cmp(a->data, b->data, a->len - 1, b->len - 1);
}


static ngx_int_t
ngx_scale_time_read_date(u_char *p, ngx_scale_time_t *t)
{
    t->year = ngx_atoi(p, 4);
    t->month = ngx_atoi(p + 5, 2);
    t->day = ngx_atoi(p + 8, 2);

    if (p[4] != '-' || p[7] != '-' || t->year < 1 || t->month < 1
        || t->month > 12 || t->day < 1
        || t->day > ngx_scale_time_month(t->year, t->month))
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/*
 * RFC 3339, 5.6: date "T" time [fraction] zone; its letters are of either
 * case, and a space may stand for the "T".
 */

static ngx_int_t
ngx_scale_time_read(ngx_str_t *text, ngx_scale_time_t *t)
{
    u_char  *p, *end, *dot;

    p = text->data;
    end = p + text->len;

    if (text->len <= NGX_SCALE_TIME_SECONDS
        || ngx_scale_time_read_date(p, t) != NGX_OK
        || ngx_scale_time_clock(p + NGX_SCALE_TIME_DATE, t) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    ngx_str_null(&t->fraction);

    p += NGX_SCALE_TIME_SECONDS;

    if (*p == '.') {
        dot = p++;

        while (p < end && ngx_scale_is_digit(*p)) {
            p++;
        }

        t->fraction.data = dot + 1;
        t->fraction.len = p - t->fraction.data;

        if (t->fraction.len == 0 || t->fraction.len > NGX_SCALE_TIME_FRACTION)
        {
            return NGX_DECLINED;
        }

        while (t->fraction.len
               && t->fraction.data[t->fraction.len - 1] == '0')
        {
            t->fraction.len--;
        }
    }

    return ngx_scale_time_zone(p, end, t);
}


/* the second 60 is a leap one, and is the next minute's first */

static ngx_int_t
ngx_scale_time_clock(u_char *p, ngx_scale_time_t *t)
{
    ngx_int_t  hour, min, sec;

    if ((*p != ' ' && ngx_tolower(*p) != 't') || p[3] != ':' || p[6] != ':') {
        return NGX_DECLINED;
    }

    hour = ngx_atoi(p + 1, 2);
    min = ngx_atoi(p + 4, 2);
    sec = ngx_atoi(p + 7, 2);

    if (hour < 0 || hour > 23 || min < 0 || min > 59 || sec < 0 || sec > 60) {
        return NGX_DECLINED;
    }

    t->seconds = hour * 3600 + min * 60 + sec;

    return NGX_OK;
}


static ngx_int_t
ngx_scale_time_zone(u_char *p, u_char *end, ngx_scale_time_t *t)
{
    ngx_int_t  hour, min;

    if (end - p == 1 && ngx_tolower(*p) == 'z') {
        t->zone = 0;
        return NGX_OK;
    }

    if (end - p != sizeof("+HH:MM") - 1 || (*p != '+' && *p != '-')
        || p[3] != ':')
    {
        return NGX_DECLINED;
    }

    hour = ngx_atoi(p + 1, 2);
    min = ngx_atoi(p + 4, 2);

    if (hour < 0 || hour > 23 || min < 0 || min > 59) {
        return NGX_DECLINED;
    }

    t->zone = (hour * 3600 + min * 60) * (*p == '-' ? -1 : 1);

    return NGX_OK;
}


/* a zone is less than a day, so the date moves by one day at most */

static ngx_int_t
ngx_scale_time_utc(ngx_scale_time_t *t)
{
    t->seconds -= t->zone;

    if (t->seconds < 0) {
        t->seconds += 86400;
        t->day--;

    } else if (t->seconds >= 86400) {
        t->seconds -= 86400;
        t->day++;
    }

    if (t->day == 0) {

        if (--t->month == 0) {
            t->month = 12;
            t->year--;
        }

        t->day = ngx_scale_time_month(t->year, t->month);

    } else if (t->day > ngx_scale_time_month(t->year, t->month)) {
        t->day = 1;

        if (++t->month == 13) {
            t->month = 1;
            t->year++;
        }
    }

    return (t->year < 1 || t->year > 9999) ? NGX_DECLINED : NGX_OK;
}


static ngx_int_t
ngx_scale_time_month(ngx_int_t year, ngx_int_t month)
{
    static const ngx_int_t  days[] = { 31, 28, 31, 30, 31, 30,
                                       31, 31, 30, 31, 30, 31 };

    if (month == 2 && year % 4 == 0 && (year % 100 || year % 400 == 0)) {
        return 29;
    }

    return days[month - 1];
}
