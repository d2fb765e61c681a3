/* SPDX-License-Identifier: MIT */
#include "linux/daemon/access.h"

#include "lib/error.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define GROUPS_MAX 65536u /* that a process can have: NGROUPS_MAX */

/* ---- rules ---- */

static bool number(const char *text, uint32_t *id)
{
    unsigned long value;
    char *end;

    errno = 0;
    value = strtoul(text, &end, 10);
    if (errno || *text < '0' || *text > '9' || *end || value >= UINT32_MAX)
        return false;
    *id = (uint32_t)value;
    return true;
}

static bool find_id(bool group, const char *name, uint32_t *id)
{
    const struct group *gr = group ? getgrnam(name) : NULL;
    const struct passwd *pw = group ? NULL : getpwnam(name);

    if (!gr && !pw)
        return number(name, id);
    *id = gr ? gr->gr_gid : pw->pw_uid;
    return true;
}

static int add_one(struct access *access, bool group, const char *name, unsigned rights)
{
    struct access_rule rule = {.group = group, .any = strcmp(name, "*") == 0, .rights = rights};

    if (!rule.any && !find_id(group, name, &rule.id))
        return rollcall_fail(-ENOENT, "there is no %s '%s'", group ? "group" : "user", name);
    if (access->count == ACCESS_RULES_MAX)
        return rollcall_fail(-E2BIG, "more than %u users and groups: put the users into a group",
                             ACCESS_RULES_MAX);
    access->rules[access->count++] = rule;
    return 0;
}

int access_add(struct access *access, bool groups, const char *names, unsigned rights)
{
    char *copy = strdup(names);
    char *rest = copy;
    char *name;
    int err = copy ? 0 : rollcall_fail(-ENOMEM, "out of memory");

    while (err == 0 && (name = strsep(&rest, " ,\t")))
        if (*name)
            err = add_one(access, groups, name, rights);
    free(copy);
    return err;
}

/* ---- peers ---- */

struct groups {
    gid_t *ids;
    size_t count;
};

static int get_groups(int socket, struct groups *groups)
{
    socklen_t size = GROUPS_MAX * sizeof(*groups->ids);

    groups->ids = malloc(size);
    if (!groups->ids)
        return -ENOMEM;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups->ids, &size) < 0)
        return -errno;
    groups->count = size / sizeof(*groups->ids);
    return 0;
}

static bool applies(const struct access_rule *rule, const struct ucred *peer,
                    const struct groups *groups)
{
    if (rule->any)
        return true;
    if (!rule->group)
        return rule->id == peer->uid;
    for (size_t i = 0; i < groups->count; i++)
        if (groups->ids[i] == rule->id)
            return true;
    return rule->id == peer->gid;
}

int access_peer(const struct access *access, int socket, struct peer *peer)
{
    struct ucred ucred = {0};
    socklen_t size = sizeof(ucred);
    struct groups groups = {0};
    int err;

    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &ucred, &size) < 0)
        return -errno;
    err = get_groups(socket, &groups);
    peer->pid = (uint32_t)ucred.pid;
    peer->uid = ucred.uid;
    peer->rights = ucred.uid == 0 ? RIGHT_OWN | RIGHT_ALL | RIGHT_DURABLE | RIGHT_ADMIN : 0;
    for (size_t i = 0; i < access->count; i++)
        if (applies(&access->rules[i], &ucred, &groups))
            peer->rights |= access->rules[i].rights;
    if (!(peer->rights & RIGHT_ALL))
        peer->rights &= RIGHT_OWN;
    free(groups.ids);
    return err;
}
