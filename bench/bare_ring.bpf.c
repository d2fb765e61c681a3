/* SPDX-License-Identifier: MIT */
#include "linux/bpf/kernel.h"

#include "bench/bare_event.h"

#include <bpf/bpf_helpers.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

/* What the examples that come with libbpf take. */
#define RING_SIZE (256u << 10)

struct {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, RING_SIZE);
} ring SEC(".maps");

static void send(enum bare_type type, struct task_struct *task)
{
    struct bare_event *event = bpf_ringbuf_reserve(&ring, sizeof(*event), 0);

    if (!event)
        return;
    event->mono_ns = bpf_ktime_get_boot_ns();
    event->type = type;
    event->pid = (__u32)task->tgid;
    event->ppid = (__u32)task->real_parent->tgid;
    __builtin_memcpy(event->comm, task->comm, sizeof(event->comm));
    /* A wake-up for each record of a consumer that keeps up: the kernel's own rule. */
    bpf_ringbuf_submit(event, 0);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
    if (child->pid == child->tgid)
        send(BARE_FORK, child);
    return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task)
{
    send(BARE_EXEC, task);
    return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
    if (task->pid == task->tgid)
        send(BARE_EXIT, task);
    return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
