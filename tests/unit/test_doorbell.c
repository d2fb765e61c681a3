/* SPDX-License-Identifier: MIT */
/*
 * The doorbell: no wake-up is lost, none is asked for in a burst. The program's side of the
 * protocol is written here in C as the BPF programs have it; an eventfd stands for the ring's
 * wake-up. The reader has no timer in these tests: a lost wake-up is a reader that sleeps for
 * ever, and the watchdog ends the test.
 */
#include "linux/clock.h"
#include "linux/doorbell.h"
#include "tests/unit/fake_ring.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#define RING_SIZE  4096u
#define WATCHDOG_S 240

struct fixture {
    struct fake_ring fake;
    struct doorbell bell;
    int wake; /* an eventfd */
    _Atomic uint64_t sleeper;
    _Atomic uint64_t read; /* records that the reader has seen */
    uint64_t records;
    uint64_t sleeps;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    fake_ring_init(&f->fake, RING_SIZE);
    f->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    assert_int_equal(doorbell_init(&f->bell, &f->fake.ring, f->wake, -1, &f->sleeper, 1000000), 0);
    f->bell.idle_ns = 0;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    doorbell_destroy(&f->bell);
    close(f->wake);
    fake_ring_destroy(&f->fake);
    free(f);
    return 0;
}

/* What submit() in rollcall.bpf.c does. Returns whether it woke. */
static bool produce(struct fixture *f)
{
    void *record = fake_ring_reserve(&f->fake, 8);
    uint64_t one = 1;
    uint64_t ticket;

    assert_non_null(record);
    atomic_thread_fence(memory_order_seq_cst);
    ticket = atomic_load_explicit(&f->sleeper, memory_order_relaxed);
    fake_ring_submit(record);
    if (!ticket)
        return false;
    assert_int_equal(write(f->wake, &one, sizeof(one)), sizeof(one));
    atomic_compare_exchange_strong(&f->sleeper, &ticket, 0);
    return true;
}

/* Reads all that is there. Returns false if the next record is busy. */
static bool consume(struct fixture *f, uint64_t *position)
{
    struct ring_item item;
    int look;

    while ((look = ring_look(&f->fake.ring, *position, ring_produced(&f->fake.ring), &item)) ==
           RING_RECORD) {
        *position = item.next;
        atomic_store(&f->fake.consumer, *position);
        atomic_fetch_add(&f->read, 1);
    }
    return look != RING_BUSY;
}

static void *reader(void *arg)
{
    struct fixture *f = arg;
    uint64_t position = 0;

    while (atomic_load(&f->read) < f->records) {
        uint64_t before = atomic_load(&f->read);
        bool busy = !consume(f, &position);

        if (atomic_load(&f->read) > before) {
            doorbell_found(&f->bell, false);
            continue;
        }
        if (doorbell_arm(&f->bell, position, busy)) {
            doorbell_sleep(&f->bell, -1);
            f->sleeps++;
        }
    }
    return NULL;
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* Each record is written when the reader has seen the one before, after a pause of random
 * length: so that it falls into every instruction between "nothing there" and asleep. */
static void test_no_wakeup_is_lost(void **state)
{
    struct fixture *f = *state;
    uint64_t seed = (uint64_t)time(NULL) | 1;
    pthread_t thread;

    f->records = DOORBELL_RECORDS;
    f->bell.latency_ns = 1; /* tokens come back at once: every sleep is one with a ticket */
    printf("seed %llu\n", (unsigned long long)seed);
    alarm(WATCHDOG_S);
    assert_int_equal(pthread_create(&thread, NULL, reader, f), 0);
    for (uint64_t i = 0; i < f->records; i++) {
        for (volatile uint64_t pause = next_random(&seed) % 2048; pause > 0; pause--)
            ;
        produce(f);
        while (atomic_load(&f->read) <= i)
            ;
    }
    pthread_join(thread, NULL);
    alarm(0);
    printf("%llu records, %llu sleeps, %llu wake-ups\n", (unsigned long long)f->records,
           (unsigned long long)f->sleeps, (unsigned long long)f->bell.wakeups);
    assert_int_equal(f->read, f->records);
}

/* An event that comes alone wakes; its ticket is used once. */
static void test_alone_wakes_at_once(void **state)
{
    struct fixture *f = *state;
    uint64_t position = 0;

    for (int i = 0; i < 3; i++) {
        assert_true(doorbell_arm(&f->bell, position, false));
        assert_int_not_equal(f->sleeper, 0);
        assert_true(produce(f));
        assert_int_equal(f->sleeper, 0);
        assert_false(produce(f));
        assert_int_equal(doorbell_sleep(&f->bell, -1), 0);
        consume(f, &position);
        doorbell_found(&f->bell, false);
    }
    assert_int_equal(f->bell.wakeups, 3);
}

static void test_does_not_sleep_on_what_is_there(void **state)
{
    struct fixture *f = *state;

    produce(f);
    assert_false(doorbell_arm(&f->bell, 0, false));
    assert_int_equal(f->sleeper, 0);
}

/* A ticket that is taken back too late does no harm. */
static void test_late_return_of_a_ticket(void **state)
{
    struct fixture *f = *state;
    uint64_t old;

    assert_true(doorbell_arm(&f->bell, 0, false));
    old = f->sleeper;
    doorbell_disarm(&f->bell);
    assert_true(doorbell_arm(&f->bell, 0, false));
    atomic_compare_exchange_strong(&f->sleeper, &old, 0);
    assert_int_not_equal(f->sleeper, 0);
}

/* When every sleep is ended by a wake-up, the reader soon looks by its timer; when two looks
 * found nothing, it offers to be woken again. */
static void test_burst_is_not_woken(void **state)
{
    struct fixture *f = *state;
    uint64_t position = 0;
    int woken = 0;
    int rounds = 0;

    f->bell.latency_ns = 3600000000000ull; /* no tokens come back during the test */
    while (!f->bell.burst && rounds++ < 1000) {
        assert_true(doorbell_arm(&f->bell, position, false));
        woken += produce(f);
        doorbell_disarm(&f->bell);
        consume(f, &position);
        doorbell_found(&f->bell, false);
    }
    assert_true(f->bell.burst);
    assert_in_range(woken, 1, 32);
    f->bell.latency_ns = 1000000;
    for (int i = 0; i < 10; i++) {
        assert_false(produce(f));
        assert_true(doorbell_arm(&f->bell, position, false));
        assert_int_equal(f->sleeper, 0);
        assert_int_equal(doorbell_sleep(&f->bell, -1), 0);
        consume(f, &position);
        doorbell_found(&f->bell, false);
    }
    for (int i = 0; f->bell.burst; i++) {
        assert_in_range(i, 0, 3);
        assert_true(doorbell_arm(&f->bell, position, false));
        if (f->bell.burst)
            assert_int_equal(doorbell_sleep(&f->bell, -1), 0);
    }
    assert_int_not_equal(f->sleeper, 0);
    assert_true(produce(f));
}

/* A reader that never sleeps, as it always finds the next event, comes to look once in the latency
 * too; but not while there is more than it could take. */
static void test_busy_reader_shares_its_looks(void **state)
{
    struct fixture *f = *state;
    int looks = 0;

    /* Longer than any machine has been running: "never looked" is not a time. */
    f->bell.latency_ns = UINT64_MAX / 2;
    while (!doorbell_early(&f->bell)) {
        assert_in_range(looks++, 0, 32);
        doorbell_found(&f->bell, false);
    }
    doorbell_found(&f->bell, true);
    assert_false(doorbell_early(&f->bell));
    doorbell_found(&f->bell, false);
    assert_true(doorbell_early(&f->bell));
    f->bell.latency_ns = 1000000;
    alarm(WATCHDOG_S);
    while (doorbell_early(&f->bell)) {
        doorbell_wait_for_look(&f->bell);
        assert_int_equal(doorbell_sleep(&f->bell, -1), 0);
    }
    alarm(0);
    assert_int_equal(f->bell.wakeups, 0);
}

/* A record that is still being written: the reader looks again by itself. */
static void test_busy_record_is_looked_at_again(void **state)
{
    struct fixture *f = *state;

    fake_ring_reserve(&f->fake, 8);
    alarm(WATCHDOG_S);
    assert_true(doorbell_arm(&f->bell, 0, true));
    assert_int_equal(doorbell_sleep(&f->bell, -1), 0);
    alarm(0);
    assert_int_equal(f->bell.wakeups, 0);
}

/* Given the name of a test it runs only that. */
int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_alone_wakes_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_does_not_sleep_on_what_is_there, setup, teardown),
        cmocka_unit_test_setup_teardown(test_late_return_of_a_ticket, setup, teardown),
        cmocka_unit_test_setup_teardown(test_burst_is_not_woken, setup, teardown),
        cmocka_unit_test_setup_teardown(test_busy_reader_shares_its_looks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_busy_record_is_looked_at_again, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_wakeup_is_lost, setup, teardown),
    };

    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
