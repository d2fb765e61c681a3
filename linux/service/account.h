/* SPDX-License-Identifier: MIT */
/* What a process needs to become another user, looked up before the fork. */
#ifndef LINUX_SERVICE_ACCOUNT_H
#define LINUX_SERVICE_ACCOUNT_H

#include <sys/types.h>

struct account {
    uid_t uid;
    gid_t gid;
    gid_t *groups;
    int count;
    char *variables[4]; /* HOME=, USER=, LOGNAME=, SHELL= */
};
#define ACCOUNT_VARIABLES 4

/* In the new process, between fork and exec. 0 or a negative errno value. */
int account_become(const struct account *account);

#endif
