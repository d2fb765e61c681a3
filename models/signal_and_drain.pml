/* SPDX-License-Identifier: MIT */
/*
 * Design 2, `signal-and-drain`. Two requests: X is pended and completed as a signal, Y, sent when
 * X completes, returns what is outstanding. A counter decides: the callback increments it, and
 * completes X only when the result is 1; Y decrements it for each event and stops at 0. Events
 * wait in a list, so none is lost; the question is whether the service always learns of them.
 *
 * Checked: at the end of every run all events are delivered.
 *
 * As described: when the counter goes from 0 to 1 while no X is pended (the service is between
 * the end of Y and the next X) there is nothing to complete, and no later event makes the result
 * 1 again. The service waits for ever.
 *
 * CORRECTED: who brings X in looks at the counter in the same critical section, and if it is
 * not 0 completes X at once. With LOOK_OUTSIDE the look comes before X is pended, not in the same
 * critical section: that is broken again.
 */
#ifndef EVENTS
#define EVENTS 3
#endif
#ifndef CALLBACKS
#define CALLBACKS 2
#endif

byte raised;    /* events taken on by callbacks */
byte list;      /* events that wait */
byte counter;
bool x_pended;
bool x_done;
byte delivered;

proctype callback()
{
    do
    :: atomic { raised < EVENTS -> raised++; list++ };
       atomic {
           counter++;
           if
           :: counter == 1 && x_pended -> x_pended = false; x_done = true
           :: else
           fi
       }
    :: atomic { raised == EVENTS -> break }
    od
}

proctype service()
{
    do
    :: /* send X */
#ifdef LOOK_OUTSIDE
       if
       :: counter > 0 -> x_done = true
       :: else -> x_pended = true
       fi;
#else
       atomic {
           x_pended = true;
#ifdef CORRECTED
           if
           :: counter > 0 -> x_pended = false; x_done = true
           :: else
           fi
#endif
       };
#endif
end_waiting:
       atomic { x_done -> x_done = false };
       /* send Y */
       do
       :: atomic { counter > 0 -> counter--; list--; delivered++ }
       :: atomic { counter == 0 -> break }
       od
    od
}

proctype judge()
{
end:
    atomic { timeout -> assert(delivered == EVENTS) }
}

init {
    byte i;

    atomic {
        do
        :: i < CALLBACKS -> run callback(); i++
        :: else -> break
        od;
        run service();
        run judge()
    }
}
