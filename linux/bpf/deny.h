/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The policy `deny`: who cannot be kept is refused, with EAGAIN.
 *
 * A fork is admitted when its create and its exit are promised (see promises.h), an exec when it
 * is. Nobody can refuse an exit: so its room is there from the beginning.
 *
 *     deny_fork   promises the birth, by the address of the task, which has no pid yet. What becomes
 *                 of it: on_fork writes the create and makes it the promise of the exit; or the
 *                 fork fails behind us (another module, a limit, a signal) and deny_free gives it
 *                 back. No task has the same address before that.
 *     deny_exec   promises the exec. An interpreter is asked about again, and has it already. If
 *                 the exec fails it is there for the next one. on_exec uses it; the exit gives it back.
 *     on_exit     uses the promise of the exit.
 *     deny_free   gives back what is left with a process of which the kernel has skipped the exit.
 *
 * Threads are no processes, and pass. Exempt are pid 1, kernel threads and the helpers that they
 * start, the reader, and a cgroup that was named: so a machine that is refusing can be got at. What
 * these create may run its programs, too. An exempt fork or exec has a promise if there is room, and
 * else none: then its events claim their room when they come, and are lost, and counted, if
 * there is none. So are those of processes that were admitted while the policy did not hold: before it
 * does, promise_exits has to find room for all.
 *
 * The reader is gone when its process ends, runs another program, or closes; the policy lets go when
 * nobody has come for grace_ns. One that is stopped is there: that is what the policy is for.
 */
#ifndef DENY_H
#define DENY_H

static __always_inline bool holds(void)
{
    __u64 gone = READ(control.deny.reader_gone_ns);

    if (READ(control.deny.state) != DENY_HOLDS)
        return false;
    if (!gone || bpf_ktime_get_boot_ns() <= gone + READ(control.deny.grace_ns))
        return true;
    if (__sync_val_compare_and_swap(&control.deny.state, DENY_HOLDS, DENY_WAITS) == DENY_HOLDS)
        __sync_fetch_and_add(&control.deny.ended, 1);
    return false;
}

#define CGROUP_LEVELS 64

static __always_inline bool is_in_exempt_cgroup(void)
{
    __u64 exempt = READ(control.deny.exempt_cgroup);

    for (int level = 0; exempt && level < CGROUP_LEVELS; level++) {
        __u64 id = bpf_get_current_ancestor_cgroup_id(level);

        if (id == exempt)
            return true;
        if (!id)
            return false;
    }
    return false;
}

static __always_inline bool is_exempt(struct task_struct *task)
{
    struct task_struct *parent = task->real_parent;

    return is_trusted(task) || (parent && parent->flags & PF_KTHREAD) || is_in_exempt_cgroup();
}

static __always_inline int refuse(uint64_t *count, bool exempt)
{
    if (!exempt) {
        __sync_fetch_and_add(count, 1);
        return -EAGAIN;
    }
    __sync_fetch_and_add(&control.deny.exempted, 1);
    return 0;
}

static __always_inline int admit_fork(struct task_struct *child, __u64 flags)
{
    struct promise birth = birth_of(child);

    if (flags & CLONE_THREAD || make_promise(&birth, 2 * EVENT_SPACE) || !holds())
        return 0;
    return refuse(&control.deny.denied, is_exempt(bpf_get_current_task_btf()));
}

static __always_inline int admit_exec(void)
{
    struct task_struct *task = bpf_get_current_task_btf();
    struct promise exec = promise_of(task->group_leader, PROMISED_EXEC);
    struct promise nothing = promise_of(task->group_leader, PROMISED_NOTHING);

    if (make_promise(&exec, EXEC_SPACE) || !holds())
        return 0;
    return refuse(&control.deny.denied_execs,
                  bpf_map_lookup_elem(&promises, &nothing) || is_exempt(task));
}

/* A fork that failed has what its parent has in all that tells of a process. */
static __always_inline void freed(struct task_struct *task)
{
    struct promise birth = birth_of(task);
    struct promise exit;

    end_promise(&birth, 2 * EVENT_SPACE);
    if (!task->exit_state || task->pid != task->tgid)
        return;
    forget(task);
    exit = promise_of(task, PROMISED_EXIT);
    end_promise(&exit, EVENT_SPACE);
}

/* One of two ways is loaded, see linux/deny.h. */

SEC("?lsm/task_alloc")
int BPF_PROG(deny_fork, struct task_struct *child, unsigned long flags, int refused)
{
    return refused ? refused : admit_fork(child, flags);
}

SEC("?lsm/bprm_check_security")
int BPF_PROG(deny_exec, struct linux_binprm *bprm, int refused)
{
    return refused ? refused : admit_exec();
}

SEC("?lsm/task_free")
int BPF_PROG(deny_free, struct task_struct *task)
{
    freed(task);
    return 0;
}

SEC("?fmod_ret/security_task_alloc")
int BPF_PROG(modify_fork, struct task_struct *child, unsigned long flags, int refused)
{
    return refused ? refused : admit_fork(child, flags);
}

SEC("?fmod_ret/security_bprm_check")
int BPF_PROG(modify_exec, struct linux_binprm *bprm, int refused)
{
    return refused ? refused : admit_exec();
}

SEC("?fentry/security_task_free")
int BPF_PROG(modify_free, struct task_struct *task)
{
    freed(task);
    return 0;
}

/*
 * Run by the reader, while exited processes keep their entries: promises the exits of those that
 * live. One that exits in this moment marks its entry first and looks for a promise then; here the
 * promise is made first and the mark looked for then: so one of the two takes it back.
 */
SEC("?iter/task")
int promise_exits(struct bpf_iter__task *context)
{
    struct task_struct *task = context->task;
    struct process process;
    struct promise exit;
    struct state *state;
    __u64 fence = 0;

    if (!task || task->pid != task->tgid || task->pid == 0 || task->signal->live.counter == 0)
        return 0;
    process = process_of(task);
    state = bpf_map_lookup_elem(&states, &process);
    if (state && READ(state->exited))
        return 0;
    exit = promise_of(task, PROMISED_EXIT);
    if (!make_promise(&exit, EVENT_SPACE)) {
        __sync_fetch_and_add(&control.deny.wanting, 1);
        return 0;
    }
    __sync_lock_test_and_set(&fence, 1);
    asm volatile("" : : "r"(&fence) : "memory");
    state = bpf_map_lookup_elem(&states, &process);
    if (state && READ(state->exited))
        end_promise(&exit, EVENT_SPACE);
    return 0;
}

/* Run by the reader: it is there. */
SEC("?syscall")
int hold(void *context)
{
    struct task_struct *task = bpf_get_current_task_btf();

    control.deny.reader.start_ns = task->group_leader->start_boottime;
    control.deny.reader.pid = task->tgid;
    control.deny.reader_gone_ns = 0;
    return 0;
}

#endif
