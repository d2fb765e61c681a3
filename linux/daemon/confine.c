/* SPDX-License-Identifier: MIT */
#include "linux/daemon/confine.h"

#include "lib/error.h"

#include <cap-ng.h>
#include <errno.h>
#include <linux/bpf.h>
#include <seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>

/* What strace(1) shows of the daemon at work in all tests, and what the C library may do in its place. */
static const char *const calls[] = {
    /* memory and threads */
    "brk",
    "mmap",
    "munmap",
    "mremap",
    "mprotect",
    "madvise",
    "futex",
    "clone",
    "clone3",
    "rseq",
    "set_robust_list",
    "set_tid_address",
    "sched_yield",
    "sched_getaffinity",
    "membarrier",
    "exit",
    "exit_group",
    "restart_syscall",
    "getrandom",
    "prlimit64",
    "getrlimit",
    "sysinfo",
    "uname",
    /* signals and time */
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "sigaltstack",
    "signalfd4",
    "kill",
    "tgkill",
    "gettid",
    "getpid",
    "getuid",
    "geteuid",
    "getgid",
    "getegid",
    "clock_gettime",
    "clock_nanosleep",
    "nanosleep",
    "gettimeofday",
    "time",
    "timerfd_create",
    "timerfd_settime",
    "timerfd_gettime",
    /* descriptors and waiting */
    "read",
    "write",
    "readv",
    "writev",
    "pread64",
    "pwrite64",
    "close",
    "dup",
    "fcntl",
    "ioctl",
    "poll",
    "ppoll",
    "epoll_create1",
    "epoll_ctl",
    "epoll_wait",
    "epoll_pwait",
    "eventfd2",
    "pipe2",
    /* the journal, the configuration, names of users */
    "open",
    "openat",
    "stat",
    "lstat",
    "fstat",
    "newfstatat",
    "statx",
    "statfs",
    "fstatfs",
    "access",
    "faccessat",
    "faccessat2",
    "lseek",
    "ftruncate",
    "fallocate",
    "fsync",
    "fdatasync",
    "flock",
    "mkdir",
    "mkdirat",
    "unlink",
    "unlinkat",
    "rename",
    "renameat",
    "renameat2",
    "chmod",
    "fchmod",
    "fchmodat",
    "fchown",
    "chown",
    "umask",
    "getdents64",
    "readlink",
    "readlinkat",
    "getcwd",
    "fadvise64",
    /* sockets */
    "socket",
    "bind",
    "listen",
    "connect",
    "accept",
    "accept4",
    "sendto",
    "sendmsg",
    "sendmmsg",
    "sendfile",
    "recvfrom",
    "recvmsg",
    "getsockopt",
    "setsockopt",
    "getsockname",
    "getpeername",
    "shutdown",
};

/* What is done with the maps and programs that are there. */
static const int bpf_commands[] = {BPF_MAP_LOOKUP_ELEM, BPF_MAP_DELETE_ELEM, BPF_MAP_GET_NEXT_KEY,
                                   BPF_OBJ_GET,         BPF_PROG_TEST_RUN,   BPF_OBJ_GET_INFO_BY_FD,
                                   BPF_ITER_CREATE,     BPF_OBJ_PIN};

static int allow_all(scmp_filter_ctx filter)
{
    int err = 0;

    for (size_t i = 0; err == 0 && i < sizeof(calls) / sizeof(calls[0]); i++) {
        int number = seccomp_syscall_resolve_name(calls[i]);

        /* One that this processor's kernel never had. */
        if (number < 0)
            continue;
        err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
    }
    for (size_t i = 0; err == 0 && i < sizeof(bpf_commands) / sizeof(bpf_commands[0]); i++) {
        const struct scmp_arg_cmp command = {
            .arg = 0, .op = SCMP_CMP_EQ, .datum_a = (scmp_datum_t)bpf_commands[i], .datum_b = 0};

        err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(bpf), 1, command);
    }
    return err;
}

static int filter_calls(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    int err = filter ? allow_all(filter) : -ENOMEM;

    if (err == 0)
        err = seccomp_load(filter);
    if (filter)
        seccomp_release(filter);
    return err;
}

/* Who may not set the bounding set has been given it by who started us. */
static int drop_capabilities(void)
{
    capng_select_t what = CAPNG_SELECT_CAPS;

    if (capng_get_caps_process() < 0)
        return -1;
    if (capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP))
        what = CAPNG_SELECT_ALL;
    capng_clear(CAPNG_SELECT_ALL);
    if (capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_BPF) < 0)
        return -1;
    return capng_apply(what);
}

int confine(void)
{
    int err;

    if (drop_capabilities() != 0)
        return rollcall_fail(-EPERM, "cannot give up capabilities and keep CAP_BPF: give rollcalld "
                                     "CAP_BPF, or use `confine = no`");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return rollcall_fail(-errno, "cannot give up privileges: %s", strerror(errno));
    err = filter_calls();
    if (err < 0)
        return rollcall_fail(err, "cannot filter system calls: %s; `confine = no` does without",
                             strerror(-err));
    return 0;
}
