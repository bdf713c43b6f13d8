/* sources: cache/greeting.c */

#include "cache/greeting.h"
#include "test.h"


#define GOOD  "STAT pid 1\r\nSTAT version 1.6.18\r\nEND\r\n"                   \
              "STAT cas_enabled yes\r\nSTAT item_size_max 1048576\r\n"        \
              "STAT temp_lru yes\r\nSTAT temporary_ttl 61\r\n"                \
              "STAT auth_enabled_ascii yes\r\nSTAT memory_file (null)\r\n"    \
              "STAT inter\r\nEND\r\n"


static ngx_scale_facts_t  facts;
static size_t             rest;        /* bytes that were not read */


/* a copy of its own size, so that a byte read behind its end is an error */

static ngx_int_t
stats_bytes(const char *data, size_t len)
{
    u_char     *copy, *pos;
    ngx_int_t   rc;

    copy = malloc(len ? len : 1);
    ngx_memcpy(copy, data, len);

    pos = copy;
    rc = ngx_scale_greeting_stats(&pos, copy + len, &facts);
    rest = copy + len - pos;

    free(copy);

    return rc;
}


static ngx_int_t
stats(const char *data)
{
    ngx_memzero(&facts, sizeof(ngx_scale_facts_t));

    return stats_bytes(data, strlen(data));
}


/* the faults of a memcached that says this, too */

static ngx_uint_t
faults(const char *more)
{
    char  data[1024];

    snprintf(data, sizeof(data), "STAT version 1.6.18\r\n%s\r\nEND\r\nEND\r\n",
             more);

    return stats(data) == NGX_OK ? facts.faults : 0xffff;
}


static ngx_uint_t
version(const char *number)
{
    char  data[256];

    snprintf(data, sizeof(data), "STAT version %s\r\nEND\r\nEND\r\n", number);

    return stats(data) == NGX_OK ? facts.faults : 0xffff;
}


static void
what_it_says(void)
{
    ok(stats(GOOD) == NGX_OK && facts.faults == 0 && rest == 0,
       "a memcached as it should be");
    ok(stats(GOOD "HD\r\n") == NGX_OK && rest == 4,
       "what follows is not touched");

    ok(faults("STAT cas_enabled no") == NGX_SCALE_FAULT_CAS, "no CAS");
    ok(faults("STAT temp_lru no\r\nSTAT temporary_ttl 61")
       == NGX_SCALE_FAULT_EVICTS,
       "temporary_ttl is told although it is off");
    ok(faults("STAT temp_lru yes\r\nSTAT temporary_ttl 15")
       == NGX_SCALE_FAULT_EVICTS,
       "a temporary_ttl that is too short");
    ok(faults("STAT temporary_ttl 16") == 0, "one that is not");
    ok(faults("STAT item_size_max 1048575") == NGX_SCALE_FAULT_SMALL,
       "small items");
    ok(faults("STAT extstore_limit_maxbytes 67108864")
       == NGX_SCALE_FAULT_EXTSTORE, "extstore, of 1.6.18");
    ok(faults("STAT ext_path /a b") == NGX_SCALE_FAULT_EXTSTORE,
       "and of those that tell the path");
    ok(faults("STAT memory_file /dev/shm/a") == NGX_SCALE_FAULT_WARM,
       "memory that outlives a restart");
    ok(faults("STAT auth_enabled_ascii no") == NGX_SCALE_FAULT_ANYBODY,
       "no password is asked for");
    ok(faults("STAT cas_enabled no\r\nSTAT temp_lru no")
       == (NGX_SCALE_FAULT_CAS|NGX_SCALE_FAULT_EVICTS), "two faults");
    ok(faults("STAT cas_enabled_not no\r\nSTAT cas_enable no") == 0,
       "other names");
    ok(faults("STAT item_size_max many") == 0, "a number that is none");
}


static void
versions(void)
{
    ok(version("1.6.18") == 0, "1.6.18");
    ok(version("1.6.21-amazon") == 0, "a distributor's");
    ok(version("1.7.0") == 0, "a newer minor version");
    ok(version("2.0.1") == 0, "a newer major version");
    ok(version("1.6.17") == NGX_SCALE_FAULT_OLD, "1.6.17");
    ok(version("1.5.99") == NGX_SCALE_FAULT_OLD, "1.5");
    ok(version("0.9.99") == NGX_SCALE_FAULT_OLD, "0.9");
    ok(version("1.6") == NGX_SCALE_FAULT_OLD, "two numbers");
    ok(version("99999999999999999999999.1") == 0, "a number too large");
    ok(version("") == NGX_SCALE_FAULT_OLD, "an empty one");
    ok(version("unknown") == NGX_SCALE_FAULT_OLD, "a word");
    ok(stats("END\r\nEND\r\n") == NGX_OK
       && facts.faults == NGX_SCALE_FAULT_OLD, "none");
}


static void
pieces(void)
{
    size_t       i, from;
    ngx_int_t    rc;
    ngx_uint_t   good;

    good = 1;

    for (i = 0; i < sizeof(GOOD) - 1; i++) {
        ngx_memzero(&facts, sizeof(ngx_scale_facts_t));

        good &= stats_bytes(GOOD, i) == NGX_AGAIN;

        from = i - rest;
        rc = stats_bytes(GOOD + from, sizeof(GOOD) - 1 - from);

        good &= rc == NGX_OK && facts.faults == 0 && facts.lists == 2;
    }

    ok(good, "an answer in two pieces, cut anywhere");
}


static void
what_is_no_answer(void)
{
    static char  line[9000];

    ok(stats("CLIENT_ERROR unauthenticated\r\n") == NGX_ERROR
       && rest == sizeof("CLIENT_ERROR unauthenticated\r\n") - 1,
       "an error, which can be quoted");
    ok(stats("STAT a 1\r\nERROR\r\n") == NGX_ERROR && rest == 7,
       "an error behind a line");
    ok(stats("ERROR Too many open connections\r\n") == NGX_ERROR,
       "too many connections");
    ok(stats("STAT\r\n") == NGX_ERROR, "an empty line");
    ok(stats("END\n") == NGX_ERROR, "a line's end without CR");
    ok(stats("\n") == NGX_ERROR, "nothing but a line's end");
    ok(stats("") == NGX_AGAIN, "nothing yet");

    memset(line, 'a', sizeof(line) - 1);
    ok(stats(line) == NGX_ERROR, "a line without an end");
}


static void
stored(void)
{
    u_char  *pos, text[] = "STORED\r\nSTAT", no[] = "CLIENT_ERROR a\r\n";

    pos = text;
    ok(ngx_scale_greeting_stored(&pos, text + 12) == NGX_OK
       && pos == text + 8, "a password that is taken");

    pos = text;
    ok(ngx_scale_greeting_stored(&pos, text + 7) == NGX_AGAIN && pos == text,
       "half an answer");

    pos = no;
    ok(ngx_scale_greeting_stored(&pos, no + sizeof(no) - 1) == NGX_ERROR,
       "one that is not");
}


static void
passwords(void)
{
    u_char       buf[NGX_SCALE_GREETING_AUTH_SIZE];
    ngx_uint_t   i;
    ngx_str_t    content, command, error;

    static const char  *wrong[] = {
        "", "\n", "app", "app:", ":secret", "app:two words", "a pp:secret",
        "app:secret\nother:one\n", "app:\tsecret", NULL
    };

    command.data = buf;
    ngx_str_set(&content, "app:se:cret\n");

    ok(ngx_scale_greeting_auth(&content, &command, &error) == NGX_OK,
       "a user and a password");
    is_str(command, "set auth 0 -1 11\r\napp se:cret\r\n",
           "are an item that has expired, if nobody asked for them");

    for (i = 0; wrong[i]; i++) {
        content.data = (u_char *) wrong[i];
        content.len = strlen(wrong[i]);

        ok(ngx_scale_greeting_auth(&content, &command, &error) == NGX_DECLINED,
           "what is no user and password");
    }
}


int
main(void)
{
    what_it_says();
    versions();
    pieces();
    what_is_no_answer();
    stored();
    passwords();

    return done();
}
