/* SPDX-License-Identifier: MIT */
/*
 * The engine of core/engine.h and its host: post, fetch, match, cancel, close, acknowledge, budget.
 *
 * Two posters, two consumers: the first with two requests, of which one is cancelled, and closed at
 * any time; the second with one. What a function of the engine does under its
 * lock is one atomic step here; the host's queue of pended requests is guarded by the host, each
 * of its operations is a step. A request is: idle (its client has it), in flight (checked, not
 * queued), queued, taken (by who will complete it), completed.
 *
 * Checked: a request is completed once for each time that it is sent; at the end of every run no
 * request of a closed consumer waits, no consumer waits while an event does; each consumer sees each
 * number once and in order, as an event or in a gap; never more than BUDGET events are kept; what is
 * freed was acknowledged by all or stands in a gap of who had not.
 *
 * Broken: SPLIT_MATCH (the events are taken in one critical section, the request in another, and
 * the events are put back if there is none: what others do), NO_MATCH_AFTER_QUEUE, QUEUE_AFTER_CLOSE (the host does not refuse
 * what is queued after the close), CANCEL_KEEPS (who cancels completes without taking out),
 * SKIP_GAP (the cursor jumps over what the budget dropped).
 */
#ifndef EVENTS
#define EVENTS 2
#endif
#ifndef BUDGET
#define BUDGET 1
#endif
#define CONSUMERS 2
#define REQUESTS 2
#define ALL 4 /* CONSUMERS * REQUESTS */

mtype = { IDLE, FLIGHT, QUEUED, TAKEN, DONE };

byte last;             /* the number of the newest event */
byte oldest = 1;       /* the first that is kept */
byte next[CONSUMERS];  /* the first not handed out, minus 1 */
byte acked[CONSUMERS];
byte given[CONSUMERS]; /* what the client was told of, in order: the end of it */
bool closed[CONSUMERS];
bool refuses[CONSUMERS]; /* the host's queue is purged */
mtype state[ALL] = IDLE;
byte first[ALL];       /* what a completed request carries: first + 1 .. upto */
byte upto[ALL];
byte completions[ALL]; /* of this sending */
byte raised;

#define OWNER(r) (r / REQUESTS)

inline complete(r)
{
    atomic {
        completions[r]++;
        assert(completions[r] == 1);
        state[r] = DONE
    }
}

/* Under the lock: hands everything there is to the request. A gap is part of it. */
inline fill(r, c)
{
    first[r] = next[c];
#ifdef SKIP_GAP
    if
    :: next[c] + 1 < oldest -> first[r] = oldest - 1
    :: else
    fi;
#endif
    upto[r] = last;
    next[c] = last
}

/* Under the lock: the first request in the queue, or ALL. The queue keeps their order. */
inline take(r, c)
{
    r = c * REQUESTS;
    do
    :: r < (c + 1) * REQUESTS && state[r] != QUEUED -> r++
    :: r < (c + 1) * REQUESTS && state[r] == QUEUED -> state[r] = TAKEN; break
    :: r == (c + 1) * REQUESTS -> r = ALL; break
    od
}

inline trim()
{
    byte least = last;
    byte k = 0;

    do
    :: k < CONSUMERS ->
       if
       :: !closed[k] && acked[k] < least -> least = acked[k]
       :: else
       fi;
       k++
    :: else -> break
    od;
    if
    :: oldest <= least -> oldest = least + 1
    :: else
    fi;
    k = 0;
    least = 0
}

inline match(c, r)
{
#ifndef SPLIT_MATCH
    atomic {
        r = ALL;
        if
        :: !closed[c] && next[c] < last ->
           take(r, c);
           if
           :: r != ALL -> fill(r, c)
           :: else
           fi
        :: else
        fi
    };
#else
    atomic {
        from = next[c];
        next[c] = last;
        to = last
    };
    r = ALL;
    if
    :: from < to -> atomic { take(r, c) }
    :: else
    fi;
    if
    :: from < to && r == ALL -> next[c] = from
    :: from < to && r != ALL -> first[r] = from; upto[r] = to
    :: else
    fi;
#endif
    if
    :: r != ALL -> complete(r)
    :: else
    fi;
    r = 0
}

proctype poster()
{
    byte r, from, to;

    do
    :: atomic {
           raised < EVENTS -> raised++; last++;
           trim();
           if
           :: last - oldest + 1 > BUDGET -> oldest++
           :: else
           fi;
           assert(last - oldest + 1 <= BUDGET)
       };
       match(0, r);
       match(1, r)
    :: atomic { raised == EVENTS -> break }
    od
}

/* One request of a client: it is sent again and again; its reply is used in its turn. The
 * acknowledgement of what the client was given so far goes with it. */
proctype fetch(byte r)
{
    byte c = OWNER(r);
    byte m, from, to;
    bool refused;

    do
    :: /* engine_fetch */
       atomic {
           if
           :: closed[c] -> break
           :: else -> completions[r] = 0; state[r] = FLIGHT; acked[c] = given[c]; trim()
           fi
       };
       /* The host queues it, or finds that the queue is purged. */
       atomic {
#ifndef QUEUE_AFTER_CLOSE
           if
           :: refuses[c] -> refused = true; state[r] = TAKEN
           :: else -> state[r] = QUEUED
           fi
#else
           state[r] = QUEUED
#endif
       };
       if
       :: refused -> complete(r); refused = false
       :: else
       fi;
#ifndef NO_MATCH_AFTER_QUEUE
       match(c, m);
#endif
end_pended:
       atomic {
           state[r] == DONE ->
           /* In its turn: what comes before it was used. A cancelled one carries nothing. */
           if
           :: upto[r] > 0 -> (given[c] == first[r])
           :: else
           fi
       };
       atomic {
           if
           :: upto[r] > 0 -> assert(given[c] == first[r]); given[c] = upto[r]
           :: else
           fi;
           state[r] = IDLE; first[r] = 0; upto[r] = 0
       }
    od
}

/* Cancels one request once, at any time. */
proctype cancel(byte r)
{
    if
    :: atomic { state[r] == QUEUED ->
#ifndef CANCEL_KEEPS
           state[r] = TAKEN
#endif
       };
       complete(r)
    :: skip
    fi
}

/* Closes the first consumer at any time: the engine first, then the queue is purged. */
proctype close()
{
    byte r;

    atomic { closed[0] = true; trim() };
    refuses[0] = true;
    do
    :: atomic { take(r, 0) };
       if
       :: r != ALL -> complete(r)
       :: else -> break
       fi
    od
}

proctype judge()
{
    byte c;

end:
    atomic {
        timeout;
        /* Who is closed has nothing that waits; who is open has seen all. */
        assert(state[0] == IDLE && state[1] == IDLE);
        assert(given[1] == EVENTS && next[1] == EVENTS)
    }
}

init {
    atomic {
        run poster(); run poster();
        run fetch(0); run fetch(1); run fetch(2);
        run cancel(1); run close(); run judge()
    }
}
