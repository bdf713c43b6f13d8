/*
 * Keys that only the returned rows name (scale_purge ... :row.author): the
 * statement runs, its rows say which keys, these are marked, and only then it
 * is committed.  A row moves from the list A to the list B; two writers, a
 * reader of either list, which reads it twice, and one eviction.
 *
 * No read that begins after a write was acknowledged returns less.
 *
 * EARLY  control: acknowledged before the marks are taken back
 * HALF   control: the old value is not returned, so A is not marked
 * BLIND  control: a reader fills although another one's mark was there
 */

#define LISTS    2
#define WRITERS  2
#define READS    2

mtype = { ABSENT, STUB, VALUE, PENDING };

mtype item[LISTS] = ABSENT;
byte  value[LISTS];
byte  cas[LISTS];
byte  counter;

byte  committed[LISTS];
byte  acknowledged[LISTS];
bool  locked;                          /* the row, from UPDATE to COMMIT */
bool  evicted;

#define new_cas(k)  counter++; cas[k] = counter


inline mark(k)
{
    atomic {
        new_cas(k);
        item[k] = PENDING;
        own[k] = cas[k];
    }
}


inline mark_all()
{
#ifndef HALF
    mark(0);
#endif
    mark(1);
}


inline unmark(k)
{
    atomic {
        if
        :: item[k] == PENDING && cas[k] != own[k] && own[k] != 0 -> skip
        :: else -> item[k] = ABSENT
        fi
    }
}


inline acknowledge(k)
{
    atomic {
        if
        :: acknowledged[k] < version[k] -> acknowledged[k] = version[k]
        :: else
        fi
    }
}


active [WRITERS] proctype writer()
{
    byte own[LISTS];
    byte version[LISTS];

    atomic { !locked -> locked = true }

    mark_all();

    atomic {
        committed[0]++;
        committed[1]++;
        version[0] = committed[0];
        version[1] = committed[1];
        locked = false
    }

#ifdef EARLY
    acknowledge(0);
    acknowledge(1);
#endif

#ifndef HALF
    unmark(0);
#endif
    unmark(1);

    acknowledge(0);
    acknowledge(1)
}


active proctype reader()
{
    byte k, token, floor, seen, n;

    select(k : 0 .. LISTS - 1);

    do
    :: n < READS ->
        n++;
        token = 0;
        floor = acknowledged[k];

        atomic {
            if
            :: item[k] == VALUE -> seen = value[k]; goto answered
            :: item[k] == ABSENT -> new_cas(k); item[k] = STUB; token = cas[k]
            :: else
            fi
        }

        seen = committed[k];

        atomic {
#ifdef BLIND
            if
            :: token != 0 -> new_cas(k); item[k] = VALUE; value[k] = seen
#else
            if
            :: token != 0 && item[k] == STUB && cas[k] == token ->
                new_cas(k); item[k] = VALUE; value[k] = seen
#endif
            :: else
            fi
        }

answered:
        assert(seen >= floor);

    :: else -> break
    od
}


active proctype memcached()
{
    byte k;

    select(k : 0 .. LISTS - 1);

    atomic { !evicted -> evicted = true; item[k] = ABSENT }
}
