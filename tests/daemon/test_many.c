/* SPDX-License-Identifier: MIT */
/* A hundred consumers at once: each has every event, whatever the others do. */
#include "tests/daemon/rig.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CONSUMERS 100u

enum { STOPPED, KILLED, NEVER_ACKS, SLOW, DURABLE, CHECKED, ORDINARY };

static uint32_t processes;

static struct behaviour behaviour_of(unsigned index)
{
    struct behaviour behaviour = {0};

    behaviour.never_acks = index == NEVER_ACKS;
    behaviour.pause_us = index == SLOW ? 5000 : 0;
    behaviour.name = index == DURABLE ? "durable" : index == CHECKED ? "checked" : NULL;
    return behaviour;
}

static void wait_for_half(const struct load *load)
{
    while (truth_made(load->truth) < processes / 2)
        usleep(1000);
}

/* The same events with the same contents, from the same number on. */
static void compare(const struct rig *rig)
{
    for (unsigned i = 0; i < CONSUMERS; i++) {
        if (i == KILLED)
            continue;
        CHECK_EQUAL(rig->heard[i].lost, 0);
        CHECK(rig->heard[i].first_seq <= rig->from_seq + 1);
        CHECK_EQUAL(rig->heard[i].sum, rig->heard[CHECKED].sum);
    }
}

static void test(struct rig *rig)
{
    pid_t pids[CONSUMERS];
    struct load load = {0};
    struct rollcall_options opts = rig_options(rig, "durable");
    struct rollcall_stats stats;
    const struct load_options load_opts = {
        .workers = 2, .count = processes, .mix = LOAD_METHODS_ALL, .program = rig_child()};

    alarm(RIG_LIMIT_S * (1 + processes / 10000));
    rig_start(rig, NULL);
    CHECK_EQUAL(load_init(&load, &load_opts, NULL), 0);
    rig->from_seq = UINT64_MAX;
    for (unsigned i = 0; i < CONSUMERS; i++) {
        struct behaviour behaviour = behaviour_of(i);

        behaviour.truth = i == CHECKED ? load.truth : NULL;
        pids[i] = rig_consume(rig, i, &behaviour);
    }
    CHECK_EQUAL(rollcall_inspect_at(&opts, &stats, sizeof(stats)), 0);
    CHECK_EQUAL(stats.reader_pid, pids[DURABLE]);
    /* All have begun by now. None is so far yet, so that all sum up the same. */
    rig->from_seq = rig_newest(rig) + 1000;
    kill(pids[STOPPED], SIGSTOP);
    CHECK_EQUAL(load_start(&load, &load_opts), 0);
    wait_for_half(&load);
    kill(pids[KILLED], SIGKILL);
    CHECK_EQUAL(load_wait(&load), 0);
    rig_mark_end();
    /* The others get to the end while one still stands at the beginning. */
    for (unsigned i = 0; i < CONSUMERS; i++)
        if (i != KILLED && i != STOPPED)
            rig_await(pids[i]);
    CHECK(rig->heard[STOPPED].last_seq <= rig->from_seq);
    kill(pids[STOPPED], SIGCONT);
    rig_await(pids[STOPPED]);
    compare(rig);
    load_end(&load);
    rig_stop(rig, SIGTERM);
}

int main(int argc, char **argv)
{
    processes = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 50000;
    return rig_main(test);
}
