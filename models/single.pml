/* SPDX-License-Identifier: MIT */
/*
 * Designs 1 and 3, `single` and `overlapped`: no event queue. The callback completes a pended
 * request with its event; when none is pended there is no place for the event.
 *
 * REQUESTS: 1 is `single`, more is `overlapped`. EVENTS: of one burst, which begins when all
 * requests are pended: the start is not the design's fault.
 *
 * Checked: no event is lost. spin finds it lost whenever there are more events than requests, for
 * any number of requests; it holds only when there is a request for everything that will ever happen.
 */
#ifndef REQUESTS
#define REQUESTS 1
#endif
#ifndef EVENTS
#define EVENTS 2
#endif

byte pended = REQUESTS; /* requests that wait in the driver */
byte answered;          /* requests that are completed and not yet handled by the service */
byte delivered;
byte lost;

active proctype callback()
{
    byte event;

    do
    :: event < EVENTS ->
       atomic {
           if
           :: pended > 0 -> pended--; answered++
           :: else -> lost++
           fi;
           event++
       }
    :: else -> break
    od;
    assert(lost == 0)
}

active proctype service()
{
end:
    do
    :: atomic { answered > 0 -> answered--; delivered++ };
       /* It is at work on the event here; then it sends the request again. */
       pended++
    od
}
