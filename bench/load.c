/* SPDX-License-Identifier: MIT */
/*
 * The load of the measurements: makes processes for some time and prints how many per second,
 * or makes a number of them and writes their pids, one a line, to a file: the exact truth.
 */
#include "bench/work.h"

#include <err.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: load [--exec] [--program PATH] [--workers N] --seconds S\n"
    "       load [--exec] [--program PATH] [--workers N] --count N --pids FILE\n"
    "--exec: each process is made by fork and executes /bin/true; --program: each is made by "
    "vfork\n"
    "and executes PATH, with the argument 0\n";

static const struct option options[] = {{"exec", no_argument, NULL, 'e'},
                                        {"workers", required_argument, NULL, 'w'},
                                        {"seconds", required_argument, NULL, 's'},
                                        {"count", required_argument, NULL, 'c'},
                                        {"pids", required_argument, NULL, 'p'},
                                        {"program", required_argument, NULL, 'x'},
                                        {0}};

static void write_pids(const struct work *work, const char *path)
{
    FILE *file = fopen(path, "we");

    if (!file)
        err(1, "%s", path);
    for (uint64_t i = 0; i < work->order.count; i++)
        fprintf(file, "%d\n", work->pids[i]);
    if (fclose(file) != 0)
        err(1, "%s", path);
}

static void run(const struct work_order *order, const char *pids)
{
    struct work work;
    int error = work_prepare(&work, order);

    if (error < 0)
        errx(1, "cannot start the workers: %s", strerror(-error));
    work_go(&work);
    if (work_wait(&work) < 0)
        errx(1, "processes cannot be made: %s", work_question);
    if (pids)
        write_pids(&work, pids);
    printf("%.1f\n", work_rate(&work));
    work_destroy(&work);
}

int main(int argc, char **argv)
{
    struct work_order order = {.workers = 2};
    const char *pids = NULL;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
        switch (option) {
        case 'e':
            order.exec = true;
            break;
        case 'w':
            order.workers = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 's':
            order.run_ns = (uint64_t)(strtod(optarg, NULL) * 1e9);
            break;
        case 'c':
            order.count = strtoull(optarg, NULL, 10);
            break;
        case 'p':
            pids = optarg;
            break;
        case 'x':
            order.exec = true;
            order.program = optarg;
            break;
        default:
            fputs(usage, stderr);
            return 2;
        }
    }
    if (order.workers < 1 || order.workers > WORK_WORKERS_MAX || optind < argc ||
        (order.run_ns > 0) == (order.count > 0) || (order.count > 0) != (pids != NULL)) {
        fputs(usage, stderr);
        return 2;
    }
    run(&order, pids);
    return 0;
}
