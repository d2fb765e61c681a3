/* SPDX-License-Identifier: MIT */
/*
 * The designs of lab/design.h, live: real processes are created, librollcall's ring brings them to the
 * driver's side of each design, and another process is the service. What was created is known exactly
 * from who created it.
 */
#include "lab/table.h"
#include "linux/clock.h"
#include "linux/lab/host.h"
#include "tests/load/load.h"

#include <rollcall/rollcall.h>

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIMIT_S 300u /* for one run */
#define MS      1000000u

static const char usage[] =
    "usage: rollcall-lab-live [--quick] [--list] [DESIGN [SITUATION]]\n"
    "\n"
    "Runs each design in each situation with real processes, and says in tab-separated lines what\n"
    "became of their events. Needs root.\n"
    "\n"
    "  --quick  a tenth of the processes: to see that it works, not for numbers\n"
    "  --list   the situations\n"
    "\n"
    "Exit status: 0, 1 if a run failed or its accounts are wrong, 2 for a wrong command line.\n";

/* What happens to the service. */
enum fate { LIVES, IS_STOPPED, IS_KILLED };

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
    {"lone", "100 processes a second, nothing to do for each", 500, 100, 0, LIVES, 0, 0},
    {"burst", "as many processes as can be, 50 us of work on each", 5000, 0, 50, LIVES, 0, 0},
    {"overload", "as many processes as can be, 5 ms of work on each", 1000, 0, 5000, LIVES, 0, 0},
    {"stopped", "1,000 processes a second, the service is stopped for 2 s", 5000, 1000, 50,
     IS_STOPPED, 1, 2000},
    {"killed", "1,000 processes a second, the service is killed 10 times, away for 100 ms", 5000,
     1000, 500, IS_KILLED, 10, 100},
};
#define SITUATIONS (sizeof(situations) / sizeof(situations[0]))

struct run {
    const struct situation *situation;
    struct rollcall *rc;
    struct host *host;
    struct load load;
    uint32_t done;       /* how often its fate has struck */
    uint64_t returns_ns; /* when the service is there again; 0: it is */
    bool created;        /* the load has ended */
};

/* ---- events ---- */

static bool is_worker(const struct truth *truth, uint32_t pid)
{
    for (uint32_t i = 0; i < truth->workers; i++)
        if (truth->worker[i].pid == pid)
            return true;
    return false;
}

static void take_events(struct run *run)
{
    struct rollcall_batch batch;
    int count;

    while ((count = rollcall_next(run->rc, 0, &batch)) > 0) {
        const struct rollcall_event *event = NULL;

        while ((event = rollcall_batch_next(&batch, event)) != NULL) {
            if (event->type == ROLLCALL_GAP)
                errx(1, "events were lost before they came here; is the machine out of memory?");
            if (event->type == ROLLCALL_CREATE && is_worker(run->load.truth, event->ppid))
                host_raise(run->host, event->mono_ns);
        }
        rollcall_ack(run->rc, batch.last_seq);
    }
    if (count < 0 && count != -EINTR)
        errx(1, "%s", rollcall_error());
}

/* ---- the service's fate ---- */

static void strike(struct run *run)
{
    if (run->situation->fate == IS_KILLED)
        host_kill(run->host);
    else
        kill(host_service(run->host), SIGSTOP);
    run->done++;
    run->returns_ns = clock_mono_ns() + (uint64_t)run->situation->away_ms * MS;
}

static void end_strike(struct run *run)
{
    if (run->situation->fate == IS_KILLED)
        host_start(run->host);
    else
        kill(host_service(run->host), SIGCONT);
    run->returns_ns = 0;
}

static void apply_fate(struct run *run, uint32_t processes)
{
    uint32_t every = processes / (run->situation->times + 1);

    if (run->returns_ns != 0 && clock_mono_ns() >= run->returns_ns)
        end_strike(run);
    else if (run->returns_ns == 0 && run->done < run->situation->times &&
             host_raised(run->host) >= (run->done + 1) * every)
        strike(run);
}

/* ---- a run ---- */

static void look_at_load(struct run *run)
{
    int left = load_poll(&run->load);

    if (left < 0)
        errx(1, "the load has failed");
    run->created = left == 0;
}

static void pause_until_something(struct run *run)
{
    struct pollfd fds[] = {{.fd = rollcall_fd(run->rc), .events = POLLIN},
                           {.fd = host_fd(run->host), .events = POLLIN}};

    if (poll(fds, 2, 1) < 0 && errno != EINTR)
        err(1, "poll");
}

static bool over(const struct run *run)
{
    return run->created && run->returns_ns == 0 && run->done == run->situation->times &&
           host_raised(run->host) == truth_made(run->load.truth) && host_quiet(run->host);
}

static void go(struct run *run, uint32_t processes)
{
    uint64_t limit_ns = clock_mono_ns() + (uint64_t)LIMIT_S * 1000 * MS;

    host_start(run->host);
    while (!host_quiet(run->host))
        host_serve(run->host);
    if (load_start(&run->load, &(struct load_options){.workers = 1,
                                                      .count = processes,
                                                      .mix = "fork",
                                                      .rate = run->situation->rate}) < 0)
        errx(1, "the load does not start");
    while (!over(run)) {
        pause_until_something(run);
        host_serve(run->host);
        take_events(run);
        apply_fate(run, processes);
        look_at_load(run);
        if (clock_mono_ns() > limit_ns)
            errx(1, "%s is not over after %u s", run->situation->name, LIMIT_S);
    }
}

static int run_one(const struct lab_design *design, const struct situation *situation, bool quick)
{
    const struct rollcall_options rc_options = {.struct_size = sizeof(rc_options),
                                                .latency_us = 50};
    uint32_t processes = quick ? situation->processes / 10 : situation->processes;
    const struct load_options load_options = {
        .workers = 1, .count = processes, .mix = "fork", .rate = situation->rate};
    struct run run = {.situation = situation};
    struct lab_result result;
    const char *wrong;

    if (rollcall_open(&rc_options, &run.rc) < 0)
        errx(1, "%s", rollcall_error());
    if (load_init(&run.load, &load_options, NULL) < 0)
        errx(1, "no memory for the load");
    run.host = host_new(design, situation->work_us, processes);
    go(&run, processes);
    wrong = host_close(run.host, &result);
    host_free(run.host);
    load_end(&run.load);
    rollcall_close(run.rc);
    if (wrong == NULL && result.offered != processes)
        wrong = "not all processes were offered";
    if (wrong != NULL) {
        warnx("%s, %s: %s", design->name, situation->name, wrong);
        return 1;
    }
    table_line(stdout, design->name, situation->name, &result);
    fflush(stdout);
    return 0;
}

static int list(void)
{
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

    table_head(stdout);
    for (size_t k = 0; k < SITUATIONS; k++)
        for (size_t i = 0; (design = lab_design_at(i)) != NULL; i++)
            if (chosen(design_name, design->name) && chosen(situation_name, situations[k].name)) {
                status |= run_one(design, &situations[k], quick);
                runs++;
            }
    if (runs > 0)
        return status;
    warnx("there is no such design or situation; see rollcall-lab-live --list");
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
        warnx("too much: %s", argv[optind + 2]);
        return 2;
    }
    return run_all(optind < argc ? argv[optind] : NULL, optind + 1 < argc ? argv[optind + 1] : NULL,
                   quick);
}
