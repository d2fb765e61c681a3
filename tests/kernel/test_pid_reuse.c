/* SPDX-License-Identifier: MIT */
/* One pid again and again, as fast as can be: each process that had it has another start, and
 * a create, an exec and an exit of its own, in the order in which they lived. */
#include "tests/kernel/scenario.h"

#include <err.h>
#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TIMES 1000

static void be_child(int status)
{
    char text[12];

    snprintf(text, sizeof(text), "%d", status);
    execl(LOAD_CHILD, LOAD_CHILD, text, NULL);
    _exit(127);
}

/* false: somebody else has the pid. */
static bool create_with_pid(pid_t pid, int status)
{
    struct clone_args args = {
        .exit_signal = SIGCHLD, .set_tid = (uint64_t)(uintptr_t)&pid, .set_tid_size = 1};
    long got = syscall(SYS_clone3, &args, sizeof(args));

    if (got < 0 && errno == EEXIST)
        return false;
    if (got < 0) {
        printf("skipped: a pid cannot be chosen here: %s\n", strerror(errno));
        exit(SKIPPED);
    }
    if (got == 0)
        be_child(status);
    if (wait_for(pid) != status << 8)
        errx(1, "the child has another status");
    return true;
}

/* Each time one more process with this pid, with another status than the one before. */
static void compare(const struct check *check, pid_t pid, int times)
{
    const struct life *lives;
    uint64_t start_ns = 0;
    size_t count;
    int found = 0;

    lives = check_lives(check, &count);
    for (size_t i = 0; i < count; i++) {
        const struct life *life = &lives[i];

        if (life->pid != (uint32_t)pid || life->ppid != (uint32_t)getpid())
            continue;
        if (life->start_ns <= start_ns)
            errx(1, "life %d: its start is not after the one before", found);
        if (life->announced != ROLLCALL_CREATE || life->execs != 1 || !life->exited ||
            life->status != (uint32_t)(found % 100) << 8)
            errx(1, "life %d: announced %u, %u execs, exited %d, status 0x%x", found,
                 life->announced, life->execs, life->exited, life->status);
        start_ns = life->start_ns;
        found++;
    }
    if (found != times)
        errx(1, "%d lives, not %d", found, times);
}

int main(void)
{
    struct reader reader = {.rc = open_or_skip(NULL)};
    pid_t pid;
    int made = 0;

    /* A pid that was given to somebody a moment ago is not given again soon by itself; its
     * first owner, which executes nothing, is not in the check. */
    pid = make_marker();
    read_until_exit(&reader, pid, getpid());
    rollcall_close(reader.rc);
    reader = (struct reader){.rc = open_or_skip(NULL)};
    reader.check = check_new(attached_ns(reader.rc));
    for (int tries = 0; made < TIMES && tries < 10 * TIMES; tries++) {
        made += create_with_pid(pid, made % 100);
        read_some(&reader, 0);
    }
    read_until_exit(&reader, make_marker(), getpid());
    compare(reader.check, pid, made);
    printf("capture since %llu ns; ", (unsigned long long)attached_ns(reader.rc));
    fflush(stdout);
    finish_check(reader.check, NULL);
    printf("%d processes with the pid %d\n", made, pid);
    rollcall_close(reader.rc);
    check_free(reader.check);
    return made == TIMES ? 0 : 1;
}
