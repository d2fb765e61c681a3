/* SPDX-License-Identifier: MIT */
/* The socket that clients connect to: systemd's, or one of our own. */
#ifndef LINUX_DAEMON_LISTENER_H
#define LINUX_DAEMON_LISTENER_H

#include "linux/daemon/settings.h"

struct listener {
    int fd;
    const char *path; /* of a socket that we have made; NULL: systemd has */
};

/* 0 or a negative errno (rollcall_fail): -EADDRINUSE another daemon listens there. */
int listener_open(struct listener *listener, const struct settings *settings);

/* Who may connect by these settings: sets it on the socket's file, if that is ours. 0 or -errno. */
int listener_set_mode(const struct listener *listener, const struct settings *settings);

/* Removes what it has made. */
void listener_close(struct listener *listener);

#endif
