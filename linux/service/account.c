/* SPDX-License-Identifier: MIT */
#include "linux/service/account.h"

#include "lib/error.h"
#include "service/account.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STRINGS_SIZE 16384

static char *variable(const char *name, const char *value)
{
    char *text;

    return asprintf(&text, "%s=%s", name, value) < 0 ? NULL : text;
}

static int find_groups(struct account *account, const char *name)
{
    int count = 0;

    getgrouplist(name, account->gid, NULL, &count);
    account->groups = calloc((size_t)count + 1, sizeof(*account->groups));
    if (!account->groups)
        return -ENOMEM;
    account->count = count;
    return getgrouplist(name, account->gid, account->groups, &account->count) < 0 ? -EAGAIN : 0;
}

static int fill(struct account *account, const struct passwd *user)
{
    account->uid = user->pw_uid;
    account->gid = user->pw_gid;
    account->variables[0] = variable("HOME", user->pw_dir);
    account->variables[1] = variable("USER", user->pw_name);
    account->variables[2] = variable("LOGNAME", user->pw_name);
    account->variables[3] = variable("SHELL", *user->pw_shell ? user->pw_shell : "/bin/sh");
    for (unsigned i = 0; i < ACCOUNT_VARIABLES; i++)
        if (!account->variables[i])
            return -ENOMEM;
    return find_groups(account, user->pw_name);
}

static int find(struct account *account, const char *name)
{
    char strings[STRINGS_SIZE];
    struct passwd entry;
    struct passwd *user = NULL;
    int err;

    if (geteuid() != 0)
        return rollcall_fail(-EPERM, "only root can run it as another user");
    if (getpwnam_r(name, &entry, strings, sizeof(strings), &user) != 0 || !user)
        return rollcall_fail(-ENOENT, "there is no such user");
    err = fill(account, user);
    return err < 0 ? rollcall_fail(err, "cannot get the user's groups: %s", strerror(-err)) : 0;
}

struct account *account_find(const char *name)
{
    struct account *account = calloc(1, sizeof(*account));

    if (!account) {
        rollcall_fail(-ENOMEM, "out of memory");
    } else if (find(account, name) < 0) {
        account_free(account);
        account = NULL;
    }
    return account;
}

void account_free(struct account *account)
{
    if (!account)
        return;
    for (unsigned i = 0; i < ACCOUNT_VARIABLES; i++)
        free(account->variables[i]);
    free(account->groups);
    free(account);
}

int account_become(const struct account *account)
{
    if (setgroups((size_t)account->count, account->groups) < 0 ||
        setresgid(account->gid, account->gid, account->gid) < 0 ||
        setresuid(account->uid, account->uid, account->uid) < 0)
        return -errno;
    return 0;
}
