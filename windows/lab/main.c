/* SPDX-License-Identifier: MIT */
/*
 * The designs of lab/design.h in a Windows driver, under Wine: the framework of the tests tells the
 * driver of processes, and another process is the service. How many were created is known from who
 * asked for them.
 */
#include "lab/table.h"
#include "tests/wine/lib/test.h"
#include "windows/clock.h"
#include "windows/lab/host.h"
#include "windows/lab/service.h"

#include <getopt.h>
#include <string.h>

#define LIMIT_S 120u /* for one run */
#define MS      1000000u

static const char usage[] =
    "usage: rollcall-lab [--quick] [--list] [DESIGN [SITUATION]]\n"
    "\n"
    "Runs each design, in the driver, in each situation, and says in tab-separated lines what "
    "became\n"
    "of the events.\n"
    "\n"
    "  --quick  a tenth of the processes, no more than 3 kills, and away for a quarter of the "
    "time:\n"
    "           to see that it works, not for numbers\n"
    "  --list   the designs and the situations\n"
    "\n"
    "Exit status: 0, 1 if a run failed or its accounts are wrong, 2 for a wrong command line.\n";

/* What happens to the service. */
enum fate { LIVES, IS_STOPPED, IS_KILLED, IS_HELD };

struct situation {
    const char *name;
    const char *says;
    uint32_t processes;
    uint32_t rate;    /* in a second; 0: as many as can be */
    uint32_t work_us; /* of the service on an event */
    enum fate fate;
    uint32_t times;   /* how often, in equal distances */
    uint32_t away_ms; /* for so long */
};

static const struct situation situations[] = {
    {"lone", "100 processes a second, nothing to do for each", 300, 100, 0, LIVES, 0, 0},
    {"burst", "as many processes as can be, 50 us of work on each", 2000, 0, 50, LIVES, 0, 0},
    {"overload", "as many processes as can be, 5 ms of work on each", 500, 0, 5000, LIVES, 0, 0},
    {"stopped", "1,000 processes a second, the service is stopped for 2 s", 3000, 1000, 50,
     IS_STOPPED, 1, 2000},
    {"killed", "1,000 processes a second, the service is killed 10 times, away for 100 ms", 3000,
     1000, 500, IS_KILLED, 10, 100},
    {"while-x-is-away",
     "the second process while the service is at work on the first, then each when all is quiet",
     100, 0, 0, IS_HELD, 0, 0},
};
#define SITUATIONS (sizeof(situations) / sizeof(situations[0]))

struct run {
    const struct situation *situation;
    struct host *host;
    uint64_t began_ns;
    uint64_t limit_ns;
    uint32_t done;       /* how often its fate has struck */
    uint64_t returns_ns; /* when the service is there again; 0: it is */
};

static void check_limit(const struct run *run)
{
    if (clock_mono_ns() > run->limit_ns)
        die("%s is not over after %u s", run->situation->name, LIMIT_S);
}

/* ---- the service's fate ---- */

/* After so many processes. */
static uint32_t next_strike(const struct run *run)
{
    return (run->done + 1) * (run->situation->processes / (run->situation->times + 1));
}

static bool will_strike(const struct run *run)
{
    return run->returns_ns == 0 && run->done < run->situation->times;
}

static void strike(struct run *run)
{
    if (run->situation->fate == IS_KILLED)
        host_kill(run->host);
    else
        host_stop(run->host);
    run->done++;
    run->returns_ns = clock_mono_ns() + (uint64_t)run->situation->away_ms * MS;
}

static void end_strike(struct run *run)
{
    if (run->situation->fate == IS_KILLED)
        host_start(run->host);
    else
        host_continue(run->host);
    run->returns_ns = 0;
}

static void apply_fate(struct run *run, uint64_t now_ns)
{
    if (run->returns_ns != 0 && now_ns >= run->returns_ns)
        end_strike(run);
    else if (will_strike(run) && host_raised(run->host) >= next_strike(run) &&
             host_started(run->host))
        strike(run);
}

/* ---- processes ---- */

/* How many must have been created by now, if nobody waits for a strike. */
static uint32_t due(const struct run *run, uint64_t now_ns)
{
    uint64_t count = run->situation->processes;

    if (run->situation->rate > 0)
        count = (now_ns - run->began_ns) * run->situation->rate / (1000 * (uint64_t)MS);
    if (count > run->situation->processes)
        count = run->situation->processes;
    if (will_strike(run) && count > next_strike(run) && host_raised(run->host) < next_strike(run))
        count = next_strike(run);
    return (uint32_t)count;
}

/* What is due while the service is away is created before it returns. */
static void go_by_clock(struct run *run)
{
    uint64_t now_ns;

    run->began_ns = clock_mono_ns();
    while (host_raised(run->host) < run->situation->processes || run->returns_ns != 0 ||
           run->done < run->situation->times || !host_quiet(run->host)) {
        now_ns = clock_mono_ns();
        if (due(run, now_ns) > host_raised(run->host))
            host_raise(run->host, due(run, now_ns) - host_raised(run->host));
        apply_fate(run, now_ns);
        check_limit(run);
        Sleep(1);
    }
}

static void wait_quiet(struct run *run)
{
    while (!host_quiet(run->host)) {
        check_limit(run);
        Sleep(1);
    }
}

/* The same in each run, as nothing here depends on time. */
static void go_held(struct run *run)
{
    host_raise(run->host, 1);
    host_wait_held(run->host);
    host_raise(run->host, 1);
    host_let_go(run->host);
    wait_quiet(run);
    while (host_raised(run->host) < run->situation->processes) {
        host_raise(run->host, 1);
        wait_quiet(run);
    }
}

/* ---- a run ---- */

static struct situation shorten(const struct situation *situation)
{
    struct situation quick = *situation;

    quick.processes /= 10;
    quick.away_ms /= 4;
    if (quick.times > 3)
        quick.times = 3;
    return quick;
}

static int run_one(const struct lab_design *design, uint32_t number,
                   const struct situation *situation)
{
    struct run run = {.situation = situation};
    struct lab_result result;
    const char *wrong;

    run.host = host_new(&(struct host_options){.design = design,
                                               .number = number,
                                               .work_us = situation->work_us,
                                               .held = situation->fate == IS_HELD,
                                               .events = situation->processes});
    run.limit_ns = clock_mono_ns() + (uint64_t)LIMIT_S * 1000 * MS;
    host_start(run.host);
    wait_quiet(&run);
    if (situation->fate == IS_HELD)
        go_held(&run);
    else
        go_by_clock(&run);
    wrong = host_close(run.host, &result);
    host_free(run.host);
    if (wrong != NULL) {
        fprintf(stderr, "%s, %s: %s\n", design->name, situation->name, wrong);
        return 1;
    }
    table_line(stdout, design->name, situation->name, &result);
    fflush(stdout);
    return 0;
}

static int list(void)
{
    const struct lab_design *design;

    for (size_t i = 0; (design = lab_design_at(i)) != NULL; i++)
        printf("design\t%s\t%s\n", design->name, design->says);
    for (size_t i = 0; i < SITUATIONS; i++)
        printf("situation\t%s\t%s\n", situations[i].name, situations[i].says);
    return 0;
}

static bool chosen(const char *wanted, const char *name)
{
    return wanted == NULL || strcmp(wanted, name) == 0;
}

static int run_all(const char *design_name, const char *situation_name, bool quick)
{
    const struct lab_design *design;
    int status = 0, runs = 0;

    test_begin("rollcall-lab.sys");
    table_head(stdout);
    for (size_t k = 0; k < SITUATIONS; k++) {
        const struct situation situation = quick ? shorten(&situations[k]) : situations[k];

        for (uint32_t i = 0; (design = lab_design_at(i)) != NULL; i++)
            if (chosen(design_name, design->name) && chosen(situation_name, situation.name)) {
                status |= run_one(design, i, &situation);
                runs++;
            }
    }
    status |= test_end();
    if (runs > 0)
        return status;
    fputs("there is no such design or situation; see rollcall-lab --list\n", stderr);
    return 2;
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {{"quick", no_argument, NULL, 'q'},
                                          {"list", no_argument, NULL, 'l'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    bool quick = false;
    int c;

    if (argc == 2 && strcmp(argv[1], SERVICE_ARGUMENT) == 0)
        return service_run();
    while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
        if (c == 'q')
            quick = true;
        else if (c == 'l')
            return list();
        else if (c == 'h')
            return fputs(usage, stdout) < 0;
        else
            return 2;
    }
    if (argc - optind > 2) {
        fprintf(stderr, "too much: %s\n", argv[optind + 2]);
        return 2;
    }
    return run_all(optind < argc ? argv[optind] : NULL, optind + 1 < argc ? argv[optind + 1] : NULL,
                   quick);
}
