/* SPDX-License-Identifier: MIT */
/* The requests of the protocol, as a consumer sends them to rollcall.sys. */
#ifndef TESTS_WINE_ASK_H
#define TESTS_WINE_ASK_H

#include "tests/wine/lib/test.h"

#include <rollcall/protocol.h>

#define ANSWER_ROOM 8192u /* bytes of records */

struct answer {
    struct rollcall_reply reply;
    uint8_t records[ANSWER_ROOM];
};

struct stats {
    struct rollcall_engine_stats engine;
    struct rollcall_consumer_stats consumers[ROLLCALL_CONSUMERS_MAX];
};

/* Opens the device to read and write; dies if it cannot. */
HANDLE driver_open(void);

/* The head of a request. */
struct rollcall_request head_of(size_t size, unsigned flags);

/* These return 0 or a Win32 error. name: "" for an ephemeral consumer. */
DWORD ask_attach(HANDLE device, const char *name, unsigned flags,
                 struct rollcall_attached *attached);
DWORD ask_detach(HANDLE device, const char *name);
DWORD ask_release(HANDLE device);
DWORD ask_acknowledge(HANDLE device, uint64_t seq);
DWORD ask_configure(HANDLE device, uint64_t budget, uint32_t record_max);
/* room: bytes of the answer that the driver may use. */
DWORD ask_drain(HANDLE device, uint64_t acked_seq, struct answer *answer, size_t room);

/* Attaches, and waits as long as the consumer is another's, which is going away. */
void attach_again(HANDLE device, const char *name, unsigned flags,
                  struct rollcall_attached *attached);

/* Dies if it fails. */
void stats_get(HANDLE device, struct stats *stats);
/* The consumer of that name, or NULL. */
const struct rollcall_consumer_stats *stats_find(const struct stats *stats, const char *name);
/* Returns when so many requests of the consumer wait; dies after LIMIT_MS. */
void stats_wait_pended(HANDLE device, const char *name, uint32_t pended);

/* A fetch, sent and waited for later. */
struct fetch {
    struct pended pended;
    uint64_t acked_seq;
    struct answer answer;
};

void fetch_send(struct fetch *fetch, HANDLE device, uint64_t acked_seq, size_t room);
/* Returns 0 or a Win32 error; looks at the answer, if there is one. */
DWORD fetch_wait(struct fetch *fetch);

#endif
