/* SPDX-License-Identifier: MIT */
#include "cli/child.h"

#include "linux/program/signal_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Signals are handled and ignored only after the fork, and all that we have open is closed by its
 * exec. */
int child_start(struct child *child, char **command, const char **failure)
{
    int report[2];
    int error = 0;
    ssize_t n;
    pid_t pid;

    if (pipe2(report, O_CLOEXEC) < 0)
        return -errno;
    pid = fork();
    if (pid == 0) {
        execvp(command[0], command);
        error = errno;
        if (write(report[1], &error, sizeof(error)) < 0)
            _exit(EXIT_OURS);
        _exit(error == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN);
    }
    close(report[1]);
    if (pid < 0) {
        close(report[0]);
        return -EAGAIN;
    }
    signals_pass_on(pid);
    do
        n = read(report[0], &error, sizeof(error));
    while (n < 0 && errno == EINTR);
    close(report[0]);
    child->pid = (uint32_t)pid;
    child->process = (int)syscall(SYS_pidfd_open, pid, 0);
    *failure = error ? strerror(error) : NULL;
    return 0;
}

bool child_exited(const struct child *child)
{
    siginfo_t info = {0};

    return waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid != 0;
}

int child_wait(const struct child *child, bool exited, struct rollcall *rc, int timeout_ms)
{
    struct pollfd fds[3] = {{.fd = rollcall_fd(rc), .events = POLLIN},
                            {.fd = exited ? -1 : (int)child->process, .events = POLLIN},
                            {.fd = signals_fd(), .events = POLLIN}};

    return poll(fds, 3, timeout_ms) < 0 && errno != EINTR ? -errno : 0;
}

int child_status(struct child *child)
{
    int status;

    if (child->process >= 0)
        close((int)child->process);
    while (waitpid((pid_t)child->pid, &status, 0) < 0)
        if (errno != EINTR)
            return EXIT_OURS;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
