/* SPDX-License-Identifier: MIT */
/*
 * The doorbell with the real programs' code and the kernel's ring: the reader sleeps without a
 * timer, and a lost wake-up is a reader that sleeps for ever. No hook is attached; a program
 * that is run by hand writes the events.
 */
#include "linux/bpf/layout.h"
#include "linux/doorbell.h"
#include "tests/kernel/part.h"

#include "rollcall.skel.h"

#include <bpf/bpf.h>

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define RECORDS    1000000u
#define RING_SIZE  (1u << 20)
#define WATCHDOG_S 400
#define SKIPPED    77

struct fixture {
    struct rollcall_bpf *bpf;
    struct control *control;
    struct ring ring;
    struct doorbell bell;
    uint32_t records; /* to be written */
    _Atomic uint64_t read;
    uint64_t sleeps;
};

static int setup(void **state)
{
    static struct fixture f;
    struct bpf_program *program;

    f.records = part_of(RECORDS);
    f.bpf = rollcall_bpf__open();
    assert_non_null(f.bpf);
    bpf_object__for_each_program(program, f.bpf->obj)
        bpf_program__set_autoload(program, program == f.bpf->progs.produce);
    bpf_map__set_max_entries(f.bpf->maps.ring, RING_SIZE);
    ((struct control *)&f.bpf->data_control->control)->ring_size = RING_SIZE;
    if (rollcall_bpf__load(f.bpf) < 0) {
        printf("skipped: the kernel does not let this user load BPF programs\n");
        exit(SKIPPED);
    }
    f.control = &f.bpf->data_control->control;
    assert_int_equal(ring_map(&f.ring, bpf_map__fd(f.bpf->maps.ring), RING_SIZE), 0);
    assert_int_equal(doorbell_init(&f.bell, &f.ring, bpf_map__fd(f.bpf->maps.ring), -1,
                                   (_Atomic uint64_t *)&f.control->sleeper, 1),
                     0);
    f.bell.idle_ns = 0;
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    doorbell_destroy(&f->bell);
    ring_unmap(&f->ring);
    rollcall_bpf__destroy(f->bpf);
    return 0;
}

static void *reader(void *arg)
{
    struct fixture *f = arg;
    uint64_t position = 0;
    uint64_t read = 0;

    while (read < f->records) {
        struct ring_item item;
        int look = ring_look(&f->ring, position, ring_produced(&f->ring), &item);

        if (look == RING_RECORD) {
            position = item.next;
            ring_release(&f->ring, position);
            atomic_store(&f->read, ++read);
            doorbell_found(&f->bell, false);
        } else if (doorbell_arm(&f->bell, position, look == RING_BUSY)) {
            doorbell_sleep(&f->bell, -1);
            f->sleeps++;
        }
    }
    return NULL;
}

static void test_no_wakeup_is_lost(void **state)
{
    struct fixture *f = *state;
    uint64_t seed = (uint64_t)time(NULL) | 1;
    struct production one = {.count = 1};
    LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &one, .ctx_size_in = sizeof(one));
    pthread_t thread;

    printf("seed %llu\n", (unsigned long long)seed);
    alarm(WATCHDOG_S);
    assert_int_equal(pthread_create(&thread, NULL, reader, f), 0);
    for (uint64_t i = 0; i < f->records; i++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        for (volatile uint64_t pause = seed % 4096; pause > 0; pause--)
            ;
        assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(f->bpf->progs.produce), &opts), 0);
        while (atomic_load(&f->read) <= i)
            ;
    }
    pthread_join(thread, NULL);
    alarm(0);
    printf("%u records, %llu sleeps, %llu wake-ups\n", f->records, (unsigned long long)f->sleeps,
           (unsigned long long)f->bell.wakeups);
    assert_true(f->sleeps > f->records / 100);
    assert_int_equal(f->control->lost[ROLLCALL_LOST_FULL], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_no_wakeup_is_lost, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
