/* SPDX-License-Identifier: MIT */
/* 100,000 processes by four workers, as fast as can be: each has one create, one exec and one
 * exit, in this order; none is lost, none comes twice. */
#include "tests/kernel/part.h"
#include "tests/kernel/scenario.h"

#include <err.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
    const struct load_options opts = {
        .workers = 4, .count = part_of(100000), .mix = LOAD_METHODS_ALL, .program = LOAD_CHILD};
    struct reader reader = {.rc = open_or_skip(NULL)};
    struct load load = {0};
    int error;

    reader.check = check_new(attached_ns(reader.rc));
    error = load_init(&load, &opts, NULL);
    if (error == 0)
        error = load_start(&load, &opts);
    if (error < 0)
        errx(1, "load: %s", strerror(-error));
    read_load(&reader, &load);
    if (truth_made(load.truth) != opts.count)
        errx(1, "the load created %u processes", truth_made(load.truth));
    finish_check(reader.check, load.truth);
    printf("%llu events, %u processes of the load\n", (unsigned long long)reader.events,
           opts.count);
    load_end(&load);
    check_free(reader.check);
    rollcall_close(reader.rc);
    return 0;
}
