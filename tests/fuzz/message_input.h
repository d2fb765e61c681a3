/* SPDX-License-Identifier: MIT */
/* What an input of fuzz_message is: steps. */
#ifndef TESTS_FUZZ_MESSAGE_INPUT_H
#define TESTS_FUZZ_MESSAGE_INPUT_H

#include <rollcall/protocol.h>

#define MESSAGE_CLIENTS 4u

/* In the journal, and ended; 15 events. */
#define OLD_EPOCH (UINT64_C(1790000000000000) - 1000000)

/* The lower four bits of a step's first byte, and what follows it; the upper ones: which client. A
 * packet is a byte that says how long it is, then so many bytes. */
enum message_step {
    STEP_PACKET, /* packet: as it is */
    STEP_REQUEST, /* byte: which of the codes, byte: room, 1,024 times, packet: the request, whose head
                     is put right */
    STEP_POST,    /* byte: how many */
    STEP_SERVE,  /* what the thread of the clients does when it is woken */
    STEP_STORE,  /* the places are stored */
    STEP_REOPEN, /* the client closes, another one comes */
    STEPS
};

static const uint32_t message_codes[] = {
    ROLLCALL_CODE_ATTACH,      ROLLCALL_CODE_FETCH,  ROLLCALL_CODE_DRAIN,     ROLLCALL_CODE_WAIT,
    ROLLCALL_CODE_ACKNOWLEDGE, ROLLCALL_CODE_STATS,  ROLLCALL_CODE_CONFIGURE, ROLLCALL_CODE_DETACH,
    ROLLCALL_CODE_RELEASE,     ROLLCALL_CODE_RESUME, ROLLCALL_CODE_EXISTING,  ROLLCALL_CODE_REPORT,
};

#define MESSAGE_CODES (sizeof(message_codes) / sizeof(message_codes[0]))

#endif
