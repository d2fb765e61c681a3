/* SPDX-License-Identifier: MIT */
/*
 * A ring of 64 KiB that nobody reads during a load: what was delivered and what gaps say was
 * lost are together exactly what happened. A second consumer with a ring that is large enough
 * is the witness: each gap of n stands where n of the witness's events are missing.
 */
#include "tests/kernel/holes.h"
#include "tests/kernel/part.h"
#include "tests/kernel/scenario.h"

#include <err.h>
#include <unistd.h>

#define SMALL_RING (64u << 10)

static void run_load(struct reader *witness, uint32_t count)
{
    const struct load_options opts = {
        .workers = 2, .count = count, .mix = LOAD_METHODS_ALL, .program = LOAD_CHILD};
    struct load load = {0};

    if (load_init(&load, &opts, NULL) < 0 || load_start(&load, &opts) < 0)
        errx(1, "load");
    read_load(witness, &load);
    load_end(&load);
}

static void read_both(struct reader *witness, struct reader *small, pid_t marker)
{
    read_until_exit(witness, marker, getpid());
    read_until_exit(small, marker, getpid());
}

int main(void)
{
    const struct rollcall_options small_opts = {.struct_size = sizeof(small_opts),
                                                .ring_size = SMALL_RING};
    struct events_heard witnessed = {0};
    struct events_heard delivered = {0};
    struct reader witness = {.rc = open_or_skip(NULL), .each = hear, .context = &witnessed};
    struct reader small = {.rc = open_or_skip(&small_opts), .each = hear, .context = &delivered};
    pid_t first;
    pid_t last;

    first = make_marker();
    read_both(&witness, &small, first);
    for (uint32_t i = 1; i <= 5; i++) {
        run_load(&witness, part_of(400) * i);
        /* It reads a little, so that there are gaps in the middle, too. */
        read_some(&small, 0);
    }
    while (read_some(&small, 100) > 0)
        read_some(&witness, 0);
    last = make_marker();
    read_both(&witness, &small, last);
    /* What the small ring delivered behind the marker, the witness has to know, too. */
    read_until_exit(&witness, make_marker(), getpid());
    compare_holes(&witnessed, &delivered, first, last);
    rollcall_close(small.rc);
    rollcall_close(witness.rc);
    return 0;
}
