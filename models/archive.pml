/* SPDX-License-Identifier: MIT */
/*
 * The daemon: a consumer between the archive (the journal) and the engine's log.
 *
 * The source posts each event: the log keeps the last KEPT of them. The writer stores them later, and then
 * says up to where. The server's thread has one consumer, of which at most one request is pended: while
 * it is live, whoever posts answers it; else that thread answers it from the archive, as far as has been
 * stored. What the consumer wants next may be in neither: no longer in the log, and not yet in the archive.
 * EXISTING: it begins behind what is stored. AHEAD: it begins behind what is posted, as it was given more
 * by a daemon that was killed; all of that comes again.
 *
 * Checked: the events are delivered in order, none missing and none twice, and in the end all are: no
 * request waits while there is something for it.
 *
 * No run goes on for ever: each turn of each loop uses up an event or a wake-up.
 *
 * Bound: EVENTS, KEPT.
 *
 * Broken: NO_AWAIT (who finds nothing in the archive is not woken when more is stored), LOOK_FIRST (looks
 * how far is stored, then says that it waits), STAYS (who falls behind is not told of).
 */
#ifndef EVENTS
#define EVENTS 4
#endif
#ifndef KEPT
#define KEPT 1
#endif

#define OLDEST (last >= KEPT -> last - KEPT + 1 : 1)

mtype = { archive, live };

byte last;       /* the last event in the log, */
byte stored;     /* and in the journal */
bool awaited;
bool ready;      /* the server's thread is woken */
mtype mode = archive;
byte next;       /* in the archive */
byte cursor;     /* in the log */
bool is_behind;
bool pended;
byte delivered;
bool began;

inline deliver(seq)
{
    assert(seq == delivered + 1);
    delivered = seq;
    pended = false;
    printf("the consumer gets event %d\n", seq)
}

inline host_stored()
{
    stored++;
    printf("writer: has stored event %d\n", stored);
    atomic {
        if
        :: awaited -> awaited = false; ready = true; printf("writer: wakes\n")
        :: else
        fi
    }
}

/* Whoever posts or asks; the lock is held. */
inline match()
{
    if
    :: mode == live && !is_behind && pended && cursor <= last -> deliver(cursor); cursor++
    :: else
    fi
}

active proctype source()
{
    do
    :: last < EVENTS ->
       atomic {
           last++;
           printf("source: posts event %d\n", last);
           match();
           if
           :: mode == live && !is_behind && cursor < OLDEST ->
              is_behind = true;
#ifndef STAYS
              ready = true;
#endif
              printf("source: the consumer is behind, at event %d\n", cursor)
           :: else
           fi
       }
    :: else -> break
    od
}

active proctype writer()
{
    do
    :: stored < last -> host_stored()
    :: stored == EVENTS -> break
    od
}

inline settle()
{
    atomic {
        if
        :: mode == live && is_behind -> mode = archive; next = cursor; is_behind = false
        :: else
        fi
    }
    atomic {
        if
        :: mode == archive && next <= last + 1 && next >= OLDEST ->
           mode = live; cursor = next; printf("server: live at event %d\n", next)
        :: else
        fi
    }
}

inline await_stored()
{
#ifndef NO_AWAIT
#ifdef LOOK_FIRST
    seen = stored;
    awaited = true;
#else
    awaited = true;
    seen = stored;
#endif
    if
    :: seen >= next -> ready = true
    :: else -> printf("server: waits for event %d\n", next)
    fi
#else
    skip
#endif
}

inline serve_archive()
{
    seen = stored;
    if
    :: seen >= next -> deliver(next); next++
    :: else -> await_stored()
    fi
}

inline client_serve()
{
    settle();
    if
    :: mode == live -> atomic { match() }
    :: mode == archive && pended -> serve_archive()
    :: else
    fi
}

inline client_begin()
{
    atomic {
#ifdef EXISTING
        next = stored + 1;
#elif defined(AHEAD)
        next = EVENTS - 1;
#else
        next = last + 1;
#endif
        delivered = next - 1;
        began = true;
        printf("server: the consumer begins with event %d\n", next)
    }
    settle()
}

inline client_pend()
{
    pended = true;
    printf("the consumer asks\n");
    if
    :: mode == archive -> ready = true
    :: else -> atomic { match() }
    fi
}

active proctype server()
{
    byte seen;

    client_begin();
end:
    do
    :: atomic { ready -> ready = false }; client_serve()
    :: !pended && delivered < EVENTS -> client_pend()
    od
}

active proctype judge()
{
end:
    atomic {
        timeout;
        printf("the end: %d events have been delivered\n", delivered);
        assert(delivered == EVENTS)
    }
}
