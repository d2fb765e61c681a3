/* SPDX-License-Identifier: MIT */
/* A flood into a small ring that nobody reads: what was not delivered is counted exactly, and each gap
 * stands where its events are missing. So who floods is seen, and when. */
#include "tests/attack/attacker.h"
#include "tests/kernel/holes.h"
#include "tests/kernel/scenario.h"

#include <err.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SMALL_RING (64u << 10)
#define COUNT      400
#define FLOODS     3

static void flood(const struct load_options *opts)
{
    struct load load = {0};
    int error = load_init(&load, opts, NULL);

    if (error < 0)
        errx(1, "load: %s", strerror(-error));
    if (wait_for(start_load_attack(&load, opts)) != 0 || truth_made(load.truth) != COUNT)
        errx(1, "the flood failed");
    munmap(load.truth, load.size);
}

int main(void)
{
    const struct rollcall_options small_opts = {.struct_size = sizeof(small_opts),
                                                .ring_size = SMALL_RING};
    struct load_options opts = {.workers = 4, .count = COUNT, .mix = LOAD_METHODS_ALL};
    struct events_heard witnessed = {0};
    struct events_heard delivered = {0};
    struct reader witness = {.rc = open_or_skip(NULL), .each = hear, .context = &witnessed};
    struct reader small = {.rc = open_or_skip(&small_opts), .each = hear, .context = &delivered};
    pid_t first;
    pid_t last;

    make_attack_directory();
    opts.program = attack_program();
    first = make_marker();
    read_until_exit(&witness, first, getpid());
    read_until_exit(&small, first, getpid());
    for (int i = 0; i < FLOODS; i++) {
        flood(&opts);
        /* It reads a little, so that there are gaps in the middle, too. */
        read_some(&small, 0);
    }
    while (read_some(&small, 100) > 0)
        read_some(&witness, 0);
    last = make_marker();
    read_until_exit(&witness, last, getpid());
    read_until_exit(&small, last, getpid());
    /* What the small ring delivered behind the marker, the witness has to know, too. */
    read_until_exit(&witness, make_marker(), getpid());
    compare_holes(&witnessed, &delivered, first, last);
    rollcall_close(small.rc);
    rollcall_close(witness.rc);
    return 0;
}
