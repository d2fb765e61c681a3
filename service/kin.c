/* SPDX-License-Identifier: MIT */
#include "service/kin.h"

#include "events/processes.h"

#include <stdlib.h>
#include <string.h>

#define ENDED_MAX 16384u

struct identity {
    uint64_t start_ns;
    uint64_t pid;
};

struct member {
    struct identity id;
    UT_hash_handle hh; /* in `live`, by pid, or in `ended`, by identity */
};

struct kin {
    const struct kin_roots *roots;
    struct member *live;
    struct member *ended; /* in the order in which they ended */
};

void kin_roots_add(struct kin_roots *roots, const struct kin_root *root)
{
    if (roots->count == KIN_ROOTS_MAX) {
        memmove(roots->all, roots->all + 1, (KIN_ROOTS_MAX - 1) * sizeof(*root));
        roots->count--;
    }
    roots->all[roots->count++] = *root;
}

struct kin *kin_new(const struct kin_roots *roots)
{
    struct kin *kin = calloc(1, sizeof(*kin));

    if (kin)
        kin->roots = roots;
    return kin;
}

static void drop_ended(struct kin *kin, struct member *member)
{
    /* With its last entry uthash frees the table, which the analyzer misses. */
    HASH_DEL(kin->ended, member); /* NOLINT(clang-analyzer-unix.Malloc) */
    free(member);
}

void kin_free(struct kin *kin)
{
    struct member *next;

    if (!kin)
        return;
    for (struct member *member = kin->live; member; member = next) {
        next = member->hh.next;
        HASH_DEL(kin->live, member); /* NOLINT(clang-analyzer-unix.Malloc) */
        free(member);
    }
    while (kin->ended)
        drop_ended(kin, kin->ended);
    free(kin);
}

/* ---- who is known ---- */

static bool is_root(const struct kin *kin, uint64_t pid, uint64_t start_ns)
{
    for (size_t i = 0; i < kin->roots->count; i++) {
        const struct kin_root *root = &kin->roots->all[i];

        if (root->pid_ns == 0 && root->pid == pid && start_ns - root->start_ns < root->span_ns)
            return true;
    }
    return false;
}

/* A root whose pid is that of a namespace is known when an event of itself is read: it is a member
 * like any other from then on. */
static bool is_inner_root(const struct kin *kin, const struct rollcall_event *event)
{
    for (size_t i = 0; i < kin->roots->count; i++) {
        const struct kin_root *root = &kin->roots->all[i];

        if (root->pid_ns && processes_is(event, root->pid, root->pid_ns) &&
            event->start_ns - root->start_ns < root->span_ns)
            return true;
    }
    return false;
}

static struct member *find_live(const struct kin *kin, uint64_t pid)
{
    struct member *member;

    HASH_FIND(hh, kin->live, &pid, sizeof(pid), member);
    return member;
}

static bool is_member(const struct kin *kin, uint64_t pid, uint64_t start_ns)
{
    const struct identity id = {.start_ns = start_ns, .pid = pid};
    const struct member *member = find_live(kin, pid);

    if (member && member->id.start_ns == start_ns)
        return true;
    /* The analyzer does not see that all bytes of the key are set. */
    HASH_FIND(hh, kin->ended, &id, sizeof(id), /* NOLINT(clang-analyzer-core.*) */
              member);
    return member || is_root(kin, pid, start_ns);
}

static bool comes_from_member(const struct kin *kin, const struct rollcall_event *event)
{
    if (event->present & ROLLCALL_HAS_PARENT &&
        (event->parent_start_ns ? is_member(kin, event->ppid, event->parent_start_ns)
                                : find_live(kin, event->ppid) != NULL))
        return true;
    /* Of a creator only the pid is told: it lives, so the one that lives is meant. */
    return event->type == ROLLCALL_CREATE && event->present & ROLLCALL_HAS_CREATOR &&
           find_live(kin, event->creator_pid);
}

/* ---- who comes and goes ---- */

static void end(struct kin *kin, struct member *member)
{
    HASH_DEL(kin->live, member); /* NOLINT(clang-analyzer-unix.Malloc) */
    HASH_ADD(hh, kin->ended, id, sizeof(member->id), member);
    if (!member->hh.tbl)
        free(member);
    else if (HASH_COUNT(kin->ended) > ENDED_MAX)
        drop_ended(kin, kin->ended);
}

static void add(struct kin *kin, const struct rollcall_event *event)
{
    struct member *member = calloc(1, sizeof(*member));

    if (!member)
        return;
    member->id = (struct identity){.start_ns = event->start_ns, .pid = event->pid};
    HASH_ADD(hh, kin->live, id.pid, sizeof(member->id.pid), member);
    if (!member->hh.tbl)
        free(member);
}

bool kin_is(struct kin *kin, const struct rollcall_event *event)
{
    struct member *live;
    bool is;

    if (event->type == ROLLCALL_GAP || event->type == ROLLCALL_SYNCED)
        return false;
    live = find_live(kin, event->pid);
    /* Whose end was lost, as another has the pid now. */
    if (live && live->id.start_ns != event->start_ns) {
        end(kin, live);
        live = NULL;
    }
    is = is_member(kin, event->pid, event->start_ns);
    if (!is && (comes_from_member(kin, event) || is_inner_root(kin, event))) {
        add(kin, event);
        is = true;
        live = find_live(kin, event->pid);
    }
    if (live && event->type == ROLLCALL_EXIT)
        end(kin, live);
    return is;
}
