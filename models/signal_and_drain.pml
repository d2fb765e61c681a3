/* SPDX-License-Identifier: MIT */
/*
 * Design 2, `signal-and-drain`. Two requests: X is pended and completed as a signal, Y, sent when
 * X completes, returns what is outstanding. A counter decides: the callback increments it, and
 * completes X only when the result is 1; Y decrements it for each event and stops at 0. Events
 * wait in a list, so none is lost; the question is whether the service always learns of them.
 *
 * Each of these is a step of its own, as described: the event comes into the list, the counter is
 * incremented, X is completed; Y looks at the counter, takes an event, decrements the counter. A
 * driver that does several of them in one critical section (the lab's does) has fewer orders.
 *
 * Checked: at the end of every run all events are delivered.
 *
 * As described: when the counter goes from 0 to 1 while no X is pended (the service is between
 * the end of Y and the next X) there is nothing to complete, and no later event makes the result
 * 1 again. The service waits for ever.
 *
 * X_FIRST corrects it in the service alone: X is sent again before Y, and at the start X, then Y. Who
 * makes the counter 1 after a Y has ended finds the X that was sent before that Y; if that X is
 * completed already, the service is on its way to the next Y, which takes the event.
 *
 * CORRECTED corrects it in the driver: who brings X in looks at the counter in the same critical
 * section, and if it is not 0 completes X at once. With LOOK_OUTSIDE the look comes before X is
 * pended, not in the same critical section: that is broken again.
 *
 * Bound: EVENTS from CALLBACKS processors, which begin when X is pended for the first time (the
 * start is not the design's fault) or, with EARLY, at any time.
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
#ifdef EARLY
bool started = true;
#else
bool started;
#endif

inline complete_x()
{
    atomic {
        if
        :: x_pended ->
           x_pended = false; x_done = true;
           printf("raise: X is completed for event %d\n", event)
        :: else -> printf("raise: no X is pended for event %d: nothing to complete\n", event)
        fi
    }
}

inline raise()
{
    atomic {
        counter++; result = counter;
        printf("raise: event %d, the counter becomes %d\n", event, result)
    };
    if
    :: result == 1 -> complete_x()
    :: else
    fi;
    result = 0; event = 0
}

proctype callback()
{
    byte event, result;

    started;
    do
    :: atomic { raised < EVENTS -> raised++; event = raised; list++ };
       raise()
    :: atomic { raised == EVENTS -> break }
    od
}

inline send_x()
{
#ifdef LOOK_OUTSIDE
    if
    :: atomic { counter > 0 -> x_done = true; printf("service: X, completed at once\n") }
    :: atomic { counter == 0 -> printf("service: X, the counter is 0\n") };
       atomic { x_pended = true; printf("service: X is pended\n") }
    fi;
#else
    atomic {
        x_pended = true;
        printf("service: X is pended, the counter is %d\n", counter);
#ifdef CORRECTED
        if
        :: counter > 0 ->
           x_pended = false; x_done = true;
           printf("service: X is completed at once\n")
        :: else
        fi
#endif
    };
#endif
    started = true
}

/* Y. */
inline drain()
{
    do
    :: counter > 0 ->
       atomic { assert(list > 0); list--; taken++ };
       atomic { counter--; printf("service: Y takes an event, the counter becomes %d\n", counter) }
    :: atomic { counter == 0 -> printf("service: Y ends with %d events\n", taken) };
       break
    od;
    delivered = delivered + taken;
    taken = 0
}

inline lab_service_start()
{
    send_x();
#ifdef X_FIRST
    /* Something may be there from before. */
    drain()
#endif
}

/* X has completed. */
inline signalled()
{
#ifdef X_FIRST
    send_x();
#endif
    drain()
}

/* Y has. */
inline drained()
{
#ifndef X_FIRST
    send_x()
#else
    skip
#endif
}

proctype service()
{
    byte taken;

    lab_service_start();
end_waiting:
    do
    :: atomic { x_done -> x_done = false; printf("service: X has completed\n") };
       signalled();
       drained()
    od
}

/* No run goes on for ever, as each turn of each loop uses up an event or an X that one has
 * completed. So every run ends, and this sees the end of each. */
proctype judge()
{
end:
    atomic {
        timeout;
        if
        :: delivered < EVENTS ->
           printf("the end: %d events wait, the counter is %d, and the service waits for X\n", list,
                  counter);
           assert(false)
        :: else -> assert(list == 0 && counter == 0)
        fi
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
        run judge()
    }
}
