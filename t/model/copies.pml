/*
 * A session that has two copies (cache/copies.c), while the ring changes: of
 * three memcacheds, first A and B have it, then B and C, or A alone.  One web
 * node reads it twice and puts back what is lost, another one ends it; what
 * was sent to B when it was put comes late; memcached forgets FORGETS items.
 *
 * A web node goes by the former ring, has no lease, knows of both, or goes by
 * the next: never one by the former and another by the next.
 *
 * No read that begins after the end was acknowledged finds the session.
 *
 * DELETE     control: it is removed, where a tombstone should be
 * BLIND      control: nobody looks whether all tombstones stand
 * FORMER     control: who knows of both rings reads by the former
 * SOON       control: an end is acknowledged before the next ring is in use
 * HASTY      control: a reader puts back what it found by a ring of before
 * UNGUARDED  control: what is put is stored without a stub
 */

#define A      0
#define B      1
#define C      2
#define NODES  3

#ifndef FORGETS
#define FORGETS  1
#endif

mtype = { ABSENT, STUB, VALUE, TOMBSTONE };
mtype = { OLD, NONE, BOTH, NEXT };

mtype item[NODES] = ABSENT;

/* whose the CAS is that it has: any other one is as good as none */

bool won[NODES];                       /* the reader's stub */
bool put;                              /* on B: that of who has put it */
bool own[NODES];                       /* the tombstone of who ends it */

mtype view[2] = OLD;                   /* of the reader, and who ends it */
bool  changed;
bool  shrinks;                         /* the next ring is A alone */
byte  forgotten;
bool  ended;

#define set(k, what)                                                          \
    item[k] = what; won[k] = false; own[k] = false; put = put && k != B

/* whether a ring has it on a memcached */

#define in_former(k)  (k != C)
#define in_next(k)    ((shrinks && k == A) || (!shrinks && k != A))

/* a place that was found is one still */

#define same_view(seen, now)  (seen == now || (seen == BOTH && now == NEXT))


proctype ring()
{
    if
    :: shrinks = true
    :: shrinks = false
    fi;

    changed = true
}


proctype web(byte me)
{
    atomic { changed -> view[me] = NONE };
    view[me] = BOTH;
    atomic { view[1 - me] != OLD -> view[me] = NEXT }
}


#define forgets(k)                                                            \
    forgotten < FORGETS && item[k] != ABSENT -> set(k, ABSENT); forgotten++

proctype memory()
{
end:
    do
    :: atomic { forgets(A) }
    :: atomic { forgets(B) }
    :: atomic { forgets(C) }
    od
}


/* the last command of who has put it, at a memcached that stood still */

proctype late()
{
    atomic {
#ifdef UNGUARDED
        set(B, VALUE)
#else
        if
        :: put -> set(B, VALUE)
        :: else -> skip
        fi
#endif
    }
}


#ifdef FORMER
#define asks(k)  ((seen != NEXT && in_former(k)) || (seen == NEXT && in_next(k)))
#else
#define asks(k)  ((seen == NEXT || in_former(k)) && (seen == OLD || in_next(k)))
#endif

#define may_ask(k)  (found == NODES && !asked[k] && asks(k))

inline ask(k)
{
    asked[k] = true;

    if
    :: item[k] == ABSENT -> set(k, STUB); won[k] = true
    :: item[k] == VALUE -> found = k
    :: item[k] == TOMBSTONE -> found = NODES + 1
    :: item[k] == STUB -> skip
    fi
}


inline repair(k)
{
    if
    :: won[k] -> set(k, VALUE)
    :: else -> skip
    fi
}


proctype reader()
{
    mtype seen;
    bool  after;
    bool  asked[NODES];
    byte  reads, found;

    do
    :: reads == 2 -> break
    :: reads < 2 ->
        atomic {
            after = ended;
            found = NODES;
            reads++
        }

        atomic { view[0] != NONE -> seen = view[0] }

        /* any of them first */

        do
        :: atomic { may_ask(A) -> ask(A) }
        :: atomic { may_ask(B) -> ask(B) }
        :: atomic { may_ask(C) -> ask(C) }
        :: !may_ask(A) && !may_ask(B) && !may_ask(C) -> break
        od;

        if
#ifdef HASTY
        :: found < NODES ->
#else
        :: found < NODES && same_view(seen, view[0]) ->
#endif
            assert(!after);

            /* of two copies one was found, so one of these is sent */

            atomic { repair(A); repair(B); repair(C) }

        :: else -> skip
        fi;

        atomic {
            won[A] = false; won[B] = false; won[C] = false;
            asked[A] = false; asked[B] = false; asked[C] = false
        }
    od
}


#define ends(k)    ((seen == OLD && in_former(k)) || (seen != OLD && in_next(k)))
#define stands(k)  (!ends(k) || own[k])

inline tombstone(k)
{
    atomic {
        if
        :: ends(k) ->
#ifdef DELETE
            set(k, ABSENT)
#else
            set(k, TOMBSTONE); own[k] = true
#endif
        :: else -> skip
        fi
    }
}


proctype ender()
{
    mtype seen;
    bool  good;

    do
    :: ended -> break
    :: !ended ->
        atomic { view[1] != NONE -> seen = view[1] }

        /* in any order: of two it matters */

        if
        :: true -> tombstone(A); tombstone(B); tombstone(C)
        :: true -> tombstone(C); tombstone(B); tombstone(A)
        fi;

#ifndef SOON
        (view[1] != BOTH);
#endif
        good = same_view(seen, view[1]);

        /* all stand at one time: the first look is after the last of them */

#if !defined(BLIND) && !defined(DELETE)
        good = good && stands(A);
        good = good && stands(B);
        good = good && stands(C);
#endif

        ended = good && same_view(seen, view[1])
    od
}


/* it has just been put */

init
{
    atomic {
        item[A] = VALUE;
        item[B] = STUB;
        put = true;
        run ring();
        run web(0);
        run web(1);
        run memory();
        run late();
        run reader();
        run ender()
    }
}
