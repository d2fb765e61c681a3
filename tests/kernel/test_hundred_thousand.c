/* SPDX-License-Identifier: MIT */
/* 100,000 processes by four workers, as fast as can be: each has one create, one exec and one
 * exit, in this order; none is lost, none comes twice. */
#include "tests/kernel/part.h"
#include "tests/kernel/scenario.h"

#include <err.h>
#include <stdio.h>
#include <string.h>

#define MISSED_BY_SKIP 3u /* differences that one event makes which is missing */

/* Nothing is missing; but where the kernel skips programs, and says so, what it says. */
static void expect_all(struct check *check, const struct truth *truth)
{
    uint64_t differences;

    if (check_lost(check) == 0) {
        finish_check(check, truth);
        return;
    }
    differences = check_finish(check, truth);
    if (differences <= MISSED_BY_SKIP * check_lost(check))
        return;
    check_print(check, stderr);
    errx(1, "%llu differences, %llu events skipped by the kernel", (unsigned long long)differences,
         (unsigned long long)check_lost(check));
}

int main(void)
{
    const struct load_options opts = {
        .workers = 4, .count = part_of(100000), .mix = LOAD_METHODS_ALL, .program = LOAD_CHILD};
    struct reader reader = {.rc = open_or_skip(NULL)};
    struct load load = {0};
    int error;

    reader.check = check_new(attached_ns(reader.rc));
    check_allow_gaps(reader.check, ROLLCALL_LOST_SKIPPED);
    error = load_init(&load, &opts, NULL);
    if (error == 0)
        error = load_start(&load, &opts);
    if (error < 0)
        errx(1, "load: %s", strerror(-error));
    read_load(&reader, &load);
    if (truth_made(load.truth) != opts.count)
        errx(1, "the load created %u processes", truth_made(load.truth));
    read_what_was_skipped(&reader, load.truth);
    expect_all(reader.check, load.truth);
    printf("%llu events, %u processes of the load, at most %llu events skipped by the kernel\n",
           (unsigned long long)reader.events, opts.count,
           (unsigned long long)check_lost(reader.check));
    load_end(&load);
    check_free(reader.check);
    rollcall_close(reader.rc);
    return 0;
}
