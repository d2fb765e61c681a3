/* SPDX-License-Identifier: MIT */
/* The decoder with any ring and any place: well-formed events or -EBADMSG, an end, the same events
 * in whatever portions, and no byte read outside of what the ring says is taken. */
#include "linux/decode.h"
#include "tests/fuzz/decode_input.h"

#include <rollcall/rollcall.h>

#include <errno.h>
#include <linux/bpf.h>
#include <sanitizer/asan_interface.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RING_MIN 64u
#define RING_MAX (64u << 10)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fixture {
    struct decode_input input;
    struct ring ring;
    _Atomic uint64_t consumer;
    _Atomic uint64_t producer;
    unsigned char *data; /* twice the ring's size, with the same bytes in both halves */
};

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);              \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* ---- the ring ---- */

static size_t offset_of(const struct fixture *f, uint64_t position)
{
    return (size_t)(position & (f->ring.size - 1));
}

static void put_byte(const struct fixture *f, uint64_t position, unsigned char byte)
{
    f->data[offset_of(f, position)] = byte;
    f->data[offset_of(f, position) + f->ring.size] = byte;
}

/* What is not taken must not be looked at. A record begins in the first half, and may go on in the
 * second one. */
static void poison_free(const struct fixture *f)
{
    size_t size = f->ring.size;
    size_t start = offset_of(f, f->input.position);
    size_t used = f->input.used < size ? (size_t)f->input.used : size;

    if (start % 8 || used == size)
        return;
    ASAN_POISON_MEMORY_REGION(f->data, 2 * size);
    ASAN_UNPOISON_MEMORY_REGION(f->data + start, used);
    if (start + used > size)
        ASAN_UNPOISON_MEMORY_REGION(f->data, start + used - size);
}

static bool init(struct fixture *f, const uint8_t *bytes, size_t size)
{
    size_t content = size - sizeof(f->input);

    if (size < sizeof(f->input) || content > RING_MAX)
        return false;
    memset(f, 0, sizeof(*f));
    memcpy(&f->input, bytes, sizeof(f->input));
    for (f->ring.size = RING_MIN; f->ring.size < content; f->ring.size *= 2)
        ;
    f->data = calloc(2, f->ring.size);
    CHECK(f->data);
    f->producer = f->input.position + f->input.used;
    f->consumer = f->input.position;
    f->ring.data = f->data;
    f->ring.producer = &f->producer;
    f->ring.consumer = &f->consumer;
    for (size_t i = 0; i < content; i++)
        put_byte(f, f->input.position + i, bytes[sizeof(f->input) + i]);
    poison_free(f);
    return true;
}

static void destroy(struct fixture *f)
{
    ASAN_UNPOISON_MEMORY_REGION(f->data, 2 * f->ring.size);
    free(f->data);
}

/* What the kernel does when a record has been written: the busy bit is the head's highest. */
static void end_writing(const struct fixture *f, uint64_t position)
{
    f->data[offset_of(f, position) + 3] &= 0x7f;
}

/* ---- what comes out ---- */

static void walk_text(const struct rollcall_event *event, enum rollcall_text_field field)
{
    struct rollcall_string text;
    const char *begin = (const char *)event;

    if (!rollcall_event_text(event, field, &text))
        return;
    CHECK(text.data > begin && text.data + text.size <= begin + event->size);
}

static void check_event(const struct rollcall_event *event, size_t room)
{
    CHECK(rollcall_event_valid(event, room));
    CHECK(event->type >= ROLLCALL_CREATE && event->type <= ROLLCALL_SYNCED);
    CHECK(event->type != ROLLCALL_GAP || event->lost > 0);
    for (int field = ROLLCALL_EXE; field <= ROLLCALL_USER; field++)
        walk_text(event, (enum rollcall_text_field)field);
}

/* The numbers have no hole; those that are acknowledged are not there. */
static void check_all(const struct fixture *f, const struct event_buffer *out)
{
    uint64_t expected = f->input.seq + 1;
    bool first = f->input.acked_seq > f->input.seq;
    size_t count = 0;

    for (size_t at = 0; at < out->size; count++) {
        const struct rollcall_event *event = (const void *)(out->data + at);

        check_event(event, out->size - at);
        CHECK(first || event->seq == expected);
        expected = rollcall_event_last_seq(event) + 1;
        first = false;
        at += event->size;
    }
    CHECK(count == out->count);
}

/* ---- decoding ---- */

static struct decoder begin(const struct fixture *f)
{
    struct decoder decoder = {.ring = &f->ring,
                              .position = f->input.position,
                              .seq = f->input.seq,
                              .acked_seq = f->input.acked_seq};

    memcpy(decoder.lost, f->input.lost, sizeof(decoder.lost));
    return decoder;
}

static int step(struct decoder *decoder, uint64_t produced, struct event_buffer *out)
{
    struct decoder before = *decoder;
    size_t size = out->size;
    int got = decode_next(decoder, produced, out);

    CHECK(got == DECODE_END || got == DECODE_BUSY || got == DECODE_MORE || got == -EBADMSG);
    /* Positions only grow, and may pass 2^64. */
    if (got == DECODE_MORE)
        CHECK(decoder->position - before.position - 1 < produced - before.position &&
              out->size >= size);
    else
        CHECK(memcmp(decoder, &before, sizeof(before)) == 0 && out->size == size);
    return got;
}

/* To the end, through records that are still being written. */
static void drain(const struct fixture *f, struct event_buffer *out)
{
    struct decoder decoder = begin(f);
    uint64_t produced = ring_produced(&f->ring);
    int got;

    while ((got = step(&decoder, produced, out)) > DECODE_END)
        if (got == DECODE_BUSY)
            end_writing(f, decoder.position);
    CHECK(got != DECODE_END || decoder.position == produced);
}

/* The same by one reader after the other. */
static void drain_in_portions(const struct fixture *f, struct event_buffer *all)
{
    struct decoder decoder = begin(f);
    uint64_t produced = ring_produced(&f->ring);
    int got = DECODE_MORE;

    while (got == DECODE_MORE) {
        struct event_buffer out = {0};

        got = step(&decoder, produced, &out);
        all->data = realloc(all->data, all->size + out.size + 1);
        CHECK(all->data);
        if (out.size)
            memcpy(all->data + all->size, out.data, out.size);
        all->size += out.size;
        all->count += out.count;
        free(out.data);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct event_buffer busy = {0};
    struct event_buffer whole = {0};
    struct event_buffer portions = {0};
    struct fixture f;

    if (!init(&f, data, size))
        return 0;
    drain(&f, &busy);
    check_all(&f, &busy);
    drain(&f, &whole);
    check_all(&f, &whole);
    drain_in_portions(&f, &portions);
    CHECK(whole.size == portions.size && whole.count == portions.count);
    CHECK(whole.size == 0 || memcmp(whole.data, portions.data, whole.size) == 0);
    free(busy.data);
    free(whole.data);
    free(portions.data);
    destroy(&f);
    return 0;
}
