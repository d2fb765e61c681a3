/* SPDX-License-Identifier: MIT */
/*
 * Requests and events. The service sends REQUESTS ahead of time, which the driver keeps pended; an
 * event takes one of them, or waits in the driver, where CAPACITY events may wait. An event that
 * finds neither is lost. A request brings one event, or with BATCHES all that wait.
 *
 * This is the family of `single` (1 request, nothing waits), `overlapped` and `one-queue` (more of
 * them), `two-queues` (REQUESTS and CAPACITY), `event-list` (everything may wait) and
 * `commit-and-fetch`: with KEEPS the driver keeps an event until the service has acknowledged it, in
 * the request that it sends next. Without, an event is forgotten when a request has taken it.
 *
 * CRASH: the service may die at any step, once, and comes back some time later. Its requests go with
 * it, pended or completed, and with them what it had in its hands. AWAY: it goes the same way,
 * but only while it has nothing in its hands.
 *
 * The burst begins when all requests are pended: the start is not the design's fault.
 *
 * Checked: no event is lost; at the end of every run the service has worked on all of them, so
 * nobody waits while an event does; without a crash on none twice; there are never more than
 * REQUESTS requests, and no more is kept than REQUESTS + CAPACITY events.
 *
 * Bound: EVENTS from CALLBACKS processors.
 *
 * Broken, of `commit-and-fetch`: ACKED_FIRST (acknowledged before it is worked on), ANY_ORDER
 * (the service takes completed requests as they come, though an acknowledgement is of all up to a
 * number), NO_REWIND (a successor begins behind what was handed out).
 */
#ifndef REQUESTS
#define REQUESTS 1
#endif
#ifndef CAPACITY
#define CAPACITY 0
#endif
#ifndef EVENTS
#define EVENTS 2
#endif
#ifndef CALLBACKS
#define CALLBACKS 2
#endif

byte raised;             /* the newest event */
byte handed;             /* the newest that a request has taken */
byte acked;              /* the newest that is not kept any more */
byte pended;             /* requests in the driver */
byte lives;              /* of the service: how many are over */
bool started;
bool killed;
byte worked[EVENTS + 1]; /* how often, by the event's number */

/* Completed requests that the service has not taken yet: the first event and the last. */
chan answers = [REQUESTS] of { byte, byte };

/* What was handed out is forgotten, unless the design keeps it. */
inline handed_out()
{
#ifndef KEEPS
    acked = handed;
#endif
    printf("driver: a request takes event %d to %d\n", first, upto)
}

/* Under the driver's lock: an event and a request are taken in one step. */
inline match()
{
    if
    :: handed < raised && pended > 0 ->
       pended--;
       life = lives;
       first = handed + 1;
#ifdef BATCHES
       upto = raised;
#else
       upto = first;
#endif
       handed = upto;
       handed_out()
    :: else
    fi
}

/* Without the lock. What is completed to a service that has died meanwhile goes nowhere. */
inline host_complete()
{
    if
    :: atomic { first > 0 && life == lives -> answers ! first, upto }
    :: else
    fi;
    atomic { first = 0; upto = 0; life = 0 }
}

inline raise()
{
    if
    :: raised - acked < CAPACITY || pended > 0 ->
       raised++;
       printf("raise: event %d, %d requests are pended\n", raised, pended)
    :: else ->
       printf("raise: event %d finds no request and no place: LOST\n", raised + 1);
       assert(false)
    fi;
    assert(raised - acked <= CAPACITY + REQUESTS);
    match()
}

proctype callback()
{
    byte first, upto, life;

    started;
    do
    :: atomic { raised < EVENTS -> raise() };
       host_complete()
    :: atomic { raised == EVENTS -> break }
    od
}

/* The kernel goes on with it where it was acknowledged. */
inline attach()
{
    atomic {
#ifdef NO_REWIND
        acked = handed;
#else
        handed = acked;
#endif
        done = acked;
        printf("service: attach, begins behind event %d\n", done)
    }
}

/* Acknowledges, is queued, is matched: three steps. */
inline send()
{
    atomic {
#ifdef KEEPS
        if
        :: done > acked -> acked = done
        :: else
        fi;
#endif
        printf("service: sends a request, done with %d\n", done)
    };
    atomic { pended++; assert(pended + len(answers) <= REQUESTS) };
    atomic { match() };
    host_complete()
}

inline work()
{
    atomic {
        event++;
        worked[event]++;
        printf("service: works on event %d\n", event);
#if defined(CRASH) || defined(AWAY)
        assert(worked[event] <= 2)
#else
        assert(worked[event] == 1)
#endif
    }
}

/* A completed request was taken, and is sent again. */
inline fetched()
{
    event = begins - 1;
    do
    :: event < ends -> work()
    :: else -> break
    od;
    done = ends;
    begins = 0; ends = 0; event = 0;
    send()
}

proctype service()
{
    byte first, upto, life;    /* of a request that was matched when it was sent */
    byte begins, ends, event;  /* in the service's hands */
    byte done, sent;

start:
    {
        attach();
        do
        :: sent < REQUESTS -> send(); sent++
        :: else -> break
        od;
        started = true;
end_pended:
        do
#ifdef ANY_ORDER
        :: answers ? begins, ends ->
#else
        :: answers ?? eval(done + 1), ends ->
           begins = done + 1;
#endif
#ifdef ACKED_FIRST
           acked = ends;
#endif
           fetched()
        od
    } unless {
        atomic {
            killed -> killed = false;
            first = 0; upto = 0; life = 0; begins = 0; ends = 0; event = 0; done = 0; sent = 0
        };
        goto start
    }
}

#ifdef AWAY
#define MAY_DIE (pended == REQUESTS)
#else
#define MAY_DIE true
#endif

/* With the service go its requests, in the same moment: the system closes its handle. */
inline close()
{
    pended = 0;
    lives++;
    do
    :: answers ? _, _
    :: empty(answers) -> break
    od;
    killed = true;
    printf("service: DIES; close\n")
}

proctype crash()
{
    if
    :: atomic { MAY_DIE -> close() }
    :: skip
    fi
}

/* No run goes on for ever: each turn of each loop uses up an event or the crash. So every run ends,
 * and this sees the end of each. */
proctype judge()
{
    byte event = 1;

end:
    atomic {
        timeout;
        do
        :: event <= EVENTS && worked[event] > 0 -> event++
        :: event <= EVENTS && worked[event] == 0 ->
           printf("the end: event %d never came to the service: LOST\n", event);
           assert(false)
        :: event > EVENTS -> break
        od
    }
}

init {
    byte i;

    atomic {
        do
        :: i < CALLBACKS -> run callback(); i++
        :: else -> break
        od;
        run service();
#if defined(CRASH) || defined(AWAY)
        run crash();
#endif
        run judge()
    }
}
