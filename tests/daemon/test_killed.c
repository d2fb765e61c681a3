/* SPDX-License-Identifier: MIT */
/* The daemon is killed again and again at work. Durable consumers, and one that is not, go on: each
 * number once and in its order; one is killed as well, and drops what it has had. */
#include "tests/daemon/rig.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define DURABLE   5u
#define EPHEMERAL DURABLE
#define CONSUMERS (DURABLE + 1)

static unsigned kills;

static const char *const names[CONSUMERS] = {"one", "two", "three", "four", "five", NULL};

static struct behaviour behaviour_of(unsigned index, const struct load *load)
{
    return (struct behaviour){.name = names[index],
                              .dedupes = index == 1,
                              .acks_half = index == 2,
                              .pause_us = index == 3 ? 3000 : 0,
                              .truth = index == 0 ? load->truth : NULL};
}

/* Until the slowest consumer that is not the slow one has got something new. */
static void wait_for_progress(const struct rig *rig, uint64_t than)
{
    while (rig->heard[0].last_seq <= than)
        usleep(500);
}

static void kill_daemon(struct rig *rig, unsigned round)
{
    uint64_t before = rig->heard[0].last_seq;

    wait_for_progress(rig, before + (uint64_t)round % 7 * 10);
    rig_stop(rig, SIGKILL);
    rig_start(rig, NULL);
}

static pid_t kill_consumer(struct rig *rig, pid_t consumer, const struct load *load)
{
    const struct behaviour behaviour = behaviour_of(1, load);
    int status;

    CHECK(kill(consumer, SIGKILL) == 0);
    CHECK(waitpid(consumer, &status, 0) == consumer);
    return rig_consume(rig, 1, &behaviour);
}

static void test(struct rig *rig)
{
    const struct load_options load_opts = {.workers = 1,
                                           .count = LOAD_COUNT_MAX / 1000,
                                           .mix = LOAD_METHODS_ALL,
                                           .program = rig_child(),
                                           .rate = 300};
    pid_t pids[CONSUMERS];
    struct load load = {0};

    rig_start(rig, NULL);
    CHECK_EQUAL(load_init(&load, &load_opts, NULL), 0);
    for (unsigned i = 0; i < CONSUMERS; i++) {
        const struct behaviour behaviour = behaviour_of(i, &load);

        pids[i] = rig_consume(rig, i, &behaviour);
    }
    CHECK_EQUAL(load_start(&load, &load_opts), 0);
    for (unsigned round = 0; round < kills; round++) {
        kill_daemon(rig, round);
        if (round % 10 == 5)
            pids[1] = kill_consumer(rig, pids[1], &load);
    }
    load.truth->stop = 1;
    CHECK_EQUAL(load_wait(&load), 0);
    rig_mark_end();
    for (unsigned i = 0; i < CONSUMERS; i++)
        rig_await(pids[i]);
    for (unsigned i = 0; i < CONSUMERS; i++)
        CHECK_EQUAL(rig->heard[i].lost, 0);
    for (unsigned i = 1; i < DURABLE; i++)
        CHECK_EQUAL(rig->heard[i].sum, rig->heard[0].sum);
    load_end(&load);
    rig_stop(rig, SIGTERM);
}

int main(int argc, char **argv)
{
    kills = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 50;
    return rig_main(test);
}
