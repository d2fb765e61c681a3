/* SPDX-License-Identifier: MIT */
/* What the daemon reads from the journal for a consumer that is behind, and where consumers stand. */
#include "linux/daemon/archive.h"
#include "linux/daemon/places.h"
#include "tests/unit/test_journal_events.h"

#include <rollcall/protocol.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#define HEAD sizeof(struct rollcall_reply)

struct fixture {
    struct place place;
    struct journal *journal;
    struct archive archive;
    size_t bytes;
    uint64_t reply[(HEAD + ROLLCALL_REPLY_MAX) / sizeof(uint64_t)];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    place_make(&f->place);
    f->journal = open_journal(&f->place, NULL);
    f->archive = (struct archive){.journal = f->journal, .epoch = EPOCH + 10};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    journal_close(f->journal);
    place_remove(&f->place);
    free(f);
    return 0;
}

/* ---- shorthands ---- */

static void store(struct fixture *f, uint64_t epoch, uint64_t first_seq, unsigned count)
{
    struct events events;

    events_init(&events, epoch, first_seq);
    while (count--)
        add_simple(&events, ROLLCALL_EXIT, 7);
    expect_append(f->journal, &events.batch, 0);
    events_free(&events);
}

static void store_gap(struct fixture *f, uint64_t epoch, uint64_t seq, uint64_t lost)
{
    struct events events;

    events_init(&events, epoch, seq);
    add_event(&events, &(struct rollcall_event){
                           .type = ROLLCALL_GAP, .lost = lost, .reason = ROLLCALL_LOST_SKIPPED});
    expect_append(f->journal, &events.batch, 0);
    events_free(&events);
}

static const struct rollcall_reply *reply(const struct fixture *f)
{
    return (const void *)f->reply;
}

/* They have no strings. */
static const struct rollcall_event *record(const struct fixture *f, unsigned index)
{
    return (const struct rollcall_event *)(const void *)(reply(f) + 1) + index;
}

static void fill(struct fixture *f, uint64_t epoch, uint64_t seq, uint64_t last_seq)
{
    assert_int_equal(archive_fill(&f->archive, &(struct position){epoch, seq}, last_seq, f->reply,
                                  sizeof(f->reply), &f->bytes),
                     0);
    assert_int_equal(f->bytes, HEAD + reply(f)->size);
    assert_int_equal(reply(f)->epoch, epoch);
    assert_int_equal(reply(f)->first_seq, seq);
}

static void expect_gap(const struct rollcall_event *gap, uint64_t seq, uint64_t lost,
                       unsigned reason)
{
    assert_int_equal(gap->type, ROLLCALL_GAP);
    assert_int_equal(gap->seq, seq);
    assert_int_equal(gap->lost, lost);
    assert_int_equal(gap->reason, reason);
    assert_true(rollcall_event_valid(gap, sizeof(*gap)));
}

/* ---- reading ---- */

static void test_from_the_middle(void **state)
{
    struct fixture *f = *state;

    store(f, EPOCH + 10, 1, 50);
    fill(f, EPOCH + 10, 21, 40);
    assert_int_equal(reply(f)->count, 20);
    assert_int_equal(reply(f)->last_seq, 40);
    assert_int_equal(record(f, 0)->seq, 21);
    assert_int_equal(record(f, 19)->seq, 40);
    fill(f, EPOCH + 10, 41, 40);
    assert_int_equal(reply(f)->count, 0);
    assert_int_equal(reply(f)->last_seq, 40);
}

static void test_as_much_as_fits(void **state)
{
    struct fixture *f = *state;
    const struct position from = {EPOCH + 10, 1};
    size_t base = sizeof(struct rollcall_event);

    store(f, EPOCH + 10, 1, 5);
    assert_int_equal(
        archive_fill(&f->archive, &from, 5, f->reply, HEAD + 3 * base + 100, &f->bytes), 0);
    assert_int_equal(reply(f)->count, 3);
    assert_int_equal(reply(f)->last_seq, 3);
    assert_int_equal(archive_fill(&f->archive, &from, 5, f->reply, HEAD + 100, &f->bytes),
                     -EMSGSIZE);
    assert_int_equal(reply(f)->count, 0);
    assert_int_equal(reply(f)->size, base);
    assert_int_equal(archive_fill(&f->archive, &from, 5, f->reply, HEAD - 1, &f->bytes), -EMSGSIZE);
    assert_int_equal(f->bytes, 0);
}

/* Gaps are as they were; of one of which a part is acknowledged the rest comes. */
static void test_gaps(void **state)
{
    struct fixture *f = *state;

    store(f, EPOCH + 10, 1, 2);
    store_gap(f, EPOCH + 10, 3, 10);
    store(f, EPOCH + 10, 13, 1);
    fill(f, EPOCH + 10, 1, 13);
    assert_int_equal(reply(f)->count, 4);
    expect_gap(record(f, 2), 3, 10, ROLLCALL_LOST_SKIPPED);
    fill(f, EPOCH + 10, 6, 13);
    assert_int_equal(reply(f)->count, 2);
    expect_gap(record(f, 0), 6, 7, ROLLCALL_LOST_SKIPPED);
    assert_int_equal(record(f, 1)->seq, 13);
}

/* What is not there becomes a gap with its exact numbers, wherever it is. */
static void test_holes(void **state)
{
    struct fixture *f = *state;

    store(f, EPOCH + 10, 11, 2);
    store(f, EPOCH + 10, 20, 1);
    fill(f, EPOCH + 10, 5, 25);
    assert_int_equal(reply(f)->count, 6);
    assert_int_equal(reply(f)->last_seq, 25);
    expect_gap(record(f, 0), 5, 6, ROLLCALL_LOST_FULL);
    assert_int_equal(record(f, 1)->seq, 11);
    expect_gap(record(f, 3), 13, 7, ROLLCALL_LOST_FULL);
    assert_int_equal(record(f, 4)->seq, 20);
    expect_gap(record(f, 5), 21, 5, ROLLCALL_LOST_FULL);
}

/* ---- epochs ---- */

static void test_epochs(void **state)
{
    struct fixture *f = *state;
    struct position at = {EPOCH, 4};
    uint64_t last;
    int64_t offset = 0;

    store(f, EPOCH, 1, 4);
    store(f, EPOCH + 5, 1, 2);
    assert_int_equal(archive_last_seq(&f->archive, EPOCH, &last), 0);
    assert_int_equal(last, 4);
    assert_int_equal(archive_wall_offset(&f->archive, &(struct position){EPOCH, 2}, &offset), 0);
    assert_int_equal(offset, WALL_OFFSET);
    assert_int_equal(archive_move_on(&f->archive, &at), 0);
    assert_int_equal(at.epoch, EPOCH + 5);
    assert_int_equal(at.seq, 0);
    /* The one that goes on may have no event yet. */
    assert_int_equal(archive_move_on(&f->archive, &at), 0);
    assert_int_equal(at.epoch, EPOCH + 10);
}

/* Nothing is left of it: something may be missing, and nobody knows how much. */
static void test_epoch_that_is_gone(void **state)
{
    struct fixture *f = *state;

    store(f, EPOCH + 5, 1, 2);
    fill(f, EPOCH, 8, 0);
    assert_int_equal(reply(f)->count, 1);
    expect_gap(record(f, 0), 8, 1, ROLLCALL_LOST_FULL);
    assert_int_equal(record(f, 0)->flags, ROLLCALL_UNCOUNTED);
}

static void test_beginning(void **state)
{
    struct fixture *f = *state;
    uint64_t seq = 99;

    assert_int_equal(journal_begin_seq(f->journal, EPOCH, &seq), 0);
    assert_int_equal(seq, 0);
    store(f, EPOCH, 11, 3);
    assert_int_equal(journal_begin_seq(f->journal, EPOCH, &seq), 0);
    assert_int_equal(seq, 10);
}

/* ---- places ---- */

static struct journal_place place_of(const char *name, uint32_t uid, uint64_t seq)
{
    struct journal_place place = {.uid = uid, .epoch = EPOCH, .seq = seq};

    strcpy(place.name, name); // NOLINT: names of this test
    return place;
}

/* As a daemon does that begins. */
static void load(struct fixture *f, struct places *places)
{
    assert_int_equal(places_load(places, f->journal, eventfd(0, EFD_NONBLOCK)), 0);
}

static void unload(struct places *places)
{
    close(places->wake_fd);
    places_destroy(places);
}

static bool is_woken(const struct places *places)
{
    uint64_t wakes;

    return read(places->wake_fd, &wakes, sizeof(wakes)) > 0;
}

static void test_places_survive(void **state)
{
    static struct places places;
    struct fixture *f = *state;
    struct journal_place one = place_of("one", 5, 100);
    struct durable *place;
    uint64_t version;
    bool urgent;

    load(f, &places);
    assert_int_equal(places_open(&places, &one, false, false, f, &place, &version), ENOENT);
    assert_int_equal(places_open(&places, &one, true, false, f, &place, &version), 0);
    assert_true(is_woken(&places) && places_due(&places, &urgent) && urgent);
    assert_false(places_stored(&places, version));
    assert_int_equal(places_store(&places, f->journal), 0);
    assert_true(places_stored(&places, version));
    assert_false(places_due(&places, &urgent));
    places_acknowledge(&places, place, EPOCH, 150);
    assert_true(is_woken(&places) && places_due(&places, &urgent) && !urgent);
    places_acknowledge(&places, place, EPOCH, 160);
    assert_false(is_woken(&places));
    assert_int_equal(places_store(&places, f->journal), 0);
    unload(&places);

    load(f, &places);
    assert_int_equal(places_open(&places, &one, false, false, f, &place, &version), 0);
    assert_int_equal(version, 0);
    places_get(&places, place, &one);
    assert_int_equal(one.seq, 160);
    assert_int_equal(one.uid, 5);
    unload(&places);
}

static void test_places_have_owners(void **state)
{
    static struct places places;
    struct fixture *f = *state;
    const struct journal_place mine = place_of("one", 5, 100);
    const struct journal_place other = place_of("one", 6, 100);
    struct durable *place;
    uint64_t version;

    load(f, &places);
    assert_int_equal(places_open(&places, &mine, true, false, f, &place, &version), 0);
    assert_int_equal(places_open(&places, &mine, true, false, f, &place, &version), EBUSY);
    assert_int_equal(places_remove(&places, "one", 5, false, &version), EBUSY);
    assert_int_equal(places_open(&places, &mine, true, false, f, &place, &version), EBUSY);
    places_close(&places, &places.all[0]);
    assert_int_equal(places_open(&places, &other, true, false, f, &place, &version), EPERM);
    assert_int_equal(places_remove(&places, "one", 6, false, &version), EPERM);
    assert_int_equal(places_remove(&places, "two", 6, true, &version), ENOENT);
    assert_int_equal(places_open(&places, &other, true, true, f, &place, &version), 0);
    unload(&places);
}

/* Made again before the removal is stored: it is there afterwards, with its new place. */
static void test_place_made_again(void **state)
{
    static struct places places;
    struct fixture *f = *state;
    struct journal_place one = place_of("one", 5, 100);
    struct durable *place;
    uint64_t version;

    load(f, &places);
    assert_int_equal(places_open(&places, &one, true, false, f, &place, &version), 0);
    places_close(&places, place);
    assert_int_equal(places_store(&places, f->journal), 0);
    assert_int_equal(places_remove(&places, "one", 5, false, &version), 0);
    one.seq = 7;
    assert_int_equal(places_open(&places, &one, true, false, f, &place, &version), 0);
    assert_int_equal(places_store(&places, f->journal), 0);
    unload(&places);
    load(f, &places);
    assert_int_equal(places_open(&places, &one, false, false, f, &place, &version), 0);
    places_get(&places, place, &one);
    assert_int_equal(one.seq, 7);
    unload(&places);
}

static void test_too_many_places(void **state)
{
    static struct places places;
    struct fixture *f = *state;
    struct durable *place;
    uint64_t version;

    load(f, &places);
    for (unsigned i = 0; i <= PLACES_MAX; i++) {
        struct journal_place one = place_of("name", 5, 1);

        one.name[0] = (char)('a' + i % 26);
        one.name[1] = (char)('a' + i / 26);
        assert_int_equal(places_open(&places, &one, true, false, f, &place, &version),
                         i < PLACES_USER_MAX ? 0 : EUSERS);
        if (i >= PLACES_USER_MAX)
            assert_int_equal(places_open(&places, &one, true, true, f, &place, &version),
                             i < PLACES_MAX ? 0 : EUSERS);
    }
    unload(&places);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_from_the_middle),
        TEST(test_as_much_as_fits),
        TEST(test_gaps),
        TEST(test_holes),
        TEST(test_epochs),
        TEST(test_epoch_that_is_gone),
        TEST(test_beginning),
        TEST(test_places_survive),
        TEST(test_places_have_owners),
        TEST(test_place_made_again),
        TEST(test_too_many_places),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
