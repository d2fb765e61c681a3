/* SPDX-License-Identifier: MIT */
/*
 * How many events per second come out of a ring in which they wait: prints one number for each
 * round. The events are the plainest there are, written by a program that is run by hand, or
 * (--real) those of processes that execute a program. They are only looked at, or put into a
 * journal (--journal).
 */
#include "bench/producer.h"
#include "bench/work.h"
#include "journal/journal.h"
#include "linux/clock.h"

#include <err.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONSUMER  "bench-throughput"
#define RING_SIZE (128ull << 20)
#define SETTLE_NS 300000000u

static const char usage[] =
    "usage: throughput [--events N] [--rounds N] [--real] [--journal FILE]\n";

static const struct option options[] = {{"events", required_argument, NULL, 'e'},
                                        {"rounds", required_argument, NULL, 'r'},
                                        {"real", no_argument, NULL, 'R'},
                                        {"journal", required_argument, NULL, 'j'},
                                        {0}};

struct settings {
    uint64_t events;
    unsigned rounds;
    bool real;
    struct journal *journal; /* or NULL */
};

/* ---- reading ---- */

static struct rollcall *open_consumer(const char *name)
{
    struct rollcall_options opts = {
        .struct_size = sizeof(opts), .name = name, .ring_size = RING_SIZE};
    struct rollcall *rc;

    if (rollcall_open(&opts, &rc) < 0)
        errx(1, "%s", rollcall_error());
    return rc;
}

/* Looks at each event of a batch, as any consumer does. */
static uint64_t take(struct rollcall *rc, const struct rollcall_batch *batch)
{
    const struct rollcall_event *event = NULL;
    uint64_t taken = 0;

    while ((event = rollcall_batch_next(batch, event))) {
        if (event->type == ROLLCALL_GAP)
            errx(1, "%" PRIu64 " events were lost (%s)", event->lost,
                 rollcall_reason_name(event->reason));
        taken++;
    }
    if (rollcall_ack(rc, batch->last_seq) < 0)
        errx(1, "%s", rollcall_error());
    return taken;
}

/* Takes what is there, or comes within timeout_ms. How many events; 0: none. */
static uint64_t take_batch(struct rollcall *rc, int timeout_ms, struct journal *journal)
{
    struct rollcall_batch batch;
    int n = rollcall_next(rc, timeout_ms, &batch);

    if (n < 0 || (n > 0 && journal && journal_append(journal, &batch) < 0))
        errx(1, "%s", rollcall_error());
    return n > 0 ? take(rc, &batch) : 0;
}

/* Lets pass what the reader's start brings with it. */
static void settle(struct rollcall *rc)
{
    uint64_t start = clock_mono_ns();

    while (clock_mono_ns() - start < SETTLE_NS)
        take_batch(rc, 50, NULL);
}

static void measure(struct rollcall *rc, uint64_t at_least, struct journal *journal)
{
    uint64_t start = clock_mono_ns();
    uint64_t taken = 0;
    uint64_t elapsed;
    uint64_t n;

    while ((n = take_batch(rc, 0, journal)) > 0)
        taken += n;
    elapsed = clock_mono_ns() - start;
    if (taken < at_least)
        errx(1, "only %" PRIu64 " of %" PRIu64 " events came", taken, at_least);
    printf("%.0f\n", (double)taken * 1e9 / (double)elapsed);
    fflush(stdout);
}

/* ---- events of processes ---- */

#define EVENTS_OF_ONE 3u /* create, exec, exit */

static void real_round(const struct settings *settings)
{
    struct work_order order = {
        .workers = 2, .exec = true, .count = settings->events / EVENTS_OF_ONE};
    struct rollcall *rc;
    struct work work;
    int error = work_prepare(&work, &order);

    if (error < 0)
        errx(1, "cannot start the workers: %s", strerror(-error));
    rc = open_consumer(NULL);
    settle(rc);
    work_go(&work);
    if (work_wait(&work) < 0)
        errx(1, "processes cannot be made: %s", work_question);
    measure(rc, order.count * EVENTS_OF_ONE, settings->journal);
    rollcall_close(rc);
    work_destroy(&work);
}

/* ---- events of the producer ---- */

static void synthetic_round(const struct settings *settings)
{
    struct rollcall *rc = open_consumer(CONSUMER);
    struct producer *producer = producer_open(CONSUMER);

    settle(rc);
    producer_exits(producer, settings->events);
    measure(rc, settings->events, settings->journal);
    producer_close(producer);
    rollcall_close(rc);
}

static void detach(void)
{
    rollcall_detach(CONSUMER);
}

/* ---- the command ---- */

static void run(const struct settings *settings)
{
    if (settings->real) {
        real_round(settings);
    } else {
        synthetic_round(settings);
        detach();
    }
}

static struct journal *open_journal(const char *path)
{
    struct journal_options opts = {0};
    struct journal *journal;

    if (journal_open(path, &opts, &journal) < 0)
        errx(1, "%s", rollcall_error());
    return journal;
}

int main(int argc, char **argv)
{
    struct settings settings = {.events = 500000, .rounds = 5};
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
        switch (option) {
        case 'e':
            settings.events = strtoull(optarg, NULL, 10);
            break;
        case 'r':
            settings.rounds = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'R':
            settings.real = true;
            break;
        case 'j':
            settings.journal = open_journal(optarg);
            break;
        default:
            fputs(usage, stderr);
            return 2;
        }
    }
    if (optind < argc || settings.events < EVENTS_OF_ONE) {
        fputs(usage, stderr);
        return 2;
    }
    atexit(detach);
    for (unsigned i = 0; i < settings.rounds; i++)
        run(&settings);
    journal_close(settings.journal);
    return 0;
}
