/* SPDX-License-Identifier: MIT */
/* The socket, and the thread that serves all clients. */
#ifndef LINUX_DAEMON_SERVER_H
#define LINUX_DAEMON_SERVER_H

#include "linux/daemon/client.h"
#include "linux/daemon/log.h"

#define SERVER_CLIENTS_MAX 1024u      /* connections */
#define SERVER_ROOT_ONLY   16u        /* of them, which others than root cannot have */
#define SERVER_USER_MAX    64u        /* connections of one user, unless that is root */
#define SERVER_MEMORY_MIN  (1u << 20) /* bytes: so that every record fits */

/* What else the thread looks after: called when the descriptor is readable. */
struct server_watch {
    int fd;
    void (*ready)(void *context); /* NULL: free */
    void *context;
};

#define SERVER_WATCHES_MAX 4u

struct server {
    struct service service;
    struct access access;
    int listener;
    int epoll;
    int signals;
    unsigned count;        /* of clients */
    struct client *closed; /* in this turn */
    struct server_watch watches[SERVER_WATCHES_MAX];
    struct log_limit refusals;
};

/* Makes what it waits with; access, listener, signals and service are set. 0 or a negative errno
 * (rollcall_fail). */
int server_open(struct server *server);

/* Looks after a descriptor too. 0 or a negative errno (rollcall_fail). */
int server_watch(struct server *server, int fd, void (*ready)(void *context), void *context);

/* Before the descriptor is closed. */
void server_unwatch(struct server *server, int fd);

/* Serves until a signal comes. 0 or a negative errno (rollcall_fail). */
int server_run(struct server *server);

/* No client is left then. */
void server_close(struct server *server);

/* Other rules: they count for who connects, and who has lost a right by them is disconnected. Returns
 * how many that were. */
unsigned server_set_access(struct server *server, const struct access *access);

#endif
