/* SPDX-License-Identifier: MIT */
/*
 * What a skipped hook does: in the programs of this test every fifth run of the fork hook does
 * nothing, as if the kernel had skipped it. Each process is announced all the same, once, late,
 * and before anything else is said of it.
 */
#include "tests/kernel/part.h"

#include <rollcall/rollcall.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PROCESSES 1000
#define SKIPPED   77
#define LIMIT_MS  240000

enum seen { NOTHING, CREATED, EXECED, EXITED };

struct fixture {
    struct rollcall *rc;
    enum seen *seen; /* by pid */
    bool *ours;      /* by pid: a child of this process */
    unsigned late;
    unsigned freed; /* whose exit was seen when they were freed */
    uint32_t ended;
};

static int setup(void **state)
{
    static struct fixture f;

    if (EXITS && !getenv("ROLLCALL_TEST_GUEST")) {
        printf("skipped: only in a guest, as some hosts hide from programs what their kernel does "
               "while it "
               "has interrupted their supervisor, and there it frees processes\n");
        exit(SKIPPED);
    }
    if (rollcall_open(NULL, &f.rc) < 0) {
        printf("skipped: %s\n", rollcall_error());
        exit(SKIPPED);
    }
    f.seen = calloc(1u << 22, sizeof(*f.seen));
    f.ours = calloc(1u << 22, sizeof(*f.ours));
    assert_non_null(f.seen);
    assert_non_null(f.ours);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    free(f->seen);
    free(f->ours);
    rollcall_close(f->rc);
    return 0;
}

/* Every third one creates a process itself, before anything else could make its own announcement
 * good. */
static pid_t run_one(uint32_t i)
{
    pid_t pid = fork();

    if (pid == 0) {
        if (i % 3 == 0) {
            pid = fork();
            if (pid == 0)
                _exit(0);
            waitpid(pid, NULL, 0);
        }
        if (i % 2)
            execl("/bin/true", "true", NULL);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    return pid;
}

/* A fork hook that runs also makes good the announcement of whose child it is. */
static void expect_known_parent(const struct fixture *f, const struct rollcall_event *e)
{
    if (e->type == ROLLCALL_CREATE && !(e->flags & ROLLCALL_LATE) && f->ours[e->ppid])
        assert_int_equal(f->seen[e->ppid], CREATED);
}

static void expect(struct fixture *f, const struct rollcall_event *e)
{
    enum seen *seen = &f->seen[e->pid];

    switch (e->type) {
    case ROLLCALL_CREATE:
        assert_true(*seen == NOTHING || *seen == EXITED);
        f->late += e->flags & ROLLCALL_LATE ? 1 : 0;
        *seen = CREATED;
        break;
    case ROLLCALL_EXEC:
        assert_int_equal(*seen, CREATED);
        *seen = EXECED;
        break;
    case ROLLCALL_EXIT:
        assert_true(*seen == CREATED || *seen == EXECED);
        *seen = EXITED;
        f->ended++;
        f->freed += e->flags & ROLLCALL_LATE ? 1 : 0;
        assert_true(!(e->flags & ROLLCALL_LATE) || !(e->present & ROLLCALL_HAS_PARENT));
        break;
    default:
        break;
    }
}

static void test_every_process_is_announced(void **state)
{
    struct fixture *f = *state;
    pid_t pids[PROCESSES];
    struct rollcall_batch batch;
    pid_t self = getpid();
    uint32_t processes = part_of(PROCESSES);

    for (uint32_t i = 0; i < processes; i++)
        f->ours[pids[i] = run_one(i)] = true;
    while (f->ended < processes) {
        const struct rollcall_event *e = NULL;

        assert_true(rollcall_next(f->rc, LIMIT_MS, &batch) > 0);
        while ((e = rollcall_batch_next(&batch, e))) {
            expect_known_parent(f, e);
            if (e->ppid == (uint32_t)self || (e->type == ROLLCALL_EXIT && f->ours[e->pid]))
                expect(f, e);
        }
        assert_int_equal(rollcall_ack(f->rc, batch.last_seq), 0);
    }
    for (uint32_t i = 0; i < processes; i++)
        assert_int_equal(f->seen[pids[i]], EXITED);
    printf("%u of %u announced late, %u exits seen late\n", f->late, processes, f->freed);
    assert_true((EXITS ? f->freed : f->late) >= processes / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_process_is_announced, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
