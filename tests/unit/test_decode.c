/* SPDX-License-Identifier: MIT */
/* The decoder: numbers, gaps, texts, and what it does with what no kernel wrote. */
#include "linux/decode.h"
#include "tests/unit/fake_ring.h"

#include <rollcall/rollcall.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RING_SIZE (256u << 10)

struct fixture {
    struct fake_ring fake;
    struct decoder decoder;
    struct event_buffer out;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    fake_ring_init(&f->fake, RING_SIZE);
    f->decoder.ring = &f->fake.ring;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    fake_ring_destroy(&f->fake);
    free(f->out.data);
    free(f);
    return 0;
}

/* ---- writing like the programs ---- */

static struct ring_event make(unsigned type, uint32_t pid)
{
    return (struct ring_event){
        .head.kind = RING_EVENT,
        .event = {.type = (uint16_t)type, .pid = pid, .mono_ns = 1000u + pid, .comm = "test"}};
}

static void write_event(struct fixture *f, unsigned type, uint32_t pid, uint64_t lost_full)
{
    struct ring_event record = make(type, pid);

    record.head.lost[ROLLCALL_LOST_FULL] = lost_full;
    fake_ring_write(&f->fake, &record, sizeof(record));
}

static void write_chunk(struct fixture *f, uint32_t pid, char fill, uint32_t size, uint32_t flags)
{
    struct ring_chunk chunk = {
        .kind = RING_CHUNK, .tid = pid, .mono_ns = 1000u + pid, .size = size, .flags = flags};

    memset(chunk.data, fill, size);
    fake_ring_write(&f->fake, &chunk, sizeof(chunk));
}

struct text_record {
    struct ring_event base;
    struct ring_texts texts;
    char bytes[512];
};

/* Builds an exec; the names of `cwd` are separated and ended by '|' for NUL. */
static uint32_t make_exec(struct text_record *record, uint32_t pid, const char *exe,
                          const char *cwd, const char *args, uint32_t chunks)
{
    size_t size = 0;

    memset(record, 0, sizeof(*record));
    record->base = make(ROLLCALL_EXEC, pid);
    record->base.head.kind = RING_TEXTS;
    record->base.head.chunks = chunks;
    record->texts.has = 1u << ROLLCALL_EXE | 1u << ROLLCALL_CWD | 1u << ROLLCALL_ARGS;
    record->texts.exe_size = (uint32_t)strlen(exe);
    record->texts.cwd_size = (uint32_t)strlen(cwd);
    record->texts.args_size = (uint32_t)strlen(args);
    record->texts.args_full = strlen(args) + (uint64_t)chunks * TEXT_CHUNK;
    size = (size_t)snprintf(record->bytes, sizeof(record->bytes), "%s%s%s", exe, cwd, args);
    for (size_t i = 0; i < size; i++)
        if (record->bytes[i] == '|')
            record->bytes[i] = '\0';
    return (uint32_t)(offsetof(struct text_record, bytes) + size);
}

/* ---- reading ---- */

static int decode_all(struct fixture *f)
{
    int got;

    do
        got = decode_next(&f->decoder, ring_produced(&f->fake.ring), &f->out);
    while (got == DECODE_MORE);
    return got;
}

static const struct rollcall_event *event_number(const struct fixture *f, size_t n)
{
    const unsigned char *at = f->out.data;

    assert_true(n < f->out.count);
    while (n-- > 0)
        at += ((const struct rollcall_event *)(const void *)at)->size;
    assert_true(rollcall_event_valid(at, f->out.size - (size_t)(at - f->out.data)));
    return (const struct rollcall_event *)(const void *)at;
}

static void expect_event(const struct fixture *f, size_t n, unsigned type, uint64_t seq,
                         uint32_t pid)
{
    const struct rollcall_event *e = event_number(f, n);

    assert_int_equal(e->type, type);
    assert_int_equal(e->seq, seq);
    assert_int_equal(e->pid, pid);
}

static void expect_gap(const struct fixture *f, size_t n, uint64_t seq, uint64_t lost,
                       unsigned reason)
{
    const struct rollcall_event *e = event_number(f, n);

    assert_int_equal(e->type, ROLLCALL_GAP);
    assert_int_equal(e->seq, seq);
    assert_int_equal(e->lost, lost);
    assert_int_equal(e->reason, reason);
}

static void expect_text(const struct rollcall_event *e, enum rollcall_text_field field,
                        const char *bytes, size_t size, unsigned flags)
{
    struct rollcall_string text;

    assert_true(rollcall_event_text(e, field, &text));
    assert_int_equal(text.size, size);
    assert_memory_equal(text.data, bytes, size);
    assert_int_equal(text.flags, flags);
}

/* ---- tests ---- */

static void test_numbers(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(decode_all(f), DECODE_END);
    write_event(f, ROLLCALL_CREATE, 1, 0);
    write_event(f, ROLLCALL_EXIT, 1, 0);
    fake_ring_discard(fake_ring_reserve(&f->fake, 100));
    write_event(f, ROLLCALL_SYNCED, 0, 0);
    assert_int_equal(decode_all(f), DECODE_END);
    assert_int_equal(f->out.count, 3);
    expect_event(f, 0, ROLLCALL_CREATE, 1, 1);
    expect_event(f, 1, ROLLCALL_EXIT, 2, 1);
    expect_event(f, 2, ROLLCALL_SYNCED, 3, 0);
}

static void test_busy(void **state)
{
    struct fixture *f = *state;
    struct ring_event record = make(ROLLCALL_CREATE, 1);
    void *busy = fake_ring_reserve(&f->fake, sizeof(record));

    write_event(f, ROLLCALL_CREATE, 2, 0);
    assert_int_equal(decode_all(f), DECODE_BUSY);
    assert_int_equal(f->out.count, 0);
    memcpy(busy, &record, sizeof(record));
    fake_ring_submit(busy);
    assert_int_equal(decode_all(f), DECODE_END);
    expect_event(f, 0, ROLLCALL_CREATE, 1, 1);
    expect_event(f, 1, ROLLCALL_CREATE, 2, 2);
}

static void test_gap_stands_where_the_hole_is(void **state)
{
    struct fixture *f = *state;

    write_event(f, ROLLCALL_CREATE, 1, 0);
    write_event(f, ROLLCALL_CREATE, 2, 5);
    write_event(f, ROLLCALL_CREATE, 3, 5);
    write_event(f, ROLLCALL_CREATE, 4, 6);
    decode_all(f);
    expect_event(f, 0, ROLLCALL_CREATE, 1, 1);
    expect_gap(f, 1, 2, 5, ROLLCALL_LOST_FULL);
    assert_int_equal(rollcall_event_last_seq(event_number(f, 1)), 6);
    expect_event(f, 2, ROLLCALL_CREATE, 7, 2);
    expect_event(f, 3, ROLLCALL_CREATE, 8, 3);
    expect_gap(f, 4, 9, 1, ROLLCALL_LOST_FULL);
    expect_event(f, 5, ROLLCALL_CREATE, 10, 4);
}

/* The counter was read before the place was taken, by programs on two processors. */
static void test_counters_out_of_order(void **state)
{
    struct fixture *f = *state;

    write_event(f, ROLLCALL_CREATE, 1, 3);
    write_event(f, ROLLCALL_CREATE, 2, 2);
    write_event(f, ROLLCALL_CREATE, 3, 4);
    decode_all(f);
    assert_int_equal(f->out.count, 5);
    expect_gap(f, 0, 1, 3, ROLLCALL_LOST_FULL);
    expect_event(f, 1, ROLLCALL_CREATE, 4, 1);
    expect_event(f, 2, ROLLCALL_CREATE, 5, 2);
    expect_gap(f, 3, 6, 1, ROLLCALL_LOST_FULL);
    expect_event(f, 4, ROLLCALL_CREATE, 7, 3);
}

static void test_reasons_and_marks(void **state)
{
    struct fixture *f = *state;
    struct ring_mark mark = {.head.kind = RING_MARK, .mono_ns = 77};

    mark.head.lost[ROLLCALL_LOST_FAILED] = 2;
    mark.head.lost[ROLLCALL_LOST_SKIPPED] = 1;
    mark.head.lost[ROLLCALL_LOST_INTERRUPTED] = 1;
    fake_ring_write(&f->fake, &mark, sizeof(mark));
    fake_ring_write(&f->fake, &mark, sizeof(mark));
    write_event(f, ROLLCALL_EXIT, 9, 0);
    decode_all(f);
    assert_int_equal(f->out.count, 4);
    expect_gap(f, 0, 1, 2, ROLLCALL_LOST_FAILED);
    assert_int_equal(event_number(f, 0)->mono_ns, 77);
    assert_int_equal(event_number(f, 0)->flags, 0);
    expect_gap(f, 1, 3, 1, ROLLCALL_LOST_SKIPPED);
    assert_int_equal(event_number(f, 1)->flags, ROLLCALL_AT_MOST);
    expect_gap(f, 2, 4, 1, ROLLCALL_LOST_INTERRUPTED);
    assert_int_equal(event_number(f, 2)->flags, ROLLCALL_UNCOUNTED);
    expect_event(f, 3, ROLLCALL_EXIT, 5, 9);
}

static void test_texts(void **state)
{
    struct fixture *f = *state;
    struct text_record record;
    const struct rollcall_event *e;
    uint32_t size = make_exec(&record, 5, "/bin/ls", "c|b|a|", "ls|-l|", 0);

    fake_ring_write(&f->fake, &record, size);
    size = make_exec(&record, 6, "x", "", "", 0);
    fake_ring_write(&f->fake, &record, size);
    decode_all(f);
    e = event_number(f, 0);
    expect_text(e, ROLLCALL_EXE, "/bin/ls", 7, 0);
    expect_text(e, ROLLCALL_CWD, "/a/b/c", 6, 0);
    expect_text(e, ROLLCALL_ARGS, "ls\0-l", 6, 0);
    e = event_number(f, 1);
    expect_text(e, ROLLCALL_EXE, "x", 1, 0);
    expect_text(e, ROLLCALL_CWD, "/", 1, 0);
    expect_text(e, ROLLCALL_ARGS, "", 0, 0);
}

static void test_cut_path_has_no_beginning(void **state)
{
    struct fixture *f = *state;
    struct text_record record;
    uint32_t size = make_exec(&record, 5, "/bin/ls", "c|b|", "", 0);

    record.texts.cwd_flags = ROLLCALL_TEXT_CUT;
    fake_ring_write(&f->fake, &record, size);
    decode_all(f);
    expect_text(event_number(f, 0), ROLLCALL_CWD, "b/c", 3, ROLLCALL_TEXT_CUT);
}

/* The pieces of two processes, and records of others between them; one is written late. */
static void test_chunks(void **state)
{
    struct fixture *f = *state;
    struct text_record a;
    struct text_record b;
    uint32_t a_size = make_exec(&a, 5, "/a", "", "a|", 2);
    uint32_t b_size = make_exec(&b, 6, "/b", "", "b|", 1);
    void *place = fake_ring_reserve(&f->fake, a_size);
    struct ring_event late = make(ROLLCALL_CREATE, 8);
    struct rollcall_string args;
    void *busy;

    fake_ring_write(&f->fake, &b, b_size);
    write_chunk(f, 5, 'x', TEXT_CHUNK, 0);
    busy = fake_ring_reserve(&f->fake, sizeof(late));
    write_chunk(f, 6, 'z', TEXT_CHUNK, ROLLCALL_TEXT_UNREADABLE);
    write_chunk(f, 5, 'y', 10, 0);
    write_event(f, ROLLCALL_CREATE, 7, 0);
    memcpy(place, &a, a_size);
    fake_ring_submit(place);
    assert_int_equal(decode_all(f), DECODE_BUSY);
    memcpy(busy, &late, sizeof(late));
    fake_ring_submit(busy);
    assert_int_equal(decode_all(f), DECODE_END);
    assert_int_equal(f->out.count, 4);
    assert_true(rollcall_event_text(event_number(f, 0), ROLLCALL_ARGS, &args));
    assert_int_equal(args.size, 2 + TEXT_CHUNK + 10);
    assert_memory_equal(args.data, "a", 2);
    assert_int_equal(args.data[2], 'x');
    assert_int_equal(args.data[2 + TEXT_CHUNK], 'y');
    assert_true(rollcall_event_text(event_number(f, 1), ROLLCALL_ARGS, &args));
    assert_int_equal(args.size, 2 + TEXT_CHUNK);
    assert_int_equal(args.flags, ROLLCALL_TEXT_UNREADABLE);
    expect_event(f, 2, ROLLCALL_CREATE, 3, 8);
    expect_event(f, 3, ROLLCALL_CREATE, 4, 7);
}

/* A successor that begins at the stored place gives the same events the same numbers. */
static void test_acknowledged_events_are_not_repeated(void **state)
{
    struct fixture *f = *state;

    write_event(f, ROLLCALL_CREATE, 1, 0);
    write_event(f, ROLLCALL_CREATE, 2, 4);
    write_event(f, ROLLCALL_CREATE, 3, 6);
    f->decoder.acked_seq = 6;
    decode_all(f);
    assert_int_equal(f->out.count, 2);
    expect_gap(f, 0, 7, 2, ROLLCALL_LOST_FULL);
    expect_event(f, 1, ROLLCALL_CREATE, 9, 3);
}

/* A gap that is acknowledged in part comes again whole. */
static void test_gap_is_one(void **state)
{
    struct fixture *f = *state;

    write_event(f, ROLLCALL_CREATE, 1, 4);
    f->decoder.acked_seq = 2;
    decode_all(f);
    expect_gap(f, 0, 1, 4, ROLLCALL_LOST_FULL);
    expect_event(f, 1, ROLLCALL_CREATE, 5, 1);
}

static void expect_refused(struct fixture *f, const void *bytes, uint32_t size)
{
    struct decoder before = f->decoder;

    fake_ring_write(&f->fake, bytes, size);
    assert_int_equal(decode_all(f), -EBADMSG);
    assert_memory_equal(&before, &f->decoder, sizeof(before));
    assert_int_equal(f->out.count, 0);
    /* The next case begins behind it. */
    f->decoder.position = ring_produced(&f->fake.ring);
}

static void test_wrong_records(void **state)
{
    struct fixture *f = *state;
    struct ring_event event = make(ROLLCALL_CREATE, 1);
    struct text_record texts;
    uint32_t size = make_exec(&texts, 5, "/a", "b|", "c|", 0);
    struct text_record wrong;

    expect_refused(f, "", 0);
    expect_refused(f, &event, sizeof(event) - 8);
    event.head.kind = 99;
    expect_refused(f, &event, sizeof(event));
    event = make(ROLLCALL_GAP, 1);
    expect_refused(f, &event, sizeof(event));
    event = make(ROLLCALL_CREATE, 1);
    event.head.lost[0] = ~0ull;
    expect_refused(f, &event, sizeof(event));
    event.head.kind = RING_MARK;
    expect_refused(f, &event, sizeof(struct ring_mark) - 1);
    event.head.kind = RING_CHUNK;
    expect_refused(f, &event, sizeof(event));
    expect_refused(f, &texts, sizeof(texts.base) + 8);
    wrong = texts;
    wrong.texts.args_size = ~0u;
    expect_refused(f, &wrong, size);
    wrong = texts;
    wrong.texts.cwd_size = 1;
    expect_refused(f, &wrong, size);
}

static void test_wrong_heads(void **state)
{
    struct fixture *f = *state;
    uint32_t *head = (uint32_t *)(void *)f->fake.data;

    write_event(f, ROLLCALL_CREATE, 1, 0);
    *head = 0x3fffffff;
    assert_int_equal(decode_all(f), -EBADMSG);
    *head = sizeof(struct ring_event) + 8;
    assert_int_equal(decode_all(f), -EBADMSG);
    atomic_store(&f->fake.producer, 4);
    assert_int_equal(decode_all(f), -EBADMSG);
    atomic_store(&f->fake.producer, (uint64_t)2 * RING_SIZE);
    assert_int_equal(decode_all(f), -EBADMSG);
}

/* Any bytes: an error or well-formed events, and nothing that a sanitizer sees. */
static void test_random_bytes(void **state)
{
    struct fixture *f = *state;
    uint64_t seed = 88172645463325252ull;

    for (int round = 0; round < 2000; round++) {
        for (size_t i = 0; i < 4096; i += 4) {
            uint32_t word;

            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            /* Mostly small numbers, so that some pass for kinds and lengths. */
            word = seed & 1 ? (uint32_t)(seed >> 32) & 0x1ff : (uint32_t)(seed >> 60);
            memcpy(f->fake.data + i, &word, 4);
        }
        memset(&f->decoder, 0, sizeof(f->decoder));
        f->decoder.ring = &f->fake.ring;
        f->out.size = f->out.count = 0;
        atomic_store(&f->fake.producer, 4096);
        decode_all(f);
        for (size_t n = 0; n < f->out.count; n++)
            event_number(f, n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_numbers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_busy, setup, teardown),
        cmocka_unit_test_setup_teardown(test_gap_stands_where_the_hole_is, setup, teardown),
        cmocka_unit_test_setup_teardown(test_counters_out_of_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reasons_and_marks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_texts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cut_path_has_no_beginning, setup, teardown),
        cmocka_unit_test_setup_teardown(test_chunks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_acknowledged_events_are_not_repeated, setup, teardown),
        cmocka_unit_test_setup_teardown(test_gap_is_one, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wrong_records, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wrong_heads, setup, teardown),
        cmocka_unit_test_setup_teardown(test_random_bytes, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
