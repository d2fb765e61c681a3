/* SPDX-License-Identifier: MIT */
/*
 * Consumers without a name that begin in the middle of a fork storm, with the processes that are there
 * already: each process that is alive is told of once, as one that was there or as one that is
 * created, and none ends that was not told of. Who may see only its own is told of these.
 */
#include "linux/link.h"
#include "tests/daemon/rig.h"
#include "tests/load/alive.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS   4
#define KEPT      50
#define COUNT_MAX 4000000u
#define OWN       54326u

struct hearing {
    struct rollcall *rc;
    struct check *check;
    uint64_t synced_ns; /* when it was; 0: not yet */
    unsigned exists;
};

static void open_existing(const struct rig *rig, struct hearing *hearing)
{
    struct rollcall_options opts = rig_options(rig, NULL);
    struct rollcall_stats stats;

    memset(hearing, 0, sizeof(*hearing));
    opts.flags |= ROLLCALL_EXISTING;
    if (rollcall_open(&opts, &hearing->rc) < 0)
        rig_fail(__FILE__, __LINE__, "%s", rollcall_error());
    CHECK_EQUAL(rollcall_stats(hearing->rc, &stats, sizeof(stats)), 0);
    hearing->check = check_new(0);
    check_from(hearing->check, stats.delivered_seq + 1);
}

/* Returns whether the exit of `last` was among them. */
static bool hear(struct hearing *hearing, pid_t last)
{
    const struct rollcall_event *event = NULL;
    struct rollcall_batch batch;
    bool ended = false;
    int n = rollcall_next(hearing->rc, 1000, &batch);

    if (n < 0)
        rig_fail(__FILE__, __LINE__, "%s", rollcall_error());
    while (n > 0 && (event = rollcall_batch_next(&batch, event))) {
        check_event(hearing->check, batch.epoch, event);
        hearing->exists += event->type == ROLLCALL_EXISTS;
        if (event->type == ROLLCALL_SYNCED)
            hearing->synced_ns = event->mono_ns;
        ended |= event->type == ROLLCALL_EXIT && event->pid == (uint32_t)last;
    }
    if (n > 0)
        CHECK_EQUAL(rollcall_ack(hearing->rc, batch.last_seq), 0);
    return ended;
}

static void close_hearing(struct hearing *hearing)
{
    if (check_finish(hearing->check, NULL) > 0) {
        check_print(hearing->check, stderr);
        rig_fail(__FILE__, __LINE__, "the events differ");
    }
    rollcall_close(hearing->rc);
    check_free(hearing->check);
}

/* ---- who sees all ---- */

static pid_t make_marker(void)
{
    pid_t pid = fork();

    CHECK(pid >= 0);
    if (pid == 0)
        _exit(0);
    CHECK(waitpid(pid, NULL, 0) == pid);
    return pid;
}

static void run_round(const struct rig *rig, struct alive *alive)
{
    struct hearing hearing;
    unsigned compared;
    pid_t marker;
    size_t count;

    open_existing(rig, &hearing);
    while (!hearing.synced_ns)
        hear(&hearing, 0);
    count = alive_list(alive);
    marker = make_marker();
    while (!hear(&hearing, marker))
        continue;
    compared = alive_compare(alive, count, hearing.check, hearing.synced_ns);
    CHECK(compared >= WORKERS * KEPT);
    CHECK(hearing.exists >= WORKERS * KEPT);
    close_hearing(&hearing);
}

static void storm(const struct rig *rig, int rounds)
{
    const struct load_options opts = {.workers = WORKERS,
                                      .count = COUNT_MAX,
                                      .mix = LOAD_METHODS_ALL,
                                      .program = rig_child(),
                                      .keep = KEPT};
    struct alive *alive = calloc(ALIVE_MAX, sizeof(*alive));
    struct load load = {0};

    CHECK(alive && load_init(&load, &opts, NULL) == 0 && load_start(&load, &opts) == 0);
    while (truth_made(load.truth) < 2 * WORKERS * KEPT)
        usleep(1000);
    for (int i = 0; i < rounds; i++)
        run_round(rig, alive);
    load_end(&load);
    free(alive);
}

/* ---- who sees only its own ---- */

static void see_own(const struct rig *rig)
{
    const struct life *lives;
    struct hearing hearing;
    pid_t sleeper;
    size_t count;

    CHECK(setgid(OWN) == 0 && setuid(OWN) == 0);
    sleeper = fork();
    CHECK(sleeper >= 0);
    if (sleeper == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        pause();
    }
    /* Until its creation is stored. */
    for (;;) {
        open_existing(rig, &hearing);
        while (!hearing.synced_ns)
            hear(&hearing, 0);
        if (hearing.exists > 0)
            break;
        close_hearing(&hearing);
        usleep(10000);
    }
    /* This process was root's when an event told of it. */
    lives = check_lives(hearing.check, &count);
    CHECK_EQUAL(count, 1);
    CHECK_EQUAL(lives[0].pid, sleeper);
    CHECK(kill(sleeper, SIGTERM) == 0 && waitpid(sleeper, NULL, 0) == sleeper);
    while (!hear(&hearing, sleeper))
        continue;
    close_hearing(&hearing);
}

static void own(const struct rig *rig)
{
    pid_t pid = fork();

    CHECK(pid >= 0);
    if (pid == 0) {
        see_own(rig);
        _exit(0);
    }
    rig_await(pid);
}

/* ---- what is refused ---- */

static int ask(int fd, uint32_t code, void *request, size_t size)
{
    static unsigned char answer[sizeof(struct rollcall_reply) + ROLLCALL_REPLY_MAX];

    return link_ask(fd, code, 0, request, size, answer, sizeof(answer));
}

static void refusals(const struct rig *rig)
{
    struct rollcall_attach attach = {.name_size = 0};
    struct rollcall_attach named = {.name_size = 4, .name = "kept"};
    struct rollcall_request existing;
    struct rollcall_fetch drain = {.acked_seq = 0};
    int fd = link_connect(rig->socket);
    int second = link_connect(rig->socket);

    CHECK(fd >= 0 && second >= 0);
    CHECK_EQUAL(-ask(fd, ROLLCALL_CODE_EXISTING, &existing, sizeof(existing)), ENOTCONN);
    CHECK(ask(fd, ROLLCALL_CODE_ATTACH, &attach, sizeof(attach)) > 0);
    CHECK_EQUAL(-ask(fd, ROLLCALL_CODE_EXISTING, &named, sizeof(named)), EINVAL);
    CHECK(ask(fd, ROLLCALL_CODE_EXISTING, &existing, sizeof(existing)) > 0);
    /* Once events are asked for, the place must stay. */
    CHECK(ask(fd, ROLLCALL_CODE_DRAIN, &drain, sizeof(drain)) > 0);
    CHECK_EQUAL(-ask(fd, ROLLCALL_CODE_EXISTING, &existing, sizeof(existing)), EINVAL);
    CHECK(ask(second, ROLLCALL_CODE_ATTACH, &named, sizeof(named)) > 0);
    CHECK_EQUAL(-ask(second, ROLLCALL_CODE_EXISTING, &existing, sizeof(existing)), EINVAL);
    close(fd);
    close(second);
}

static int rounds;

static void test(struct rig *rig)
{
    rig_start_for_own(rig, OWN);
    refusals(rig);
    own(rig);
    storm(rig, rounds);
    rig_stop(rig, SIGTERM);
}

int main(int argc, char **argv)
{
    rounds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 20;
    return rig_main(test);
}
