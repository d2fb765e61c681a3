/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The programs in the kernel: each process is announced once, each exec and each exit is
 * reported once, and what cannot be written is counted in the very place where it is missing.
 *
 * Announcing. A process that was announced has an entry in `states`, by (pid, start time).
 * Whoever meets one without (its own fork, the snapshot, any later hook of it) first takes a
 * place in the ring, then tries to make the entry, and only who makes it submits its record; the
 * other gives its place back. A place taken before the entry was made is before every place
 * taken by one who found it, so no record of a process is ahead of its announcement.
 *
 * Ending. The entry goes with the process's exit. While others may still come for it (the
 * snapshot, or another build's programs that take over: control.keep_exited) it stays, marked,
 * and the reader removes it later.
 *
 * Preemption. From Linux 7.0 on a program can be preempted, and the kernel skips another run of
 * the same one on that processor until it goes on. So nothing here is kept per processor: a
 * record is built in the ring or on the stack, text in a scratch area that is claimed and given
 * back. And fork, exec and exit have two programs each, on_X and, after it, again_X: who preempts a process
 * in its on_X has its own on_X skipped, but not again_X, which sees by the entry that nothing was
 * written yet, and writes it. Both are skipped only when one process is preempted in on_X and
 * another one, on the same processor at the same time, in again_X. So an again_X does not ring, as
 * the reader that it woke would preempt it; it leaves that to the on_X in whose midst it runs.
 * When both were skipped, a process without entry is announced by its exec or exit (late); once
 * the reader has noticed that the kernel skips hooks, also when it forks, or by a new snapshot. One
 * with an entry that is freed has exited unseen: at_free writes that (late). And the kernel counts a process's
 * execs: one that the entry does not know of is written by its next exec or exit, or, as above, its next fork (late,
 * without texts). What the kernel skipped, and no second program has written, is counted: see linux/skips.c.
 *
 * Waking. See doorbell() here and linux/doorbell.h.
 */
#include "kernel.h"
#include "layout.h"

#include <bpf/bpf_helpers.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual MIT/GPL";

#define EAGAIN 11
#define EBUSY  16
#define EEXIST 17

#define READ(x) (*(volatile typeof(x) *)&(x))

/* The tests have variants of these programs: see tests/kernel/README.md. */
#ifdef ROLLCALL_TEST_SKIP
#define SKIPS_FORK(child) ((__u32)(child)->pid % ROLLCALL_TEST_SKIP == 0)
#else
#define SKIPS_FORK(child) false
#endif

#ifdef ROLLCALL_TEST_SKIP_EXEC
#define SKIPS_EXEC(task) ((task)->self_exec_id % ROLLCALL_TEST_SKIP_EXEC == 0)
#else
#define SKIPS_EXEC(task) false
#endif

#ifdef ROLLCALL_TEST_SKIP_EXIT
#define SKIPS_EXIT(leader) ((__u32)(leader)->pid % ROLLCALL_TEST_SKIP_EXIT == 0)
#else
#define SKIPS_EXIT(leader) false
#endif

#if defined(ROLLCALL_TEST_SKIP) || defined(ROLLCALL_TEST_SKIP_EXEC)
#define HEAL_LATE 1
#else
#define HEAL_LATE 0
#endif

#if defined(ROLLCALL_TEST_SKIP_EXEC) || defined(ROLLCALL_TEST_SKIP_EXIT)
#define SOME_ARE_SKIPPED true
#else
#define SOME_ARE_SKIPPED MAY_BE_SKIPPED
#endif

#ifdef ROLLCALL_TEST_SKIP_FIRST
static __u64 runs;
#define SKIPS_FIRST()  (__sync_fetch_and_add(&runs, 1) % ROLLCALL_TEST_SKIP_FIRST == 0)
#define MAY_BE_SKIPPED true
#else
#define SKIPS_FIRST()  false
#define MAY_BE_SKIPPED has_group_dead
#endif

struct control control SEC(".data.control") = {.attached_ns = ~0ull, .heal_late = HEAL_LATE};

const volatile __u32 processors = 1;
const volatile bool has_group_dead = true; /* sched_process_exit has this argument */
#ifdef ROLLCALL_TEST_OTHER
const volatile __u32 other_build = 1;
#endif

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, 64 << 20);
} ring SEC(".maps");

/*
 * A hash, although a process could carry its state itself (task storage): that costs twice the
 * time in each fork, and its memory is freed after a grace period of its own kind; a fork that
 * fails frees the storage of its parent (up to Linux 7.1); and an exec by another thread than
 * the leader leaves it behind.
 */
struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, 32768);
    __type(key, struct process);
    __type(value, struct state);
} states SEC(".maps");

#include "promises.h"

/* ---- losses ---- */

static __always_inline void read_losses(struct ring_head *head)
{
    for (int i = 0; i < ROLLCALL_REASONS; i++)
        head->lost[i] = READ(control.lost[i]);
}

/* A refused reservation does not mean that the ring is full: look. One byte stays free. */
static __always_inline void count_loss(__u64 size)
{
    __u64 used = bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA);

    if (denies)
        used += READ(promised);
    if (used + SPACE(size) >= READ(control.ring_size))
        __sync_fetch_and_add(&control.lost[ROLLCALL_LOST_FULL], 1);
    else
        __sync_fetch_and_add(&control.lost[ROLLCALL_LOST_FAILED], 1);
}

/* Texts may use half of the ring; the other half is for events, which are small. So long texts,
 * which cost their author little, push no event out. */
static __always_inline bool is_crowded(void)
{
    return bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) > READ(control.ring_size) / 2;
}

/* The most bytes of a text that is written now. */
static __always_inline __u32 text_room(void)
{
    return is_crowded() ? CROWDED_TEXT : ARGS_LIMIT;
}

/* ---- the doorbell, this side ---- */

/*
 * Called between taking a place in the ring and submitting it. The full barrier stands between
 * "the place is taken" (a store) and "does the reader sleep" (a load); the reader has one
 * between "I sleep" (a store) and "is a place taken" (a load). So one of the two sees the
 * other: the reader does not fall asleep on a record that nobody will wake it for.
 */
static __always_inline __u64 doorbell(bool rings)
{
    __u64 fence = 0;
    __u64 ticket;

    __sync_lock_test_and_set(&fence, 1);
    asm volatile("" : : "r"(&fence) : "memory");
    ticket = READ(control.sleeper);
    if (!ticket || rings)
        return ticket;
    control.ring_due = 1;
    return 0;
}

/* The ticket is taken away after the wake-up, and only if it is still the same: the reader may
 * be asleep again by then. If it is dead, nobody else pays for a wake-up. */
static __always_inline void rung(__u64 ticket)
{
    if (ticket)
        __sync_val_compare_and_swap(&control.sleeper, ticket, 0);
}

static __always_inline void submit(void *record, bool rings)
{
    __u64 ticket = doorbell(rings);

    bpf_ringbuf_submit(record, ticket ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
    rung(ticket);
}

/* At the end of a first program: rings for those who were not to ring themselves. A place that is
 * given back can wake as well as a record. */
static __always_inline void ring_for_others(void)
{
    for (int i = 0; i < 4 && READ(control.ring_due); i++) {
        void *place;

        control.ring_due = 0;
        place = take_place(8, false);
        if (place) {
            __u64 ticket = doorbell(true);

            bpf_ringbuf_discard(place, ticket ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
            rung(ticket);
        }
    }
}

/* ---- the base of a record ---- */

/* Kernels before 6.2 let no number be added to a pointer that they know, so it is read as one
 * that they do not. */
static __always_inline void fill_namespace(struct rollcall_event *event, struct task_struct *task)
{
    struct pid *pid = BPF_CORE_READ(task, thread_pid);
    struct upid *upid;

    if (!pid)
        return;
    upid = (void *)pid + bpf_core_field_offset(struct pid, numbers) +
           (__u64)BPF_CORE_READ(pid, level) * bpf_core_type_size(struct upid);
    event->ns_pid = BPF_CORE_READ(upid, nr);
    event->pid_ns = BPF_CORE_READ(upid, ns, ns.inum);
    event->present |= ROLLCALL_HAS_PID_NS;
}

/* The encoding that the kernel shows in /proc/PID/stat. */
static __always_inline __u32 device_number(struct tty_struct *tty)
{
    __u32 major = tty->driver->major;
    __u32 minor = tty->driver->minor_start + tty->index;

    return (minor & 0xff) | (major << 8) | ((minor & ~0xffu) << 12);
}

static __always_inline void fill_session(struct rollcall_event *event, struct task_struct *task)
{
    struct signal_struct *signal = task->signal;
    struct pid *session = signal->pids[PIDTYPE_SID];
    struct tty_struct *tty = signal->tty;

    if (session) {
        event->session = session->numbers[0].nr;
        event->present |= ROLLCALL_HAS_SESSION;
    }
    if (tty && tty->driver) {
        event->tty = device_number(tty);
        event->present |= ROLLCALL_HAS_TTY;
    }
}

/* task: a group leader. `now` is taken after the place in the ring where that can be, so that time
 * goes with the order of the ring. The record's memory is as it comes from the ring: not zeroed. */
static __always_inline void fill_without_parent(struct rollcall_event *event, __u16 type, __u64 now,
                                                struct task_struct *task)
{
    const struct cred *cred = task->real_cred;

    __builtin_memset(event, 0, sizeof(*event));
    event->type = type;
    event->mono_ns = now;
    event->start_ns = task->start_boottime;
    event->pid = task->tgid;
    if (task->flags & PF_KTHREAD)
        event->flags |= ROLLCALL_KERNEL_THREAD;
    if (cred) {
        event->uid = cred->uid.val;
        event->gid = cred->gid.val;
        event->present |= ROLLCALL_HAS_USER;
    }
    if (task->cgroups) {
        event->cgroup = task->cgroups->dfl_cgrp->kn->id;
        event->present |= ROLLCALL_HAS_CGROUP;
    }
    fill_session(event, task);
    fill_namespace(event, task);
    bpf_probe_read_kernel_str(event->comm, sizeof(event->comm), task->comm);
}

static __always_inline void fill(struct rollcall_event *event, __u16 type, __u64 now,
                                 struct task_struct *task)
{
    struct task_struct *parent = task->real_parent;

    fill_without_parent(event, type, now, task);
    if (!parent)
        return;
    event->ppid = parent->tgid;
    event->parent_start_ns = parent->group_leader->start_boottime;
    event->present |= ROLLCALL_HAS_PARENT;
}

/* ---- announcing ---- */

static __always_inline struct process process_of(struct task_struct *leader)
{
    struct process process = {.pid = leader->tgid, .start_ns = leader->start_boottime};

    return process;
}

static __always_inline bool is_old(struct task_struct *leader)
{
    return leader->start_boottime < READ(control.attached_ns);
}

/* Makes the entry. false: somebody else did. Without memory for it there is no way to know. */
static __always_inline bool win(const struct process *process, struct state state)
{
    /* Before Linux 6.4 only the lower half of what comes back is set. */
    int err = (int)bpf_map_update_elem(&states, process, &state, BPF_NOEXIST);

    if (err && err != -EEXIST) {
        __sync_fetch_and_add(&control.states_failed, 1);
        control.states_failed_ns = bpf_ktime_get_boot_ns();
    }
    return err != -EEXIST;
}

/* ---- what becomes of a process's promises ---- */

static __always_inline struct promise birth_of(struct task_struct *task)
{
    struct promise promise = {.what = PROMISED_BIRTH, .id = (__u64)task};

    return promise;
}

static __always_inline struct promise promise_of(struct task_struct *leader, __u32 what)
{
    struct promise promise = {.pid = leader->tgid, .what = what, .id = leader->start_boottime};

    return promise;
}

/* Whose children are exempt. */
static __always_inline bool is_trusted(struct task_struct *task)
{
    return task->tgid == 1 || task->flags & PF_KTHREAD ||
           (__u32)task->tgid == READ(control.deny.reader.pid);
}

static __always_inline void reader_left(struct task_struct *leader)
{
    if ((__u32)leader->tgid != READ(control.deny.reader.pid) ||
        leader->start_boottime != READ(control.deny.reader.start_ns))
        return;
    control.deny.reader.pid = 0;
    control.deny.reader_gone_ns = bpf_ktime_get_boot_ns();
}

/* It is announced. true: with a promise for that; the one for its exit goes over to it. */
static __always_inline bool born(struct task_struct *leader, struct task_struct *creator)
{
    struct promise birth = birth_of(leader);
    struct promise exit = promise_of(leader, PROMISED_EXIT);
    struct promise nothing = promise_of(leader, PROMISED_NOTHING);
    bool is_promised = take_promise(&birth);
    __u32 noted = 1;

    if (is_promised && (int)bpf_map_update_elem(&promises, &exit, &noted, BPF_NOEXIST))
        give_back(EVENT_SPACE);
    if (creator && is_trusted(creator))
        bpf_map_update_elem(&promises, &nothing, &noted, BPF_NOEXIST);
    return is_promised;
}

/* Its program is replaced. Returns how many bytes are promised for that. */
static __always_inline __u64 becomes(struct task_struct *leader)
{
    struct promise exec = promise_of(leader, PROMISED_EXEC);

    reader_left(leader);
    return take_promise(&exec) ? EXEC_SPACE : 0;
}

/* What no exit has taken. */
static __always_inline void forget(struct task_struct *leader)
{
    struct promise exec = promise_of(leader, PROMISED_EXEC);
    struct promise nothing = promise_of(leader, PROMISED_NOTHING);

    reader_left(leader);
    end_promise(&exec, EXEC_SPACE);
    take_promise(&nothing);
}

/* It exits. true: with a promise for that, which may still be its birth's. */
static __always_inline bool dies(struct task_struct *leader)
{
    struct promise exit = promise_of(leader, PROMISED_EXIT);
    struct promise birth = birth_of(leader);

    forget(leader);
    if (take_promise(&exit))
        return true;
    if (!take_promise(&birth))
        return false;
    give_back(EVENT_SPACE);
    return true;
}

/* What the snapshot makes, and an end: nothing is known of execs. */
static __always_inline struct state unnoted(__u32 exited)
{
    struct state state = {.exited = exited};

    return state;
}

/* Made in a hook of the process itself, so that no exec of it is under way: it would be counted already,
 * and be reported yet. */
static __always_inline struct state noted(struct task_struct *leader)
{
    struct state state = {.knows_execs = 1, .exec_id = leader->self_exec_id};

    return state;
}

/* Announces `leader`, which is its own fork's child (creator is who forked) or was overlooked
 * until now (creator is NULL). */
static __always_inline void announce(struct task_struct *leader, struct task_struct *creator,
                                     bool rings)
{
    struct process process = process_of(leader);
    struct ring_event *record;
    struct ring_head head;
    bool old = !creator && is_old(leader);

    read_losses(&head);
    record = take_place(sizeof(*record), denies && born(leader, creator));
    if (!record) {
        if (win(&process, noted(leader)))
            count_loss(sizeof(*record));
        return;
    }
    if (!win(&process, noted(leader))) {
        bpf_ringbuf_discard(record, BPF_RB_NO_WAKEUP);
        return;
    }
    head.kind = RING_EVENT;
    head.chunks = 0;
    record->head = head;
    fill(&record->event, old ? ROLLCALL_EXISTS : ROLLCALL_CREATE, bpf_ktime_get_boot_ns(), leader);
    if (creator) {
        record->event.creator_pid = creator->tgid;
        record->event.creator_tid = creator->pid;
        record->event.present |= ROLLCALL_HAS_CREATOR;
    } else if (!old) {
        record->event.flags |= ROLLCALL_LATE;
        __sync_fetch_and_add(&control.late, 1);
    }
    submit(record, rings);
}

/* Takes a place for an event without texts, and fills it; NULL: it is lost, and counted. freed: its parent may
 * be gone. */
static __always_inline struct ring_event *begin_short(struct task_struct *leader, __u16 type,
                                                      bool is_promised, bool freed)
{
    struct ring_event *record;
    struct ring_head head;

    read_losses(&head);
    record = take_place(sizeof(*record), is_promised);
    if (!record) {
        count_loss(sizeof(*record));
        return NULL;
    }
    head.kind = RING_EVENT;
    head.chunks = 0;
    record->head = head;
    if (freed)
        fill_without_parent(&record->event, type, bpf_ktime_get_boot_ns(), leader);
    else
        fill(&record->event, type, bpf_ktime_get_boot_ns(), leader);
    return record;
}

/* ---- execs of which both programs were skipped ---- */

/* The kernel has counted up to exec_id. Whether execs up to there were not reported; one of them is now the
 * caller's to report. */
static __always_inline bool claim_missed_exec(struct state *state, __u64 exec_id)
{
    __u64 reported = READ(state->exec_id);

    return SOME_ARE_SKIPPED && READ(state->knows_execs) && reported < exec_id &&
           __sync_val_compare_and_swap(&state->exec_id, reported, exec_id) == reported;
}

/* When it is told: at the next exec, at a fork, at the exit, or when the process is freed. */
enum missed { BEFORE_EXEC, BEFORE_FORK, BEFORE_EXIT, BEFORE_FREE };

/* Without texts: they may not be any more what they were. After a further exec the process has
 * another name, and when it is freed its parent may be gone. A promise that is left may be what a next
 * exec was admitted for, which can be under way; not so at the end. */
static __always_inline void report_missed_exec(struct task_struct *leader, enum missed missed,
                                               bool rings)
{
    struct promise exec = promise_of(leader, PROMISED_EXEC);
    bool is_promised = denies && missed >= BEFORE_EXIT && take_promise(&exec);
    struct ring_event *record;

    if (is_promised)
        give_back(EXEC_SPACE - EVENT_SPACE);
    record = begin_short(leader, ROLLCALL_EXEC, is_promised, missed == BEFORE_FREE);
    if (!record)
        return;
    record->event.flags |= ROLLCALL_LATE;
    if (missed == BEFORE_EXEC)
        __builtin_memset(record->event.comm, 0, sizeof(record->event.comm));
    submit(record, rings);
}

/* ---- fork ---- */

/* Whether there can be a process without announcement: an old one until the snapshot is
 * complete, another one since the kernel was found to skip hooks. */
static __always_inline bool may_be_missing(struct task_struct *leader)
{
    return is_old(leader) ? READ(control.synced_due) : READ(control.heal_late);
}

static __always_inline void heal(struct task_struct *leader, bool rings)
{
    struct process process;
    struct state *state;

    if (!may_be_missing(leader))
        return;
    process = process_of(leader);
    state = bpf_map_lookup_elem(&states, &process);
    if (!state)
        announce(leader, NULL, rings);
    else if (claim_missed_exec(state, leader->self_exec_id))
        report_missed_exec(leader, BEFORE_FORK, rings);
}

/* Of whom it is not known what has been written: when an entry could not be made, nobody who was there by
 * then is asked for one any more. */
static __always_inline bool is_unknown(struct task_struct *leader)
{
    return leader->start_boottime <= READ(control.states_failed_ns);
}

/* Who has no entry in `states` and ought to be announced, whyever it was not: also a process
 * whose fork the kernel hides from us, as some do for what their supervisor starts. */
static __always_inline bool is_overlooked(struct task_struct *leader)
{
    return !is_unknown(leader) && (!is_old(leader) || READ(control.track_old));
}

static __always_inline struct state *entry_of(struct task_struct *leader)
{
    struct process process = process_of(leader);

    return is_unknown(leader) ? NULL : bpf_map_lookup_elem(&states, &process);
}

/* A run for a thread that is no process's first or last one. */
static __always_inline void count_idle(enum turn turn)
{
    __sync_fetch_and_add(&control.idle[turn], 1);
}

/* Not what was skipped for a test: that is none of the skips that the kernel counts. */
static __always_inline void count_again(void)
{
#ifndef ROLLCALL_TEST_SKIP_FIRST
    __sync_fetch_and_add(&control.again, 1);
#endif
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
    if (SKIPS_FORK(child) || SKIPS_FIRST())
        return 0;
    heal(parent->group_leader, true);
    if (child->pid == child->tgid)
        announce(child, parent, true);
    else
        count_idle(FIRST);
    ring_for_others();
    return 0;
}

/* The child does not run yet: without entry, it was not announced. */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(again_fork, struct task_struct *parent, struct task_struct *child)
{
    if (child->pid != child->tgid) {
        count_idle(SECOND);
        return 0;
    }
    if (SKIPS_FORK(child) || is_unknown(child) || entry_of(child))
        return 0;
    heal(parent->group_leader, false);
    count_again();
    announce(child, parent, false);
    return 0;
}

/* ---- exit ---- */

/* What the parent will get from wait(2). */
static __always_inline __u32 wait_status(struct task_struct *leader)
{
    if (leader->signal->flags & SIGNAL_GROUP_EXIT)
        return leader->signal->group_exit_code;
    return leader->exit_code;
}

/* An exec that fails behind the point of no return is counted by the kernel, too, and its process killed.
 * Where the code ends is noted when all is done that can fail. */
static __always_inline bool has_executed(struct task_struct *task, struct task_struct *leader)
{
    return !(wait_status(leader) & 0x7f) || (task->mm && task->mm->end_code);
}

/* task: the last thread, or the leader when it is freed. */
static __always_inline void heal_last_exec(struct task_struct *task, struct task_struct *leader,
                                           struct state *state, enum missed missed, bool rings)
{
    __u64 exec_id = leader->self_exec_id;

    if (!READ(state->exited) &&
        claim_missed_exec(state, has_executed(task, leader) ? exec_id : exec_id - 1))
        report_missed_exec(leader, missed, rings);
}

/*
 * A process ends with its last thread. The kernel says which that is (since Linux 6.16), or else
 * `live` is 0 for the last one always, and for more than one when two end in the same instant.
 */
static __always_inline bool is_last_thread(unsigned long long *context, struct task_struct *task)
{
    if (has_group_dead)
        return (bool)context[1];
    return task->signal->live.counter == 0;
}

/* Threads that are gone have left what they used. Not always time: the kernel adds that up at its
 * ticks, and a thread can be gone before the first. But its stack was new to it. */
static __always_inline bool had_other_threads(const struct signal_struct *signal)
{
    return signal->nr_threads != 1 || signal->sum_sched_runtime || signal->min_flt ||
           signal->maj_flt || signal->nvcsw || signal->nivcsw;
}

/*
 * The end of a process without entry: it was overlooked, or never had one, or, where the kernel
 * does not say which thread is the last, another thread that ended in the same instant has taken
 * it. That one may be gone by now, so what counts is whether there ever was another one.
 */
static __always_inline bool end_without_entry(struct task_struct *task, struct task_struct *leader,
                                              const struct process *process, bool rings)
{
    bool last = has_group_dead || !had_other_threads(task->signal);

    if (is_overlooked(leader)) {
        if (!last)
            return false;
        announce(leader, NULL, rings);
        bpf_map_delete_elem(&states, process);
        return true;
    }
    return last || is_unknown(leader) || win(process, unnoted(1));
}

/* Ends the state of a process; one that was overlooked is announced first. false: another run
 * has reported this exit. */
static __always_inline bool end(struct task_struct *task, struct task_struct *leader, bool rings)
{
    struct process process = process_of(leader);
    struct state *state;

    if (READ(control.keep_exited)) {
        state = bpf_map_lookup_elem(&states, &process);
        if (!state && is_overlooked(leader))
            announce(leader, NULL, rings);
        else if (!state && win(&process, unnoted(1)))
            return true;
        if (!state)
            state = bpf_map_lookup_elem(&states, &process);
        return !state || __sync_lock_test_and_set(&state->exited, 1) == 0;
    }
    return (int)bpf_map_delete_elem(&states, &process) == 0 ||
           end_without_entry(task, leader, &process, rings);
}

/* late: it is being freed, and its parent may be gone. */
static __always_inline void report_exit(struct task_struct *leader, bool late, bool rings)
{
    struct ring_event *record = begin_short(leader, ROLLCALL_EXIT, denies && dies(leader), late);

    if (!record)
        return;
    if (late)
        record->event.flags |= ROLLCALL_LATE;
    record->event.status = wait_status(leader);
    record->event.present |= ROLLCALL_HAS_STATUS;
    if (record->event.status & 0x80)
        record->event.flags |= ROLLCALL_CORE_DUMPED;
    submit(record, rings);
}

SEC("tp_btf/sched_process_exit")
int on_exit(unsigned long long *context)
{
    struct task_struct *task = (void *)context[0];
    struct task_struct *leader;
    struct state *state;

    if (SKIPS_FIRST())
        return 0;
    if (!is_last_thread(context, task)) {
        count_idle(FIRST);
        return 0;
    }
    leader = task->group_leader;
    if (!SKIPS_EXIT(leader)) {
        state = SOME_ARE_SKIPPED ? entry_of(leader) : NULL;
        if (state)
            heal_last_exec(task, leader, state, BEFORE_EXIT, true);
        if (end(task, leader, true))
            report_exit(leader, false, true);
    }
    ring_for_others();
    return 0;
}

/* An exit that was reported has removed the entry, or marked it. A kernel that does not say which
 * thread is the last is too old to skip runs, and a second look at `live` could see the end of
 * another thread before its status. */
SEC("tp_btf/sched_process_exit")
int again_exit(unsigned long long *context)
{
    struct task_struct *task = (void *)context[0];
    struct task_struct *leader;
    struct state *state;

    if (!MAY_BE_SKIPPED)
        return 0;
    if (!is_last_thread(context, task)) {
        count_idle(SECOND);
        return 0;
    }
    leader = task->group_leader;
    state = entry_of(leader);
    if (SKIPS_EXIT(leader) || !state || READ(state->exited))
        return 0;
    heal_last_exec(task, leader, state, BEFORE_EXIT, false);
    if (!end(task, leader, false))
        return 0;
    count_again();
    report_exit(leader, false, false);
    return 0;
}

/* Run from where the kernel frees what nobody can see any more, with nothing on that processor that
 * could preempt it and come here, too. A leader is freed last; one that has changed places with the
 * thread that ran a program is none any more. */
SEC("tp_btf/sched_process_free")
int BPF_PROG(at_free, struct task_struct *task)
{
    struct state *state;

    if (!SOME_ARE_SKIPPED || task->pid != task->tgid)
        return 0;
    state = entry_of(task);
    if (!state || READ(state->exited))
        return 0;
    heal_last_exec(task, task, state, BEFORE_FREE, true);
    if (end(task, task, true))
        report_exit(task, true, true);
    return 0;
}

#include "text.h"

/* ---- exec ---- */

/* Programs of another build that takes over run beside these for a moment. One that was
 * overlooked is announced first; of another one the exec before is told, if it was not. */
static __always_inline bool is_reported(struct task_struct *task, bool rings)
{
    struct process process = process_of(task);
    struct state *state = bpf_map_lookup_elem(&states, &process);
    __u64 exec_id = task->self_exec_id;
    bool reported = false;

    if (state) {
        if (claim_missed_exec(state, exec_id - 1))
            report_missed_exec(task, BEFORE_EXEC, rings);
        reported = state->exec_id == exec_id;
    } else if (is_overlooked(task)) {
        announce(task, NULL, rings);
        state = bpf_map_lookup_elem(&states, &process);
    }
    if (state) {
        state->exec_id = exec_id;
        state->knows_execs = 1;
    }
    return reported;
}

static __always_inline void report_exec(struct task_struct *task, struct linux_binprm *bprm,
                                        bool rings)
{
    struct ring_texts texts = {};
    struct ring_event base;
    struct more more = {.tid = task->pid};
    struct scratch *scratch;
    enum written written = NO_PLACE;
    __u32 room = text_room();
    __u64 in_hand = denies ? becomes(task) : 0;

    more.mono_ns = bpf_ktime_get_boot_ns();
    read_losses(&base.head);
    base.head.kind = RING_TEXTS;
    base.head.chunks = 0;
    fill(&base.event, ROLLCALL_EXEC, more.mono_ns, task);
    scratch = claim_scratch();
    if (scratch) {
        read_exe(scratch, bprm, &texts, room);
        read_cwd(scratch, task, &texts, room);
        read_args(scratch, task, &texts, &more, room);
        written = write_texts(&base, &texts, scratch->exe, scratch->path, scratch->args,
                              sizeof(scratch->args), &more, NULL, in_hand, rings);
        release_scratch(scratch);
        if (written == WRITTEN)
            count_cut(&texts, room);
    }
    if (written == NO_PLACE) {
        cut_texts(&texts);
        texts.has |= 1 << ROLLCALL_EXE | 1 << ROLLCALL_CWD | 1 << ROLLCALL_ARGS;
        texts.args_full = task->mm->arg_end - task->mm->arg_start;
        written = write_texts(&base, &texts, NULL, NULL, NULL, 0, NULL, NULL, in_hand, rings);
    }
    if (written == NO_PLACE) {
        count_loss(sizeof(base) + sizeof(texts));
        if (denies)
            give_back(in_hand);
    }
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, int old_tid, struct linux_binprm *bprm)
{
    if (SKIPS_FIRST() || SKIPS_EXEC(task))
        return 0;
    if (!is_reported(task, true))
        report_exec(task, bprm, true);
    ring_for_others();
    return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(again_exec, struct task_struct *task, int old_tid, struct linux_binprm *bprm)
{
    if (SKIPS_EXEC(task) || !entry_of(task) || is_reported(task, false))
        return 0;
    count_again();
    report_exec(task, bprm, false);
    return 0;
}

#include "snapshot.h"

/* Run by the reader when losses have been counted and nothing came after them: puts the
 * counters into the ring, so that what is read from it does not depend on when it is read. */
SEC("syscall")
int mark(void *context)
{
    struct ring_mark *record;
    struct ring_head head;

    read_losses(&head);
    record = take_place(sizeof(*record), false);
    if (!record)
        return 1;
    head.kind = RING_MARK;
    head.chunks = 0;
    record->head = head;
    record->mono_ns = bpf_ktime_get_boot_ns();
    bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
    return 0;
}

#include "deny.h"

#ifdef ROLLCALL_TEST_PRODUCER
#include "production.h"
#endif
