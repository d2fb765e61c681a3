/* SPDX-License-Identifier: MIT */
/* What an input of fuzz_request is: a byte whose lowest bit says whether durable consumers hold the
 * policy `deny`, then steps. */
#ifndef TESTS_FUZZ_REQUEST_INPUT_H
#define TESTS_FUZZ_REQUEST_INPUT_H

#define REQUEST_OWNERS 4u

/* The lower four bits of a step's first byte, and what follows it; the upper ones: which owner. A
 * word is two bytes, the lower one first; a request is a byte that says how long it is, then so
 * many bytes. */
enum request_op {
    OP_POST,        /* byte: type less 1, word: bytes of its text */
    OP_CREATE,      /* the same; may be refused */
    OP_LOST,        /* byte: reason, word: how many */
    OP_ATTACH,      /* request */
    OP_CLOSE,       /* */
    OP_FETCH,       /* word: bytes of the buffer, request */
    OP_WAIT,        /* word, request */
    OP_DRAIN,       /* word, request */
    OP_ACKNOWLEDGE, /* request */
    OP_STATS,       /* word, request */
    OP_CONFIGURE,   /* request */
    OP_DETACH,      /* request */
    OP_CANCEL,      /* */
    OP_MEMORY       /* there is none any more, or again */
};

#endif
