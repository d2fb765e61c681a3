/* SPDX-License-Identifier: MIT */
/* The socket, and the thread that serves all clients. */
#ifndef LINUX_DAEMON_SERVER_H
#define LINUX_DAEMON_SERVER_H

#include "linux/daemon/client.h"

#define SERVER_CLIENTS_MAX 1024u      /* connections */
#define SERVER_ROOT_ONLY   16u        /* of them, which others than root cannot have */
#define SERVER_USER_MAX    64u        /* connections of one user, unless that is root */
#define SERVER_MEMORY_MIN  (1u << 20) /* bytes: so that every record fits */

struct server {
    struct service service;
    struct access access;
    int listener;
    int epoll;
    int signals;
    unsigned count;        /* of clients */
    struct client *closed; /* in this turn */
};

/* Serves until a signal comes. 0 or a negative errno (rollcall_fail). */
int server_run(struct server *server);

#endif
