/* SPDX-License-Identifier: MIT */
/* All that the daemon is made of. What is not said otherwise belongs to the thread of the clients. */
#ifndef LINUX_DAEMON_DAEMON_H
#define LINUX_DAEMON_DAEMON_H

#include "linux/daemon/listener.h"
#include "linux/daemon/metrics.h"
#include "linux/daemon/server.h"
#include "linux/daemon/source.h"

struct daemon {
    int argc;
    char **argv; /* read again for a reload */
    struct settings settings;
    struct listener listener;
    struct host host;
    struct places places;
    struct measures measures;
    struct source source;
    struct server server;
    struct metrics *metrics; /* NULL: nobody may ask for them */
    int reload_fd;           /* SIGHUP */
    int timer_fd;            /* what is due from time to time */
    uint64_t seen_turns;     /* of the source's thread, at that time */
};

#endif
