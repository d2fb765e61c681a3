/* SPDX-License-Identifier: MIT */
/*
 * Who may do what, by what the kernel says of the peer (SO_PEERCRED, SO_PEERGROUPS) at the time when it
 * connected. Nobody may do anything unless a rule says so, but root, who may do all.
 */
#ifndef LINUX_DAEMON_ACCESS_H
#define LINUX_DAEMON_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum right {
    RIGHT_OWN = 1 << 0,     /* read the events of its own user's processes */
    RIGHT_ALL = 1 << 1,     /* read all events */
    RIGHT_DURABLE = 1 << 2, /* have durable consumers; with RIGHT_ALL only */
    RIGHT_ADMIN = 1 << 3    /* other users' durable consumers, and the memory */
};

#define ACCESS_RULES_MAX 64u

struct access_rule {
    bool group; /* id is a group's, else a user's */
    bool any;   /* everyone */
    uint32_t id;
    unsigned rights;
};

struct access {
    struct access_rule rules[ACCESS_RULES_MAX];
    size_t count;
};

/* Adds rules for the users, or groups, in a list separated by spaces or commas; "*": everyone. 0, or
 * -ENOENT for a name that there is not, -E2BIG (rollcall_fail). */
int access_add(struct access *access, bool groups, const char *names, unsigned rights);

/* Who is at the other end. */
struct peer {
    uint32_t pid;
    uint32_t uid;
    unsigned rights; /* enum right */
};

/* 0 or -errno. */
int access_peer(const struct access *access, int socket, struct peer *peer);

#endif
