/* SPDX-License-Identifier: MIT */
/* The daemon takes the socket that systemd has made, if it is one of the right kind, and leaves it. */
#include "tests/daemon/rig.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define GIVEN 3 /* the descriptor */

static int make_socket(const struct rig *rig, int type)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, type, 0);

    CHECK(fd >= 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", rig->socket);
    unlink(rig->socket);
    CHECK(bind(fd, (const void *)&address, sizeof(address)) == 0);
    CHECK(listen(fd, 5) == 0);
    return fd;
}

/* As systemd starts it. */
static pid_t start(struct rig *rig, int fd)
{
    char own[16];
    pid_t pid = fork();

    CHECK(pid >= 0);
    if (pid == 0) {
        snprintf(own, sizeof(own), "%d", (int)getpid());
        if (dup2(fd, GIVEN) < 0 || setenv("LISTEN_FDS", "1", 1) < 0 ||
            setenv("LISTEN_PID", own, 1) < 0)
            _exit(126);
        rig_exec(rig, NULL);
    }
    rig->daemon = pid;
    return pid;
}

static void test(struct rig *rig)
{
    struct rollcall_options opts = rig_options(rig, NULL);
    struct rollcall *rc;
    int wrong = make_socket(rig, SOCK_STREAM);
    int status;
    int fd;

    CHECK(waitpid(start(rig, wrong), &status, 0) > 0);
    rig->daemon = 0;
    CHECK_EQUAL(WEXITSTATUS(status), 1);
    close(wrong);

    /* Who connects before the daemon is there waits for it. */
    fd = make_socket(rig, SOCK_SEQPACKET);
    start(rig, fd);
    CHECK_EQUAL(rollcall_open(&opts, &rc), 0);
    rollcall_close(rc);
    rig_stop(rig, SIGTERM);
    CHECK(access(rig->socket, F_OK) == 0);
    close(fd);
}

int main(void)
{
    return rig_main(test);
}
