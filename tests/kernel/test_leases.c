/* SPDX-License-Identifier: MIT */
/* A durable consumer has one reader; an ephemeral one leaves nothing behind; detach takes all. */
#include "tests/kernel/scenario.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <cmocka.h>

#define HOOK "on_fork"

static char name[ROLLCALL_NAME_MAX];

/* A process that has a consumer open until it is killed. */
static pid_t start_reader(const char *consumer)
{
    const struct rollcall_options opts = {.struct_size = sizeof(opts), .name = consumer};
    struct rollcall *rc;
    int ready[2];
    char byte;
    pid_t pid;

    assert_int_equal(pipe(ready), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (rollcall_open(&opts, &rc) < 0 || write(ready[1], "", 1) != 1)
            _exit(1);
        pause();
        _exit(1);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return pid;
}

static void kill_reader(pid_t pid)
{
    kill(pid, SIGKILL);
    assert_int_equal(wait_for(pid), SIGKILL);
}

static int detach(void **state)
{
    (void)state;
    rollcall_detach(name);
    return 0;
}

static bool is_hook(uint32_t id)
{
    struct bpf_prog_info info = {0};
    uint32_t size = sizeof(info);
    int fd = bpf_prog_get_fd_by_id(id);
    bool is =
        fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &size) == 0 && strcmp(info.name, HOOK) == 0;

    if (fd >= 0)
        close(fd);
    return is;
}

/* Whether there is a program of ours that is none of those before. */
static bool has_new_hook(uint32_t newest_before)
{
    uint32_t id = newest_before;

    while (bpf_prog_get_next_id(id, &id) == 0)
        if (is_hook(id))
            return true;
    return false;
}

static uint32_t newest_program(void)
{
    uint32_t id = 0;

    while (bpf_prog_get_next_id(id, &id) == 0)
        ;
    return id;
}

/* The kernel frees a program some time after its last user. Others may come and go beside us:
 * only those that stay count. */
static void wait_until_gone(uint32_t newest_before)
{
    int64_t limit = now_ms() + LIMIT_MS;

    while (has_new_hook(newest_before)) {
        assert_true(now_ms() < limit);
        usleep(1000);
    }
}

static int count_name(const char *consumer, void *context)
{
    *(int *)context += strcmp(consumer, name) == 0;
    return 0;
}

static int times_named(void)
{
    int count = 0;

    assert_int_equal(rollcall_names(count_name, &count), 0);
    return count;
}

static void test_second_reader_is_refused(void **state)
{
    const struct rollcall_options opts = {.struct_size = sizeof(opts), .name = name};
    struct rollcall *rc = NULL;
    pid_t reader = start_reader(name);
    char pid[16];

    (void)state;
    snprintf(pid, sizeof(pid), "%d", reader);
    assert_int_equal(rollcall_open(&opts, &rc), -EBUSY);
    assert_non_null(strstr(rollcall_error(), pid));
    assert_int_equal(rollcall_detach(name), -EBUSY);
    assert_non_null(strstr(rollcall_error(), pid));
    kill_reader(reader);
    assert_int_equal(rollcall_open(&opts, &rc), 0);
    rollcall_close(rc);
}

static void test_ephemeral_leaves_nothing(void **state)
{
    uint32_t before = newest_program();
    pid_t reader = start_reader(NULL);

    (void)state;
    assert_true(has_new_hook(before));
    kill_reader(reader);
    wait_until_gone(before);
}

static void test_detach_takes_all(void **state)
{
    uint32_t before = newest_program();
    struct rollcall_stats stats;
    pid_t reader = start_reader(name);

    (void)state;
    kill_reader(reader);
    assert_true(has_new_hook(before));
    assert_int_equal(times_named(), 1);
    assert_int_equal(rollcall_inspect(name, &stats, sizeof(stats)), 0);
    assert_int_equal(stats.reader_pid, 0);
    assert_int_equal(rollcall_detach(name), 0);
    assert_int_equal(times_named(), 0);
    assert_int_equal(rollcall_inspect(name, &stats, sizeof(stats)), -ENOENT);
    assert_int_equal(rollcall_detach(name), -ENOENT);
    wait_until_gone(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_second_reader_is_refused, detach),
        cmocka_unit_test(test_ephemeral_leaves_nothing),
        cmocka_unit_test_teardown(test_detach_takes_all, detach),
    };

    rollcall_close(open_or_skip(NULL));
    snprintf(name, sizeof(name), "test-leases-%d", getpid());
    return cmocka_run_group_tests(tests, NULL, NULL);
}
