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
 * Broken: NO_PROGRAM_BARRIER, NO_READER_BARRIER, NO_LAST_LOOK, WAKE_BEFORE_SUBMIT,
 * SAME_TICKET (a successor that begins with its predecessor's ticket), ACK_FIRST.
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

#define STORE_SLEEPER(value) atomic { buffered = value; waiting = true }

proctype memory()
{
    byte i;
end:
    do
    :: atomic { waiting -> sleeper = buffered; waiting = false; buffered = 0 }
    :: atomic { reserved > 0 && !visible[reserved - 1] ->
           /* in order: the lock lets the second take its place after the first's store is out */
           i = 0;
           do
           :: i < reserved && visible[i] -> i++
           :: i < reserved && !visible[i] -> break
           od;
           visible[i] = true; i = 0 }
    od
}

proctype program()
{
    byte place, t;

    do
    :: atomic { reserved < RECORDS -> place = reserved; reserved++ }
#ifndef NO_PROGRAM_BARRIER
       visible[place];
#endif
       t = sleeper;
#ifdef WAKE_BEFORE_SUBMIT
       if
       :: t != 0 -> wakes = 1
       :: else
       fi;
#endif
       atomic { visible[place] -> submitted[place] = true };
#ifndef WAKE_BEFORE_SUBMIT
       if
       :: t != 0 -> wakes = 1
       :: else
       fi;
#endif
       if
       :: atomic { t != 0 && sleeper == t -> sleeper = 0 }
       :: else
       fi;
       t = 0
    :: atomic { reserved == RECORDS -> break }
    od
}

#define THERE(position)     (position < RECORDS && visible[position])
#define READABLE(position)  (THERE(position) && submitted[position])

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
           /* The journal's transaction; what it has already is not stored again. */
           atomic {
               assert(journal >= position);
               if
               :: journal == position -> journal++
               :: else
               fi
           };
           acked = position + 1;
           position++
        :: THERE(position) && !submitted[position] ->
           /* Its program is at work: the timer. */
           READABLE(position)
        :: !THERE(position) ->
#ifndef SAME_TICKET
           ticket++;
#else
           ticket = 1;
#endif
           STORE_SLEEPER(ticket);
#ifndef NO_READER_BARRIER
           !waiting;
#endif
#ifndef NO_LAST_LOOK
           if
           :: THERE(position) -> STORE_SLEEPER(0); goto awake
           :: else
           fi;
#endif
end_asleep:
           atomic { wakes > 0 -> wakes = 0 };
           STORE_SLEEPER(0);
awake:
           skip
        od
    } unless {
        atomic { kill -> kill = false; position = 0 };
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
    atomic { timeout -> assert(journal == RECORDS && acked == RECORDS) }
}

init {
    atomic {
        run memory(); run program(); run program(); run reader(); run crash(); run judge()
    }
}
