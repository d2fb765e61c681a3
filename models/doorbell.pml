/* SPDX-License-Identifier: MIT */
/*
 * Linux: the ring, its doorbell, the acknowledgement, and a reader that dies anywhere.
 *
 * Programs take a place in the ring, read whether the reader sleeps, submit, wake. The reader
 * reads up to the first place that is not submitted, stores in the journal, acknowledges, and
 * sleeps when nothing is there. It can be killed between any two steps; its successor begins at
 * the last acknowledgement and finds the journal as it was.
 *
 * Weak memory: a store waits in its processor's buffer until `memory` lets it out, at any time;
 * a barrier waits for that. Stores of one processor leave in order. Two programs take their
 * places under the ring's lock, in order.
 *
 * Checked: nobody sleeps while a record waits (the end of every run), each record is in the
 * journal exactly once and in order, what is acknowledged is in the journal.
 *
 * No run goes on for ever: each turn of each loop uses up a place or the crash. So every run ends,
 * and the judge sees the end of each.
 *
 * Bound: RECORDS from two programs, CRASHES.
 *
 * Broken: NO_PROGRAM_BARRIER, NO_READER_BARRIER, NO_LAST_LOOK, LOOK_SUBMITTED (the last look asks for
 * a record that is written, not for a place that is taken), SAME_TICKET (a successor that begins
 * with its predecessor's ticket), LATE_EDGE (the edge of an earlier wake-up is taken after the last
 * look), ACK_FIRST.
 *
 * Not broken: WAKE_BEFORE_SUBMIT. Who is woken finds a record that is still being written, and looks
 * at it again by itself.
 */
#ifndef RECORDS
#define RECORDS 3
#endif
#define PROGRAMS 2
#ifndef CRASHES
#define CRASHES 1
#endif

byte reserved;            /* places taken */
bool visible[RECORDS];    /* the taken place has left its program's store buffer */
bool submitted[RECORDS];
byte sleeper;             /* the ticket in memory */
bool waiting;             /* the reader's store to `sleeper` is still in its buffer: */
byte buffered;
byte wakes;               /* what the ring's wait queue has to say */
byte ticket;              /* the last one used */
byte journal;             /* records stored: 0 .. journal - 1 */
byte acked;
byte crashes;
bool kill;

#define STORE_SLEEPER(value) buffered = value; waiting = true

proctype memory()
{
    byte i;
end:
    do
    :: atomic {
           waiting -> sleeper = buffered; waiting = false; buffered = 0;
           printf("memory: the reader's ticket is %d\n", sleeper)
       }
    :: atomic { reserved > 0 && !visible[reserved - 1] ->
           /* in order: the lock lets the second take its place after the first's store is out */
           i = 0;
           do
           :: i < reserved && visible[i] -> i++
           :: i < reserved && !visible[i] -> break
           od;
           visible[i] = true;
           printf("memory: place %d is seen\n", i);
           i = 0 }
    od
}

inline doorbell()
{
    atomic { t = sleeper; printf("program %d: reads the ticket %d\n", _pid, t) }
}

inline submit()
{
    atomic {
        visible[place] -> submitted[place] = true;
        printf("program %d: submits place %d\n", _pid, place)
    }
}

inline wake()
{
    if
    :: atomic { t != 0 -> wakes = 1; printf("program %d: wakes ticket %d\n", _pid, t) }
    :: else
    fi
}

/* It takes the ticket away. */
inline rung()
{
    if
    :: atomic {
           t != 0 && sleeper == t -> sleeper = 0;
           printf("program %d: takes ticket %d away\n", _pid, t)
       }
    :: else
    fi
}

proctype program()
{
    byte place, t;

    do
    :: atomic {
           reserved < RECORDS -> place = reserved; reserved++;
           printf("program %d: takes place %d\n", _pid, place)
       };
#ifndef NO_PROGRAM_BARRIER
       visible[place];
#endif
       doorbell();
#ifdef WAKE_BEFORE_SUBMIT
       wake();
       submit();
#else
       submit();
       wake();
#endif
       rung();
       t = 0
    :: atomic { reserved == RECORDS -> break }
    od
}

#define THERE(position)     (position < RECORDS && visible[position])
#define READABLE(position)  (THERE(position) && submitted[position])

#ifdef LOOK_SUBMITTED
#define SOMETHING(position) READABLE(position)
#else
#define SOMETHING(position) THERE(position)
#endif

/* The journal's transaction; what it has already is not stored again. */
inline store()
{
    atomic {
        assert(journal >= position);
        if
        :: journal == position -> journal++
        :: else
        fi;
        printf("reader: stores %d\n", position)
    }
}

inline place_store()
{
    atomic { acked = position + 1; printf("reader: acknowledges %d\n", position) }
}

inline doorbell_disarm()
{
    atomic { STORE_SLEEPER(0) }
}

/* epoll tells no more of a wake-up that is past. */
inline take_edge()
{
    atomic { wakes = 0; printf("reader: takes the edge\n") }
}

/* The ticket, the barrier, the last look. */
inline doorbell_arm()
{
#ifndef LATE_EDGE
    take_edge();
#endif
#ifndef SAME_TICKET
    ticket++;
#else
    ticket = 1;
#endif
    atomic { STORE_SLEEPER(ticket); printf("reader: ticket %d, into its store buffer\n", ticket) };
#ifndef NO_READER_BARRIER
    !waiting;
#endif
#ifndef NO_LAST_LOOK
    if
    :: SOMETHING(position) -> doorbell_disarm(); goto awake
    :: else
    fi;
#endif
#ifdef LATE_EDGE
    take_edge();
#endif
    printf("reader: nothing at place %d, it sleeps\n", position)
}

inline doorbell_sleep()
{
    atomic { wakes > 0 -> wakes = 0; printf("reader: is woken\n") };
    doorbell_disarm()
}


proctype reader()
{
    byte position;

start:
    {
        position = acked;
        do
        :: READABLE(position) ->
#ifdef ACK_FIRST
           acked = position + 1;
#endif
           store();
           place_store();
           position++
        :: THERE(position) && !submitted[position] ->
           /* Its program is at work: the timer. */
           READABLE(position)
        :: !THERE(position) ->
           doorbell_arm();
end_asleep:
           doorbell_sleep();
awake:
           skip
        od
    } unless {
        atomic { kill -> kill = false; position = 0; printf("reader: DIES\n") };
        /* The kernel has switched away from it: what it stored is in memory. */
        !waiting;
        goto start
    }
}

proctype crash()
{
end:
    do
    :: atomic { crashes < CRASHES && !kill -> crashes++; kill = true }
    :: crashes == CRASHES -> break
    od
}

proctype judge()
{
end:
    atomic {
        timeout;
        printf("the end: %d of %d records are stored, %d acknowledged\n", journal, RECORDS, acked);
        assert(journal == RECORDS && acked == RECORDS)
    }
}

init {
    atomic {
        run memory(); run program(); run program(); run reader(); run crash(); run judge()
    }
}
