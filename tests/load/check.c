/* SPDX-License-Identifier: MIT */
#include "tests/load/check.h"

#include <rollcall/rollcall.h>

#include <err.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_SIZE 256
/* How far to look for the created process that an event belongs to, when some are missing. */
#define LOOK_AHEAD 10000u
#define NO_WORKER  UINT32_MAX

struct check {
    struct life *lives;
    size_t count;
    size_t room;
    uint32_t *slots;   /* a hash table of numbers of lives, plus 1 */
    size_t slot_count; /* a power of two */
    uint64_t attached_ns;
    uint64_t epoch;
    uint64_t next_seq;
    uint32_t allowed; /* bits 1 << enum rollcall_reason */
    uint64_t lost;    /* in gaps that are allowed */
    bool synced;
    bool unnumbered; /* events of number 0 may come */
    uint64_t differences;
    char texts[CHECK_TEXTS][TEXT_SIZE];
};

__attribute__((format(printf, 2, 3))) static void differ(struct check *check, const char *format,
                                                         ...)
{
    va_list args;

    if (check->differences < CHECK_TEXTS) {
        va_start(args, format);
        vsnprintf(check->texts[check->differences], TEXT_SIZE, format, args);
        va_end(args);
    }
    check->differences++;
}

/* ---- lives ---- */

static void *resize(void *memory, size_t count, size_t size)
{
    void *resized = reallocarray(memory, count, size);

    if (!resized)
        err(1, "no memory for the check");
    return resized;
}

static size_t hash(uint32_t pid, uint64_t start_ns)
{
    uint64_t mixed = (start_ns ^ ((uint64_t)pid << 40)) * 0x9e3779b97f4a7c15u;

    return (size_t)(mixed >> 24);
}

/* Where the process has its slot, or would have it. */
static uint32_t *slot_of(const struct check *check, uint32_t pid, uint64_t start_ns)
{
    size_t mask = check->slot_count - 1;

    for (size_t i = hash(pid, start_ns) & mask;; i = (i + 1) & mask) {
        uint32_t number = check->slots[i];

        if (number == 0 ||
            (check->lives[number - 1].pid == pid && check->lives[number - 1].start_ns == start_ns))
            return &check->slots[i];
    }
}

static void grow(struct check *check)
{
    check->room *= 2;
    check->slot_count *= 2;
    check->lives = resize(check->lives, check->room, sizeof(*check->lives));
    free(check->slots);
    check->slots = resize(NULL, check->slot_count, sizeof(*check->slots));
    memset(check->slots, 0, check->slot_count * sizeof(*check->slots));
    for (size_t i = 0; i < check->count; i++)
        *slot_of(check, check->lives[i].pid, check->lives[i].start_ns) = (uint32_t)i + 1;
}

__attribute__((returns_nonnull)) static struct life *life_at(const struct check *check,
                                                             size_t index)
{
    return &check->lives[index];
}

static struct life *find(const struct check *check, uint32_t pid, uint64_t start_ns)
{
    uint32_t number = *slot_of(check, pid, start_ns);

    return number ? life_at(check, number - 1) : NULL;
}

static struct life *add(struct check *check, const struct rollcall_event *event)
{
    struct life *life;

    if (check->count == check->room)
        grow(check);
    life = life_at(check, check->count++);
    *slot_of(check, event->pid, event->start_ns) = (uint32_t)check->count;
    *life = (struct life){
        .pid = event->pid,
        .start_ns = event->start_ns,
        .ppid = event->ppid,
        .parent_start_ns = event->parent_start_ns,
    };
    return life;
}

struct check *check_new(uint64_t attached_ns)
{
    struct check *check = resize(NULL, 1, sizeof(*check));

    memset(check, 0, sizeof(*check));
    check->attached_ns = attached_ns;
    check->next_seq = 1;
    check->room = 512;
    check->slot_count = 1024;
    grow(check);
    return check;
}

void check_free(struct check *check)
{
    if (!check)
        return;
    free(check->lives);
    free(check->slots);
    free(check);
}

const struct life *check_lives(const struct check *check, size_t *count)
{
    *count = check->count;
    return check->lives;
}

const struct life *check_find(const struct check *check, uint32_t pid, uint64_t start_ns)
{
    return find(check, pid, start_ns);
}

void check_allow_gaps(struct check *check, enum rollcall_reason reason)
{
    check->allowed |= 1u << reason;
}

uint64_t check_lost(const struct check *check)
{
    return check->lost;
}

/* ---- one event ---- */

static void check_place(struct check *check, uint64_t epoch, const struct rollcall_event *event)
{
    if (check->unnumbered && event->seq == 0)
        return;
    check->unnumbered = false;
    if (event->seq != check->next_seq)
        differ(check, "seq %llu stands where %llu is expected", (unsigned long long)event->seq,
               (unsigned long long)check->next_seq);
    if (check->epoch && check->epoch != epoch)
        differ(check, "seq %llu: epoch %llu follows %llu", (unsigned long long)event->seq,
               (unsigned long long)epoch, (unsigned long long)check->epoch);
    check->next_seq = rollcall_event_last_seq(event) + 1;
    check->epoch = epoch;
}

static void announce(struct check *check, const struct rollcall_event *event, struct life *life)
{
    if (life) {
        differ(check, "seq %llu: pid %u (start %llu) has `%s` after %s",
               (unsigned long long)event->seq, event->pid, (unsigned long long)event->start_ns,
               rollcall_type_name(event->type),
               life->announced ? "it was announced" : "other events");
        return;
    }
    life = add(check, event);
    life->announced = event->type;
    life->creator_pid = event->creator_pid;
    life->creator_tid = event->creator_tid;
    life->late = event->flags & ROLLCALL_LATE;
    life->last_ns = event->type == ROLLCALL_CREATE && !life->late ? event->mono_ns : 0;
    if (event->mono_ns < event->start_ns)
        differ(check, "seq %llu: pid %u is announced before it started",
               (unsigned long long)event->seq, event->pid);
}

static void go_on(struct check *check, const struct rollcall_event *event, struct life *life)
{
    const char *type = rollcall_type_name(event->type);

    if (!life) {
        if (event->start_ns >= check->attached_ns)
            differ(check,
                   "seq %llu: `%s` of pid %u (start %llu), which was not announced: %.16s, child "
                   "of %u",
                   (unsigned long long)event->seq, type, event->pid,
                   (unsigned long long)event->start_ns, event->comm, event->ppid);
        life = add(check, event);
    }
    if (life->exited)
        differ(check, "seq %llu: `%s` of pid %u (start %llu) after its exit",
               (unsigned long long)event->seq, type, event->pid,
               (unsigned long long)event->start_ns);
    if (event->mono_ns < life->last_ns)
        differ(check, "seq %llu: `%s` of pid %u is older than its event before",
               (unsigned long long)event->seq, type, event->pid);
    life->last_ns = event->mono_ns;
    if (event->type == ROLLCALL_EXEC) {
        life->execs++;
    } else {
        life->exited = true;
        life->status = event->status;
    }
}

void check_from(struct check *check, uint64_t next_seq)
{
    check->next_seq = next_seq;
    check->unnumbered = true;
}

static void take_gap(struct check *check, const struct rollcall_event *event)
{
    if (event->reason < ROLLCALL_REASONS && check->allowed >> event->reason & 1)
        check->lost += event->lost;
    else
        differ(check, "seq %llu: a gap of %llu events (%s)", (unsigned long long)event->seq,
               (unsigned long long)event->lost, rollcall_reason_name(event->reason));
}

void check_event(struct check *check, uint64_t epoch, const struct rollcall_event *event)
{
    struct life *life = find(check, event->pid, event->start_ns);

    check_place(check, epoch, event);
    switch (event->type) {
    case ROLLCALL_CREATE:
    case ROLLCALL_EXISTS:
        announce(check, event, life);
        break;
    case ROLLCALL_EXEC:
    case ROLLCALL_EXIT:
        go_on(check, event, life);
        break;
    case ROLLCALL_GAP:
        take_gap(check, event);
        break;
    case ROLLCALL_SYNCED:
        if (check->synced)
            differ(check, "seq %llu: a second `synced`", (unsigned long long)event->seq);
        check->synced = true;
        break;
    default:
        differ(check, "seq %llu: type %u", (unsigned long long)event->seq, event->type);
    }
}

/* ---- the truth ---- */

/* A worker's life, and how many of its records have been found. */
struct found {
    const struct life *life;
    uint32_t records;
};

struct comparison {
    struct check *check;
    const struct truth *truth;
    struct found workers[LOAD_WORKERS_MAX];
    uint32_t *worker_of; /* for each life: the number of the worker it descends from */
};

static void compare_end(struct check *check, const struct life *life, uint32_t execs,
                        uint32_t status)
{
    if (life->execs != execs)
        differ(check, "pid %u (start %llu): %u execs, the truth is %u", life->pid,
               (unsigned long long)life->start_ns, life->execs, execs);
    if (!life->exited)
        differ(check, "pid %u (start %llu): no exit", life->pid,
               (unsigned long long)life->start_ns);
    else if (life->status != status)
        differ(check, "pid %u (start %llu): status 0x%x, the truth is 0x%x", life->pid,
               (unsigned long long)life->start_ns, life->status, status);
}

static void miss(struct comparison *comparison, uint32_t worker, uint32_t record)
{
    const struct truth_worker *w = &comparison->truth->worker[worker];

    differ(comparison->check, "pid %u, the process number %u of worker %u: no create",
           comparison->truth->record[w->first + record].pid, record, worker);
}

/* A worker creates one after the other, so the events have the order of its records. */
static void compare_child(struct comparison *comparison, const struct life *life, uint32_t worker)
{
    const struct truth_worker *w = &comparison->truth->worker[worker];
    const struct truth_record *records = &comparison->truth->record[w->first];
    struct found *found = &comparison->workers[worker];
    uint32_t at = found->records;

    while (at < w->made && records[at].pid != life->pid && at - found->records < LOOK_AHEAD)
        at++;
    if (at >= w->made || records[at].pid != life->pid) {
        differ(comparison->check, "pid %u (start %llu): beyond the truth of worker %u", life->pid,
               (unsigned long long)life->start_ns, worker);
        return;
    }
    for (; found->records < at; found->records++)
        miss(comparison, worker, found->records);
    found->records++;
    if (life->creator_pid != w->pid || life->creator_tid != w->pid)
        differ(comparison->check, "pid %u: creator %u/%u, the truth is %u", life->pid,
               life->creator_pid, life->creator_tid, w->pid);
    compare_end(comparison->check, life, records[at].execs, records[at].status);
}

/* The number of the worker that the life is, or NO_WORKER. */
static uint32_t is_worker(const struct comparison *comparison, const struct life *life)
{
    const struct truth_worker *workers = comparison->truth->worker;

    if (life->ppid != comparison->truth->starter || life->announced != ROLLCALL_CREATE)
        return NO_WORKER;
    for (uint32_t i = 0; i < comparison->truth->workers; i++)
        if (workers[i].pid == life->pid)
            return i;
    return NO_WORKER;
}

static void compare_worker(struct comparison *comparison, const struct life *life, uint32_t worker)
{
    if (comparison->workers[worker].life)
        differ(comparison->check, "worker %u (pid %u): created twice", worker, life->pid);
    comparison->workers[worker].life = life;
    compare_end(comparison->check, life, 0, 0);
}

static uint32_t compare_life(struct comparison *comparison, const struct life *life)
{
    struct check *check = comparison->check;
    const struct life *parent = find(check, life->ppid, life->parent_start_ns);
    uint32_t worker = is_worker(comparison, life);

    if (worker != NO_WORKER) {
        compare_worker(comparison, life, worker);
        return worker;
    }
    worker = parent ? comparison->worker_of[parent - check->lives] : NO_WORKER;
    if (worker == NO_WORKER)
        return NO_WORKER;
    if (parent == comparison->workers[worker].life)
        compare_child(comparison, life, worker);
    else
        differ(check, "pid %u (start %llu): a descendant of worker %u beyond the truth", life->pid,
               (unsigned long long)life->start_ns, worker);
    return worker;
}

static void compare_rest(struct comparison *comparison, uint32_t worker)
{
    const struct truth_worker *w = &comparison->truth->worker[worker];
    struct found *found = &comparison->workers[worker];

    if (!found->life)
        differ(comparison->check, "worker %u (pid %u): no create", worker, w->pid);
    for (; found->records < w->made; found->records++)
        miss(comparison, worker, found->records);
}

static void compare(struct check *check, const struct truth *truth)
{
    struct comparison comparison = {.check = check, .truth = truth};

    comparison.worker_of = resize(NULL, check->count + 1, sizeof(*comparison.worker_of));
    for (size_t i = 0; i < check->count; i++)
        comparison.worker_of[i] = NO_WORKER;
    for (size_t i = 0; i < check->count; i++)
        comparison.worker_of[i] = compare_life(&comparison, &check->lives[i]);
    for (uint32_t i = 0; i < truth->workers; i++)
        compare_rest(&comparison, i);
    free(comparison.worker_of);
}

uint64_t check_finish(struct check *check, const struct truth *truth)
{
    if (truth)
        compare(check, truth);
    return check->differences;
}

const char *check_text(const struct check *check, size_t index)
{
    return index < CHECK_TEXTS && index < check->differences ? check->texts[index] : NULL;
}

void check_print(const struct check *check, FILE *file)
{
    for (size_t i = 0; check_text(check, i); i++)
        fprintf(file, "%s\n", check_text(check, i));
    if (check->differences > CHECK_TEXTS)
        fprintf(file, "and %llu more differences\n",
                (unsigned long long)(check->differences - CHECK_TEXTS));
}
