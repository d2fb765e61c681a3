/* SPDX-License-Identifier: MIT */
/*
 * Fifty times a capture begins in the middle of a fork storm, with the processes that are there
 * already: each process that is alive at `synced` was announced once, no process is announced
 * twice, and none has an exec or an exit without announcement.
 */
#include "tests/kernel/part.h"
#include "tests/kernel/scenario.h"
#include "tests/load/alive.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ROUNDS    25
#define WORKERS   4
#define KEPT      50
#define COUNT_MAX 4000000u

struct sync {
    uint64_t synced_ns; /* when it was; 0: not yet */
};

static void note_synced(const struct rollcall_event *event, void *context)
{
    struct sync *sync = context;

    if (event->type == ROLLCALL_SYNCED)
        sync->synced_ns = event->mono_ns;
}

static void count_kinds(const struct check *check, unsigned *exists, unsigned *creates)
{
    const struct life *lives;
    size_t count;

    lives = check_lives(check, &count);
    for (size_t i = 0; i < count; i++) {
        *exists += lives[i].announced == ROLLCALL_EXISTS;
        *creates += lives[i].announced == ROLLCALL_CREATE;
    }
}

static void run_round(struct alive *seen)
{
    const struct rollcall_options opts = {.struct_size = sizeof(opts), .flags = ROLLCALL_EXISTING};
    struct sync sync = {0};
    struct reader reader = {
        .rc = open_or_skip(&opts), .check = check_new(0), .each = note_synced, .context = &sync};
    int64_t limit = now_ms() + LIMIT_MS;
    unsigned exists = 0;
    unsigned creates = 0;
    unsigned compared;
    size_t count;

    while (!sync.synced_ns) {
        if (now_ms() > limit)
            errx(1, "`synced` did not come");
        read_some(&reader, 100);
    }
    count = alive_list(seen);
    read_until_exit(&reader, make_marker(), getpid());
    compared = alive_compare(seen, count, reader.check, sync.synced_ns);
    finish_check(reader.check, NULL);
    count_kinds(reader.check, &exists, &creates);
    if (compared < WORKERS * KEPT)
        errx(1, "only %u processes were compared", compared);
    printf("%u exist, %u created, %u compared\n", exists, creates, compared);
    rollcall_close(reader.rc);
    check_free(reader.check);
}

static void wait_for_load(const struct load *load)
{
    int64_t limit = now_ms() + LIMIT_MS;

    while (truth_made(load->truth) < 2 * WORKERS * KEPT) {
        if (now_ms() > limit)
            errx(1, "the load does not begin");
        usleep(1000);
    }
}

int main(void)
{
    const struct load_options opts = {.workers = WORKERS,
                                      .count = COUNT_MAX,
                                      .mix = LOAD_METHODS_ALL,
                                      .program = LOAD_CHILD,
                                      .keep = KEPT};
    struct alive *seen = calloc(ALIVE_MAX, sizeof(*seen));
    struct load load = {0};
    uint32_t rounds = part_of(ROUNDS);

    rollcall_close(open_or_skip(NULL));
    if (!seen || load_init(&load, &opts, NULL) < 0 || load_start(&load, &opts) < 0)
        errx(1, "load");
    wait_for_load(&load);
    for (uint32_t i = 0; i < rounds; i++)
        run_round(seen);
    load_end(&load);
    free(seen);
    return 0;
}
