/* SPDX-License-Identifier: MIT */
/* The settings are read again under load: rules, memory and retention change, and no consumer misses an
 * event. Who has lost a right is sent away, and who has got one is let in. */
#include "tests/daemon/rig.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define BEFORE 54351u /* may read all until the last round */
#define AFTER  54352u /* may then */
#define ROUNDS 20u

static char config[128];

static void write_config(uint32_t user, unsigned memory_mib, unsigned keep_hours)
{
    FILE *file = fopen(config, "w");

    CHECK(file);
    fprintf(file, "[daemon]\nmemory = %uM\nkeep-age = %uh\n[read-all]\nusers = %u\n", memory_mib,
            keep_hours, user);
    CHECK(fclose(file) == 0);
}

static int ignore(const struct rollcall_consumer_report *consumer, void *context)
{
    (void)consumer;
    (void)context;
    return 0;
}

static struct rollcall_daemon_report report(const struct rig *rig)
{
    struct rollcall_options opts = rig_options(rig, NULL);
    struct rollcall_daemon_report now;

    CHECK_EQUAL(rollcall_report(&opts, &now, sizeof(now), ignore, NULL), 0);
    return now;
}

static void reload(const struct rig *rig, uint32_t user, unsigned round)
{
    struct rollcall_daemon_report now;
    unsigned hours = 10 + round;

    write_config(user, 1 + round % 3, hours);
    CHECK(kill(rig->daemon, SIGHUP) == 0);
    while ((now = report(rig)).keep_seconds != (uint64_t)hours * 3600)
        usleep(1000);
    CHECK_EQUAL(now.memory_size, (1 + round % 3) << 20);
}

static void become(uint32_t uid)
{
    CHECK(setgroups(0, NULL) == 0 && setgid(uid) == 0 && setuid(uid) == 0);
}

/* Reads until it is told that it may no longer; numbers have no hole up to there. */
static void read_until_refused(struct rig *rig)
{
    struct rollcall_options opts = rig_options(rig, NULL);
    struct rollcall_batch batch;
    struct rollcall *rc;
    uint64_t last = 0;
    int n;

    CHECK_EQUAL(rollcall_open(&opts, &rc), 0);
    rig->heard[2].opened = true;
    while ((n = rollcall_next(rc, -1, &batch)) >= 0) {
        if (last)
            CHECK_EQUAL(batch.first_seq, last + 1);
        last = batch.last_seq;
        rig->heard[2].last_seq = last;
        CHECK_EQUAL(rollcall_ack(rc, last), 0);
    }
    CHECK_EQUAL(n, -EPERM);
    rollcall_close(rc);
}

static pid_t start_reader(struct rig *rig)
{
    pid_t pid = fork();

    CHECK(pid >= 0);
    if (pid == 0) {
        become(BEFORE);
        read_until_refused(rig);
        _exit(0);
    }
    while (!rig->heard[2].opened)
        usleep(500);
    return pid;
}

static void may_open(struct rig *rig, uint32_t uid, int expected)
{
    pid_t pid = fork();

    CHECK(pid >= 0);
    if (pid == 0) {
        struct rollcall_options opts = rig_options(rig, NULL);
        struct rollcall *rc = NULL;

        become(uid);
        CHECK_EQUAL(rollcall_open(&opts, &rc), expected);
        _exit(0);
    }
    rig_await(pid);
}

static void wait_for_progress(const struct rig *rig, unsigned index)
{
    uint64_t before = rig->heard[index].last_seq;

    while (rig->heard[index].last_seq <= before)
        usleep(500);
}

static void test(struct rig *rig)
{
    const char *const with_config[] = {"--config", config, NULL};
    const struct load_options load_opts = {.workers = 1,
                                           .count = LOAD_COUNT_MAX / 1000,
                                           .mix = LOAD_METHODS_ALL,
                                           .program = rig_child(),
                                           .rate = 300};
    struct behaviour durable = {.name = "durable"};
    const struct behaviour ephemeral = {.name = NULL};
    struct load load = {0};
    pid_t pids[3];

    snprintf(config, sizeof(config), "%s/config", rig->directory);
    write_config(BEFORE, 1, 1);
    rig_start(rig, with_config);
    may_open(rig, AFTER, -EPERM);
    CHECK_EQUAL(load_init(&load, &load_opts, NULL), 0);
    durable.truth = load.truth;
    pids[0] = rig_consume(rig, 0, &durable);
    pids[1] = rig_consume(rig, 1, &ephemeral);
    pids[2] = start_reader(rig);
    CHECK_EQUAL(load_start(&load, &load_opts), 0);
    for (unsigned round = 0; round < ROUNDS; round++) {
        reload(rig, BEFORE, round);
        wait_for_progress(rig, round % 3);
    }
    reload(rig, AFTER, ROUNDS);
    rig_await(pids[2]);
    may_open(rig, BEFORE, -EPERM);
    may_open(rig, AFTER, 0);
    load.truth->stop = 1;
    CHECK_EQUAL(load_wait(&load), 0);
    rig_mark_end();
    rig_await(pids[0]);
    rig_await(pids[1]);
    CHECK_EQUAL(rig->heard[0].lost + rig->heard[1].lost, 0);
    load_end(&load);
    rig_stop(rig, SIGTERM);
}

int main(void)
{
    return rig_main(test);
}
