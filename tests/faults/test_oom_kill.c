/* SPDX-License-Identifier: MIT */
/* The daemon's memory is taken away while it works, so that the kernel kills it; then it is started again,
 * as systemd does. */
#include "tests/faults/fault.h"
#include "tests/faults/group.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB (UINT64_C(1) << 20)

static struct group group;

/* By and by, as a limit that nothing can be given back for is refused. */
static void take_memory_away(const struct rig *rig)
{
    uint64_t end = rig_now_ms() + RIG_LIMIT_S * 1000 / 2;
    uint64_t limit = group_used(&group);
    siginfo_t ended = {0};

    while (waitid(P_PID, (id_t)rig->daemon, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           ended.si_pid == 0) {
        CHECK(rig_now_ms() < end);
        if (group_limit(&group, limit) == 0)
            limit -= limit / 64;
        usleep(1000);
    }
}

/* Until it is told to stop: only who asks for more memory is killed. */
static pid_t begin_load(struct rig *rig, struct load *load)
{
    const struct load_options opts = {.workers = 1,
                                      .count = LOAD_COUNT_MAX / 1000,
                                      .mix = LOAD_METHODS_ALL,
                                      .program = rig_child(),
                                      .rate = 200};
    struct behaviour all = {.name = "all"};

    CHECK_EQUAL(load_init(load, &opts, NULL), 0);
    CHECK_EQUAL(load_start(load, &opts), 0);
    all.truth = load->truth;
    return rig_consume(rig, 0, &all);
}

static void test(struct rig *rig)
{
    static const char *const arguments[] = {"--ring-size", "8M", "--memory", "64M", NULL};
    struct load load = {0};
    pid_t consumer;
    int status;

    group_procs(&group, rig->group);
    fault_start(rig, arguments);
    consumer = begin_load(rig, &load);
    take_memory_away(rig);
    status = rig_await_daemon(rig);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    load.truth->stop = 1;
    CHECK_EQUAL(group_limit(&group, 64 * MIB), 0);
    fault_start(rig, arguments);
    fault_end_without_loss(rig, &load, consumer);
}

int main(void)
{
    int status;

    group_make(&group);
    status = rig_main(test);
    group_remove(&group);
    return status;
}
