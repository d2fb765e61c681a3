/* SPDX-License-Identifier: MIT */
/*
 * From the kernel's time stamp of a process's creation to the consumer's code: prints the
 * nanoseconds of each process, one a line. The floor of the machine is measured in the same way:
 * the time from just before a write to an eventfd to the code of the process that waits for it.
 */
#include "bench/bare.h"
#include "bench/floor.h"
#include "bench/measure.h"
#include "bench/work.h"
#include "linux/clock.h"

#include <rollcall/rollcall.h>

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] = "usage: latency [--burst] [--samples N] rollcall|spin|bare|eventfd\n"
                            "       latency [--burst] [--samples N] --socket PATH daemon\n";

static const struct option options[] = {{"burst", no_argument, NULL, 'b'},
                                        {"samples", required_argument, NULL, 's'},
                                        {"socket", required_argument, NULL, 'd'},
                                        {0}};

static const char *socket_path;

struct samples {
    const struct work *work;
    uint64_t *ns;
    size_t count;
    size_t room;
};

/* ---- the bare ring ---- */

static void add(const struct bare_event *event, void *context)
{
    struct samples *samples = context;
    uint64_t now = clock_boot_ns();

    if (event->type == BARE_FORK && samples->count < samples->room &&
        work_is_worker(samples->work, event->ppid))
        samples->ns[samples->count++] = now - event->mono_ns;
}

static void poll_once(struct bare *bare)
{
    int n = bare_poll(bare, 50);

    if (n < 0 && n != -EINTR)
        errx(1, "cannot read the ring: %s", strerror(-n));
}

static void poll_for(struct bare *bare, uint64_t ns)
{
    uint64_t start = clock_mono_ns();

    while (clock_mono_ns() - start < ns)
        poll_once(bare);
}

static void measure_bare(bool burst, uint64_t *ns, size_t count)
{
    struct work_order order = {
        .workers = 1, .count = count, .pause_ns = burst ? 0 : MEASURE_PAUSE_NS};
    struct work work;
    struct samples samples = {.work = &work, .room = count};
    struct bare bare;
    int error = work_prepare(&work, &order);

    if (error < 0)
        errx(1, "cannot start the worker: %s", strerror(-error));
    samples.ns = ns;
    error = bare_open(&bare, add, &samples);
    if (error < 0)
        errx(1, "the kernel refuses the programs: %s; this needs root", strerror(-error));
    poll_for(&bare, MEASURE_SETTLE_NS);
    work_go(&work);
    while (!work_done(&work))
        poll_once(&bare);
    poll_for(&bare, MEASURE_SETTLE_NS);
    bare_close(&bare);
    work_destroy(&work);
    if (samples.count < count)
        errx(1, "only %zu of %zu processes were seen", samples.count, count);
}

/* ---- the others ---- */

static void measure_floor(bool burst, uint64_t *ns, size_t count)
{
    int error = floor_measure(ns, count, burst ? 0 : MEASURE_PAUSE_NS);

    if (error < 0)
        errx(1, "cannot measure the eventfd: %s", strerror(-error));
}

static void measure_rollcall(bool burst, uint64_t *ns, size_t count)
{
    struct rollcall_options opts = {.struct_size = sizeof(opts), .flags = ROLLCALL_DIRECT};

    if (measure_latency(&opts, burst, ns, count) < 0)
        errx(1, "%s", rollcall_error());
}

static void measure_spin(bool burst, uint64_t *ns, size_t count)
{
    struct rollcall_options opts = {.struct_size = sizeof(opts),
                                    .flags = ROLLCALL_SPIN | ROLLCALL_DIRECT};

    if (measure_latency(&opts, burst, ns, count) < 0)
        errx(1, "%s", rollcall_error());
}

static void measure_daemon(bool burst, uint64_t *ns, size_t count)
{
    struct rollcall_options opts = {
        .struct_size = sizeof(opts), .flags = ROLLCALL_DAEMON, .socket = socket_path};

    if (measure_latency(&opts, burst, ns, count) < 0)
        errx(1, "%s", rollcall_error());
}

/* ---- the command ---- */

typedef void measure(bool burst, uint64_t *ns, size_t count);

static measure *find(const char *name)
{
    static const struct {
        const char *name;
        measure *run;
    } kinds[] = {{"rollcall", measure_rollcall},
                 {"spin", measure_spin},
                 {"daemon", measure_daemon},
                 {"bare", measure_bare},
                 {"eventfd", measure_floor}};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(name, kinds[i].name) == 0)
            return kinds[i].run;
    return NULL;
}

int main(int argc, char **argv)
{
    measure *run = NULL;
    size_t count = 500;
    bool burst = false;
    uint64_t *ns;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
        if (option == 'b')
            burst = true;
        else if (option == 's')
            count = strtoul(optarg, NULL, 10);
        else if (option == 'd')
            socket_path = optarg;
        else
            count = 0;
    }
    if (optind + 1 == argc)
        run = find(argv[optind]);
    if (count < 1 || !run) {
        fputs(usage, stderr);
        return 2;
    }
    ns = calloc(count, sizeof(*ns));
    if (!ns)
        err(1, "samples");
    run(burst, ns, count);
    for (size_t i = 0; i < count; i++)
        printf("%" PRIu64 "\n", ns[i]);
    free(ns);
    return 0;
}
