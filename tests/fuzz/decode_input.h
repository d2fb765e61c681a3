/* SPDX-License-Identifier: MIT */
/* An input of fuzz_decode: this head, then what stands in the ring from `position` on. */
#ifndef DECODE_INPUT_H
#define DECODE_INPUT_H

#include <rollcall/event.h>

#include <stdint.h>

struct decode_input {
    uint64_t position;  /* where the reader begins */
    uint64_t used;      /* bytes of the ring that are taken; normally as many as follow */
    uint64_t seq;       /* the reader's place */
    uint64_t acked_seq; /* the same */
    uint64_t lost[ROLLCALL_REASONS];
};

#endif
