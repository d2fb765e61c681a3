/* SPDX-License-Identifier: MIT */
#include "program/signals.h"

#include "windows/error.h"
#include "windows/program/stop.h"

#include <signal.h>
#include <stdatomic.h>

/* Windows ends a process whose console is closed this many milliseconds after it was told so, or
 * as soon as the handler returns. */
#define CLOSE_MS 4000

/* Both are set before the handler is installed, and stay. */
static atomic_int stop;
static atomic_bool ignored;
static HANDLE event;

void stop_ask(void)
{
    atomic_store(&stop, SIGTERM);
    if (event)
        SetEvent(event);
}

void stop_forget(void)
{
    atomic_store(&stop, 0);
    if (event)
        ResetEvent(event);
}

static BOOL WINAPI on_control(DWORD control)
{
    if (control == CTRL_C_EVENT || control == CTRL_BREAK_EVENT) {
        /* The second time nobody has listened: Windows ends the process. */
        if (!atomic_load(&ignored) && atomic_exchange(&stop, SIGINT))
            return FALSE;
        if (!atomic_load(&ignored))
            SetEvent(event);
        return TRUE;
    }
    stop_ask();
    Sleep(CLOSE_MS); /* the process ends meanwhile, in its own way */
    return TRUE;
}

int signals_install(void)
{
    atomic_store(&ignored, false);
    if (event)
        return 0;
    event = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (!event || !SetConsoleCtrlHandler(on_control, TRUE))
        return -error_number(GetLastError());
    if (atomic_load(&stop))
        SetEvent(event);
    return 0;
}

void stop_ignore(void)
{
    atomic_store(&ignored, true);
}

int signals_stop(void)
{
    return atomic_load(&stop);
}

bool signals_pause(uint64_t ns)
{
    return WaitForSingleObject(event, (DWORD)(ns / 1000000)) == WAIT_OBJECT_0;
}

void signals_reload_by_hup(void)
{
}

bool signals_take_reload(void)
{
    return false;
}

HANDLE stop_event(void)
{
    return event;
}
