/* SPDX-License-Identifier: MIT */
/* The driver that the runtime's own tests use: it does what is right, or one misuse on command. */
#ifndef PROBE_H
#define PROBE_H

#include <stdint.h>

#define PROBE_PATH           L"\\\\.\\rollcall-probe"
#define PROBE_CODE(function) (0x8a17u << 16 | 3u << 14 | (function) << 2)

#define PROBE_ECHO    PROBE_CODE(0x801u) /* the answer is the question */
#define PROBE_RAW     (PROBE_ECHO | 3u)  /* the same with METHOD_NEITHER */
#define PROBE_PEND    PROBE_CODE(0x802u) /* into the manual queue */
#define PROBE_RELEASE PROBE_CODE(0x803u) /* completes the oldest of those, out: uint32_t, found */
#define PROBE_MISUSE  PROBE_CODE(0x804u) /* in: uint32_t, enum probe_misuse */
#define PROBE_COUNTS  PROBE_CODE(0x805u) /* out: probe_counts */
#define PROBE_MARK    PROBE_CODE(0x806u) /* marks it cancelable, and keeps it */
#define PROBE_PURGE   PROBE_CODE(0x807u) /* purges the manual queue and starts it again */

struct probe_counts {
    uint32_t creates, cleanups, closes;
    uint32_t canceled_on_queue, cancel_routines;
    uint32_t created, exited; /* processes */
    uint32_t purged;
    uint32_t strangers; /* a process was notified of in another one than it says */
};

enum probe_misuse {
    PROBE_COMPLETED_TWICE,
    PROBE_TOUCHED,
    PROBE_WRONG_HANDLE,
    PROBE_NULL_HANDLE,
    PROBE_NOT_A_HANDLE,
    PROBE_STALE_HANDLE,
    PROBE_WITH_LOCK,
    PROBE_LOCK_KEPT,
    PROBE_LOCK_NOT_HELD,
    PROBE_IRQL,
    PROBE_STRUCT_SIZE,
    PROBE_BUFFER_OVERRUN,
    PROBE_INFORMATION,
    PROBE_OUTPUT_UNSET,
    PROBE_NOT_OWNER,
    PROBE_COMPLETED_CANCELABLE,
    PROBE_CONTEXT_OVERRUN,
    PROBE_NO_CONTEXT,
    PROBE_OVER_DEREFERENCED,
    PROBE_UNDELETABLE,
    PROBE_POOL_OVERRUN,
    PROBE_POOL_TWICE,
    PROBE_POOL_TAG,
    PROBE_POOL_EXECUTABLE,
    PROBE_NOT_A_PROCESS,
    PROBE_PROCESS_OVER,
    PROBE_WAITS_IN_CALLBACK,
    PROBE_MISUSES_NOW,
    /* What shows when the driver is unloaded. */
    PROBE_BUFFER_AFTER = PROBE_MISUSES_NOW,
    PROBE_POOL_AFTER_FREE,
    PROBE_OBJECT_LEAK,
    PROBE_POOL_LEAK,
    PROBE_PROCESS_LEAK,
    PROBE_TOKEN_LEAK,
    PROBE_NOTIFY_LEAK,
    PROBE_MISUSES
};

#endif
