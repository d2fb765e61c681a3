/* SPDX-License-Identifier: MIT */
/* The designs of lab/design.h through the schedules of lab/schedule.h, in virtual time. */
#include "lab/simulator.h"
#include "lab/table.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define BURST_MAX 1000000u

static const char usage[] =
    "usage: rollcall-lab [--trace] [DESIGN [SCHEDULE]]\n"
    "       rollcall-lab --burst EVENTS [DESIGN]\n"
    "       rollcall-lab --random RUNS [--seed SEED] [DESIGN]\n"
    "       rollcall-lab --list\n"
    "\n"
    "Runs each design through each schedule in virtual time, and says in tab-separated lines what\n"
    "became of the events.\n"
    "\n"
    "  --trace        each step in words, instead\n"
    "  --burst EVENTS one schedule: so many events at once\n"
    "  --random RUNS  so many schedules made by chance; a line for each design adds them up\n"
    "  --seed SEED    of the first; the next have the next numbers (default 1)\n"
    "  --list         the designs and the schedules\n"
    "\n"
    "Exit status: 0, 1 if the accounts of a run are wrong, 2 for a wrong command line.\n";

struct options {
    const char *design;
    const char *schedule;
    uint64_t events; /* of a burst */
    uint64_t runs;
    uint64_t seed;
    bool trace;
    bool random;
    bool burst;
    bool list;
};

static int complain(const char *design, const char *schedule, const char *wrong)
{
    fflush(stdout);
    fprintf(stderr, "rollcall-lab: %s, %s: %s\n", design, schedule, wrong);
    return 1;
}

static int run(const struct options *opts, const struct lab_design *design,
               const struct lab_schedule *schedule)
{
    struct lab_result result;
    const char *wrong;

    if (opts->trace)
        printf("%s, %s: %s\n", design->name, schedule->name, schedule->says);
    wrong = lab_simulate(design, schedule, opts->trace ? stdout : NULL, &result);
    if (wrong != NULL)
        return complain(design->name, schedule->name, wrong);
    if (opts->trace)
        printf("%s: of %" PRIu64 " events %" PRIu64 " delivered, %" PRIu64 " dropped, %" PRIu64
               " in a gap, %" PRIu64 " in the hands of who was killed, %" PRIu64
               " waiting for ever\n\n",
               table_verdict(&result), result.offered, result.delivered, result.dropped,
               result.told, result.in_hand, result.waiting);
    else
        table_line(stdout, design->name, schedule->name, &result);
    return 0;
}

static bool chosen(const char *wanted, const char *name)
{
    return wanted == NULL || strcmp(wanted, name) == 0;
}

static int run_schedules(const struct options *opts)
{
    const struct lab_schedule *schedule;
    const struct lab_design *design;
    int status = 0;

    if (!opts->trace)
        table_head(stdout);
    for (size_t k = 0; (schedule = lab_schedule_at(k)) != NULL; k++)
        for (size_t i = 0; (design = lab_design_at(i)) != NULL; i++)
            if (chosen(opts->design, design->name) && chosen(opts->schedule, schedule->name))
                status |= run(opts, design, schedule);
    return status;
}

static int run_burst(const struct options *opts)
{
    const struct lab_schedule schedule = {
        .name = "burst", .work_us = 50, .step = {{0, LAB_RAISE, (uint32_t)opts->events, 0}}};
    const struct lab_design *design;
    int status = 0;

    table_head(stdout);
    for (size_t i = 0; (design = lab_design_at(i)) != NULL; i++)
        if (chosen(opts->design, design->name))
            status |= run(opts, design, &schedule);
    return status;
}

static void add(struct lab_result *sum, const struct lab_result *result)
{
    sum->offered += result->offered;
    sum->delivered += result->delivered;
    sum->twice += result->twice;
    sum->lost += result->lost;
    sum->dropped += result->dropped;
    sum->told += result->told;
    sum->in_hand += result->in_hand;
    sum->waiting += result->waiting;
    sum->calls += result->calls;
    if (result->bytes_most > sum->bytes_most)
        sum->bytes_most = result->bytes_most;
}

static int run_random(const struct options *opts, const struct lab_design *design)
{
    struct lab_result sum = {.offered = 0};

    for (uint64_t i = 0; i < opts->runs; i++) {
        struct lab_schedule schedule;
        struct lab_result result;
        const char *wrong;
        char name[40];

        lab_schedule_random(opts->seed + i, &schedule);
        wrong = lab_simulate(design, &schedule, NULL, &result);
        snprintf(name, sizeof(name), "--random 1 --seed %" PRIu64, opts->seed + i);
        if (wrong != NULL)
            return complain(design->name, name, wrong);
        add(&sum, &result);
    }
    table_line(stdout, design->name, "random", &sum);
    return 0;
}

static int run_all_random(const struct options *opts)
{
    const struct lab_design *design;
    int status = 0;

    table_head(stdout);
    for (size_t i = 0; (design = lab_design_at(i)) != NULL; i++)
        if (chosen(opts->design, design->name))
            status |= run_random(opts, design);
    return status;
}

static int list(void)
{
    const struct lab_schedule *schedule;
    const struct lab_design *design;

    for (size_t i = 0; (design = lab_design_at(i)) != NULL; i++)
        printf("design\t%s\t%s\n", design->name, design->says);
    for (size_t i = 0; (schedule = lab_schedule_at(i)) != NULL; i++)
        printf("schedule\t%s\t%s\n", schedule->name, schedule->says);
    return 0;
}

static bool number(const char *text, uint64_t *value)
{
    char *end;

    errno = 0;
    *value = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0;
}

static int refuse(const char *what, const char *value)
{
    fprintf(stderr, "rollcall-lab: %s '%s'; see rollcall-lab --help\n", what, value);
    return 2;
}

/* 0, or the exit status. */
static int parse(int argc, char **argv, struct options *opts)
{
    static const struct option longs[] = {{"trace", no_argument, NULL, 't'},
                                          {"burst", required_argument, NULL, 'b'},
                                          {"random", required_argument, NULL, 'r'},
                                          {"seed", required_argument, NULL, 's'},
                                          {"list", no_argument, NULL, 'l'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    int c;

    while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
        if (c == 't')
            opts->trace = true;
        else if (c == 'l')
            opts->list = true;
        else if (c == 'r' && number(optarg, &opts->runs))
            opts->random = true;
        else if (c == 'b' && number(optarg, &opts->events) && opts->events <= BURST_MAX)
            opts->burst = true;
        else if (c == 'h')
            exit(fputs(usage, stdout) < 0);
        else if (c != 's')
            return c == '?' ? 2 : refuse("not a number, or too large:", optarg);
        else if (!number(optarg, &opts->seed))
            return refuse("not a number:", optarg);
    }
    if (optind < argc)
        opts->design = argv[optind++];
    if (optind < argc)
        opts->schedule = argv[optind++];
    if (opts->design != NULL && lab_design_find(opts->design) == NULL)
        return refuse("there is no design", opts->design);
    if (opts->schedule != NULL && lab_schedule_find(opts->schedule) == NULL)
        return refuse("there is no schedule", opts->schedule);
    return optind < argc ? refuse("too much:", argv[optind]) : 0;
}

int main(int argc, char **argv)
{
    struct options opts = {.seed = 1};
    int status = parse(argc, argv, &opts);

    if (status != 0)
        return status;
    if (opts.list)
        return list();
    if (opts.burst)
        return run_burst(&opts);
    return opts.random ? run_all_random(&opts) : run_schedules(&opts);
}
