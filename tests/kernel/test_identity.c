/* SPDX-License-Identifier: MIT */
/* Who a process is: namespace, user, session, terminal, control group, kernel thread. */
#include "tests/kernel/scenario.h"
#include "tests/kernel/witness.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define USER  54321u
#define GROUP 54322u

/* ---- pid namespace ---- */

static pid_t create_in_namespace(void)
{
    struct clone_args args = {.flags = CLONE_NEWPID, .exit_signal = SIGCHLD};
    pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    wait_until_ready(1);
    _exit(0);
}

static void test_pid_namespace(void **state)
{
    pid_t pid = create_in_namespace();
    const struct rollcall_event *event;
    struct stat st;
    char path[64];

    (void)state;
    snprintf(path, sizeof(path), "/proc/%d/ns/pid", pid);
    assert_int_equal(stat(path, &st), 0);
    shared->ready = 1;
    assert_int_equal(wait_for(pid), 0);
    witness_look();
    event = witness_life(pid, 0);
    for (int i = 0; i < 2; i++) {
        assert_true(event->present & ROLLCALL_HAS_PID_NS);
        assert_int_equal(event->ns_pid, 1);
        assert_int_equal(event->pid_ns, st.st_ino);
        event = witness_event(ROLLCALL_CREATE, pid, 0);
    }
}

static void test_own_pid_namespace(void **state)
{
    pid_t pid = make_marker();
    const struct rollcall_event *event;
    struct stat st;

    (void)state;
    assert_int_equal(stat("/proc/self/ns/pid", &st), 0);
    witness_look();
    event = witness_life(pid, 0);
    assert_int_equal(event->ns_pid, pid);
    assert_int_equal(event->pid_ns, st.st_ino);
}

/* ---- user ---- */

static void become_user(void)
{
    need(setgid(GROUP) == 0 && setuid(USER) == 0);
}

static void test_user(void **state)
{
    pid_t pid = run_child(become_user, NULL);
    const struct rollcall_event *end;
    const struct rollcall_event *create;

    (void)state;
    witness_look();
    end = witness_life(pid, 0);
    create = witness_event(ROLLCALL_CREATE, pid, 0);
    assert_true(create->present & end->present & ROLLCALL_HAS_USER);
    assert_int_equal(create->uid, getuid());
    assert_int_equal(create->gid, getgid());
    assert_int_equal(end->uid, USER);
    assert_int_equal(end->gid, GROUP);
}

/* ---- session and terminal ---- */

static void begin_session(void)
{
    need(setsid() == getpid());
}

static void test_session(void **state)
{
    pid_t pid = run_child(begin_session, NULL);
    const struct rollcall_event *end;

    (void)state;
    witness_look();
    end = witness_life(pid, 0);
    assert_true(end->present & ROLLCALL_HAS_SESSION);
    assert_int_equal(witness_event(ROLLCALL_CREATE, pid, 0)->session, getsid(0));
    assert_int_equal(end->session, pid);
}

/* The number of the controlling terminal as /proc shows it. */
static uint32_t tty_number(void)
{
    char text[256] = "";
    const char *field;
    int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);

    need(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
    close(fd);
    field = strrchr(text, ')');
    for (int i = 0; field && i < 5; i++)
        field = strchr(field + 1, ' ');
    return field ? (uint32_t)strtol(field, NULL, 10) : 0;
}

static void take_terminal(void)
{
    int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

    need(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0);
    need(setsid() > 0);
    /* The first terminal that the leader of a session opens is its own. */
    need(open(ptsname(terminal), O_RDWR | O_CLOEXEC) >= 0);
    shared->number = tty_number();
    need(shared->number != 0);
    make_marker();
}

/* Looks at the child of the process with the terminal, too. */
static void test_terminal(void **state)
{
    pid_t pid = run_child(take_terminal, NULL);
    const struct rollcall_event *end;

    (void)state;
    witness_look();
    end = witness_life(pid, 0);
    assert_true(end->present & ROLLCALL_HAS_TTY);
    assert_int_equal(end->tty, shared->number);
    assert_int_equal(witness_created_by(pid), 1);
}

/* ---- control group ---- */

static char group[512];

/* Where control groups of version 2 are mounted: the longest thing in the path is not known. */
static bool find_groups(char *path, size_t size)
{
    FILE *mounts = fopen("/proc/self/mounts", "re");
    char line[1024];
    bool found = false;

    assert_non_null(mounts);
    while (!found && fgets(line, sizeof(line), mounts)) {
        char *rest = line;
        const char *where;
        const char *type;

        strsep(&rest, " ");
        where = strsep(&rest, " ");
        type = strsep(&rest, " ");
        found = type && strcmp(type, "cgroup2") == 0;
        if (found)
            snprintf(path, size, "%s", where);
    }
    fclose(mounts);
    return found;
}

static void enter_group(void)
{
    char path[600];
    int fd;

    snprintf(path, sizeof(path), "%s/cgroup.procs", group);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    need(fd >= 0 && write(fd, "0", 1) == 1);
    close(fd);
    shared->number = (uint32_t)make_marker();
}

static void test_control_group(void **state)
{
    char mount[256];
    struct stat st;
    pid_t pid;
    pid_t child;

    (void)state;
    if (!find_groups(mount, sizeof(mount))) {
        print_message("not looked at: control groups of version 2 are not mounted\n");
        return;
    }
    snprintf(group, sizeof(group), "%s/rollcall-test-%d", mount, getpid());
    assert_int_equal(mkdir(group, 0755), 0);
    assert_int_equal(stat(group, &st), 0);
    pid = run_child(enter_group, NULL);
    child = (pid_t)shared->number;
    assert_int_equal(rmdir(group), 0);
    witness_look();
    assert_true(witness_life(pid, 0)->present & ROLLCALL_HAS_CGROUP);
    assert_int_equal(witness_event(ROLLCALL_CREATE, child, 0)->cgroup, st.st_ino);
    assert_int_not_equal(witness_event(ROLLCALL_CREATE, pid, 0)->cgroup, st.st_ino);
}

/* ---- those that were there before ---- */

/* The name of a process as /proc shows it. */
static void read_comm(pid_t pid, char *comm, size_t size)
{
    char path[64];
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%d/comm", pid);
    file = fopen(path, "re");
    assert_non_null(file);
    assert_non_null(fgets(comm, (int)size, file));
    comm[strcspn(comm, "\n")] = '\0';
    fclose(file);
}

static void test_kernel_thread(void **state)
{
    const struct rollcall_event *self = witness_event(ROLLCALL_EXISTS, getpid(), 0);
    const struct rollcall_event *kthreadd;
    char comm[32];

    (void)state;
    assert_non_null(self);
    assert_int_equal(self->flags & ROLLCALL_KERNEL_THREAD, 0);
    assert_int_equal(self->ppid, getppid());
    read_comm(getpid(), comm, sizeof(comm));
    assert_string_equal(self->comm, comm);
    /* The process 2 is the parent of all threads of the kernel, outside of containers. */
    kthreadd = witness_event(ROLLCALL_EXISTS, 2, 0);
    if (!kthreadd || strcmp(kthreadd->comm, "kthreadd") != 0) {
        print_message("not looked at: the kernel's threads are not visible here\n");
        return;
    }
    assert_int_equal(kthreadd->flags & ROLLCALL_KERNEL_THREAD, ROLLCALL_KERNEL_THREAD);
    assert_int_equal(witness_count(ROLLCALL_EXISTS, 2), 1);
}

static int open_with_existing(void **state)
{
    struct rollcall_options opts = {.struct_size = sizeof(opts), .flags = ROLLCALL_EXISTING};
    void *options = &opts;
    int error = witness_open(&options);

    (void)state;
    witness_wait_synced();
    return error;
}

int main(void)
{
    /* The first one needs what came at the beginning. */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kernel_thread),
        cmocka_unit_test_setup(test_pid_namespace, witness_begin),
        cmocka_unit_test_setup(test_own_pid_namespace, witness_begin),
        cmocka_unit_test_setup(test_user, witness_begin),
        cmocka_unit_test_setup(test_session, witness_begin),
        cmocka_unit_test_setup(test_terminal, witness_begin),
        cmocka_unit_test_setup(test_control_group, witness_begin),
    };

    return cmocka_run_group_tests(tests, open_with_existing, witness_close);
}
