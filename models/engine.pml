/* SPDX-License-Identifier: MIT */
/*
 * The engine of core/engine.h and its host: post, fetch, match, cancel, close, attach, detach,
 * acknowledge, budget.
 *
 * Two posters, two durable consumers with two requests each. Those who disturb, each once and at
 * any time: CLOSE closes the first consumer, CANCEL cancels a request of either, ACKNOWLEDGE
 * acknowledges without fetching, DETACH removes the first consumer once it is closed, ATTACH gives it
 * a successor then, which has requests of its own. All of these at once, with two requests each, are
 * more states than can be searched: models.tsv has them one by one with two requests each, and
 * together with one.
 *
 * What a function of the engine does under its lock is one step here; the host's queues of pended
 * requests are guarded by the host, each of its operations is a step; a request is completed in a step
 * of its own. A number that the engine calls a consumer by is a session here: 0 and 1, and 2 is the
 * successor of 0.
 *
 * Checked: a request is completed once for each time that it is sent; each session is told of each
 * number once and in order, as an event or in a gap; an event that is handed out is still kept; never
 * more than BUDGET events are kept; at the end of every run no request of a closed session waits, and
 * no open session waits while an event does.
 *
 * Progress: every cycle would be one of a loop below, and each turn of each uses up something
 * that there is only so much of: an event, the cancel, the close. models/run.sh has spin look for
 * cycles in those rows that are small enough, and there are none. So every run ends, and the judge
 * sees the end of each: that all has been delivered there is progress, without any assumption of
 * who runs when.
 *
 * Bound: EVENTS, as many posters, BUDGET, REQUESTS of the first consumer, SECOND of the other.
 *
 * Broken: SPLIT_MATCH (the events are taken in one critical section, the request in another, and
 * the events are put back if there is none: what others do), NO_MATCH_AFTER_QUEUE,
 * CLEAR_OUTSIDE (`pended` is cleared without the lock), QUEUE_AFTER_CLOSE (the host does not
 * refuse what is queued after the close), CANCEL_KEEPS (who cancels completes without taking
 * out), SKIP_GAP (the cursor jumps over what the budget dropped), FREE_TOO_MANY (one more than was
 * acknowledged), NO_REWIND (a successor begins behind what was handed out), FORGET_CLOSED (what a
 * closed durable consumer has not acknowledged is not kept for it).
 */
#ifndef EVENTS
#define EVENTS 2
#endif
#ifndef BUDGET
#define BUDGET 1
#endif
#ifndef REQUESTS
#define REQUESTS 2
#endif
#ifndef SECOND
#define SECOND 2 /* requests of the second consumer */
#endif
#define CONSUMERS 2
#ifdef ATTACH
#define SESSIONS 3
#else
#define SESSIONS 2
#endif
#define NONE 6 /* no request has this number */

#define CONSUMER(s) (s % CONSUMERS)
#define SESSION(r)  (r / REQUESTS)

byte last;              /* the number of the newest event */
byte oldest = 1;        /* the first that is kept */
byte evicted;           /* the newest that the budget dropped */

byte acked[CONSUMERS];
byte next[CONSUMERS];   /* the first not handed out, minus 1 */
bool gone;              /* the first consumer was detached */
byte current;           /* the session of the first consumer */

bool open[SESSIONS];
bool pended[SESSIONS];  /* its queue may not be empty */
bool refuses[SESSIONS]; /* its queue was purged */
byte given[SESSIONS];   /* what the client was told of, in order: the end of it */
chan queue[SESSIONS] = [REQUESTS + 1] of { byte };

bool sent[NONE];        /* the client has sent it, and not yet used its answer */
bool done[NONE];        /* it is completed */
byte first[NONE];       /* what a completed one carries: first + 1 .. upto */
byte upto[NONE];

/* By who has taken it out of the queue, or refused it. */
inline complete(r)
{
    d_step {
        assert(!done[r]);
        done[r] = true;
        printf("host: completes request %d with %d to %d\n", r, first[r] + 1, upto[r])
    }
}

/* ---- under the engine's lock ---- */

inline log_trim()
{
    least = acked[1];
    if
#ifdef FORGET_CLOSED
    :: open[current] && acked[0] < least -> least = acked[0]
#else
    :: !gone && acked[0] < least -> least = acked[0]
#endif
    :: else
    fi;
#ifdef FREE_TOO_MANY
    if
    :: least < last -> least++
    :: else
    fi;
#endif
    if
    :: oldest <= least -> oldest = least + 1
    :: else
    fi;
    least = 0
}

/* Everything there is: a gap up to what the budget dropped, then events. */
inline deliver_fill(s, r)
{
    first[r] = next[CONSUMER(s)];
    least = first[r] + 1;
    if
    :: least <= evicted ->
       least = evicted + 1;
#ifdef SKIP_GAP
       first[r] = evicted
#endif
    :: else
    fi;
    assert(least >= oldest);
    least = 0;
    upto[r] = last;
    next[CONSUMER(s)] = last
}

inline deliver_match(s, r)
{
    if
    :: open[s] && pended[s] && next[CONSUMER(s)] < last ->
       if
       :: nempty(queue[s]) -> queue[s] ? r; deliver_fill(s, r)
       :: empty(queue[s]) ->
#ifdef CLEAR_OUTSIDE
          clears = s + 1
#else
          pended[s] = false
#endif
       fi
    :: else
    fi
}

inline consumers_acknowledge(s)
{
    if
    :: acked[CONSUMER(s)] < given[s] -> acked[CONSUMER(s)] = given[s]
    :: else
    fi;
    log_trim()
}

/* ---- the engine ---- */

inline complete_taken(r)
{
    if
    :: r != NONE -> complete(r); r = NONE
    :: else
    fi
}

#ifdef SPLIT_MATCH
/* Events first, then a request. */
inline match(s, r)
{
    d_step {
        if
        :: open[s] -> from = next[CONSUMER(s)]; to = last; next[CONSUMER(s)] = to
        :: else
        fi
    };
    d_step {
        if
        :: from < to && nempty(queue[s]) -> queue[s] ? r; first[r] = from; upto[r] = to
        :: from < to && empty(queue[s]) -> next[CONSUMER(s)] = from
        :: else
        fi;
        from = 0; to = 0
    };
    complete_taken(r)
}
#endif

inline clear_pended()
{
#ifdef CLEAR_OUTSIDE
    if
    :: clears > 0 -> pended[clears - 1] = false; clears = 0
    :: else
    fi
#else
    skip
#endif
}

inline engine_match(s, r)
{
#ifdef SPLIT_MATCH
    match(s, r)
#else
    d_step {
        if
        :: open[s] -> pended[s] = true; deliver_match(s, r)
        :: else
        fi
    };
    clear_pended();
    complete_taken(r)
#endif
}

inline engine_post()
{
    last++;
    if
    :: last - oldest + 1 > BUDGET -> evicted = oldest; oldest++
    :: else
    fi;
    assert(last - oldest + 1 <= BUDGET);
    printf("engine_post: event %d, kept from %d on\n", last, oldest);
#ifndef SPLIT_MATCH
    deliver_match(current, q);
    deliver_match(1, r)
#endif
}

/* Each event has a poster of its own, and who posts first has the first number: a poster keeps
 * nothing from one event to the next, so one that posts several has no order that these have not. */
proctype poster(byte number)
{
    byte q = NONE;
    byte r = NONE;
    byte least, from, to, clears;

    d_step { last == number - 1 -> engine_post() };
#ifdef SPLIT_MATCH
    match(current, q);
    match(1, r)
#else
    clear_pended();
    complete_taken(q);
    complete_taken(r)
#endif
}

#ifdef QUEUE_AFTER_CLOSE
#define MAY_QUEUE(s) true
#else
#define MAY_QUEUE(s) (!refuses[s])
#endif

/* One request of a client: it is sent again and again; its answer is used in its turn. The
 * acknowledgement of what the client was given so far goes with it. */
proctype fetch(byte r)
{
    byte taken = NONE;
    byte least, from, to, clears;

end_unattached:
    open[SESSION(r)];
    do
    :: d_step {
           open[SESSION(r)] ->
           sent[r] = true; done[r] = false;
           consumers_acknowledge(SESSION(r));
           printf("engine_fetch: request %d, acknowledges %d\n", r, given[SESSION(r)])
       };
       if
       :: atomic { MAY_QUEUE(SESSION(r)) -> queue[SESSION(r)] ! r };
#ifndef NO_MATCH_AFTER_QUEUE
          engine_match(SESSION(r), taken)
#endif
       :: !MAY_QUEUE(SESSION(r)) -> complete(r)
       fi;
end_pended:
       /* In its turn: what comes before it was used. One that was cancelled carries nothing. */
       d_step {
           done[r] && (upto[r] == 0 || given[SESSION(r)] >= first[r]) ->
           if
           :: upto[r] > 0 ->
              assert(given[SESSION(r)] == first[r]);
              given[SESSION(r)] = upto[r];
              printf("client: request %d brings %d to %d\n", r, first[r] + 1, upto[r])
           :: else -> printf("client: request %d brings nothing\n", r)
           fi;
           sent[r] = false; done[r] = false; first[r] = 0; upto[r] = 0
       }
    :: !open[SESSION(r)] -> break
    od
}

/* ---- those who disturb ---- */

/* One request of either consumer, once, at any time. */
proctype cancel()
{
    if
    :: skip
#ifdef CANCEL_KEEPS
    :: queue[0] ?? [eval(REQUESTS - 1)] -> complete(REQUESTS - 1)
#else
    :: queue[0] ?? eval(REQUESTS - 1) -> complete(REQUESTS - 1)
    :: queue[1] ?? eval(REQUESTS) -> complete(REQUESTS)
#endif
    fi
}

inline engine_acknowledge(s)
{
    d_step {
        open[s] -> consumers_acknowledge(s);
        printf("engine_acknowledge: up to %d\n", acked[CONSUMER(s)])
    }
}

/* One consumer, once, at any time, without fetching. */
proctype acknowledger()
{
    byte least;

    if
    :: skip
    :: engine_acknowledge(0)
    :: engine_acknowledge(1)
    fi
}

inline engine_close()
{
    d_step {
        open[0] = false; pended[0] = false;
        log_trim();
        printf("engine_close\n")
    }
}

/* The engine first, then the host purges the queue. */
proctype close()
{
    byte least;
    byte r = NONE;

    engine_close();
    refuses[0] = true;
    do
    :: queue[0] ? r -> complete(r)
    :: empty(queue[0]) -> break
    od
}

inline engine_detach()
{
    d_step { !open[current] && !gone -> gone = true; log_trim(); printf("engine_detach\n") }
}

proctype detach()
{
    byte least;

    if
    :: skip
    :: engine_detach()
    fi
}

#ifdef ATTACH
inline engine_attach()
{
    d_step {
        !open[0] && !gone ->
        open[2] = true; current = 2;
#ifdef NO_REWIND
        acked[0] = next[0];
#else
        next[0] = acked[0];
#endif
        assert(acked[0] <= given[0]);
        given[2] = acked[0];
        printf("engine_attach: behind %d\n", acked[0])
    }
}

proctype attach()
{
    if
    :: skip
    :: engine_attach()
    fi
}
#endif

proctype judge()
{
end:
    atomic {
        timeout;
        assert(given[1] == EVENTS && next[1] == EVENTS);
        if
        :: open[0] -> assert(given[0] == EVENTS)
        :: else -> assert(!sent[0] && !sent[REQUESTS - 1])
        fi;
#ifdef ATTACH
        assert(!open[2] || given[2] == EVENTS)
#endif
    }
}

init {
    byte r;

    atomic {
        open[0] = true; open[1] = true;
        do
        :: r < EVENTS -> r++; run poster(r)
        :: else -> r = 0; break
        od;
        do
        :: r < SESSIONS * REQUESTS && (SESSION(r) != 1 || r < REQUESTS + SECOND) -> run fetch(r); r++
        :: r < SESSIONS * REQUESTS && SESSION(r) == 1 && r >= REQUESTS + SECOND -> r++
        :: else -> break
        od;
#ifdef CANCEL
        run cancel();
#endif
#ifdef ACKNOWLEDGE
        run acknowledger();
#endif
#ifdef CLOSE
        run close();
#endif
#ifdef DETACH
        run detach();
#endif
#ifdef ATTACH
        run attach();
#endif
        run judge()
    }
}
