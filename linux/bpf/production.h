/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* What tests and measurements have written by hand: see struct production. */
#ifndef PRODUCTION_H
#define PRODUCTION_H

/* Writes events as fast as can be, as the hooks do. */
static long produce_one(__u32 index, void *context)
{
    struct ring_event *record;
    struct ring_head head;

    read_losses(&head);
    record = bpf_ringbuf_reserve(&ring, sizeof(*record), 0);
    if (!record) {
        count_loss(sizeof(*record));
        return 0;
    }
    head.kind = RING_EVENT;
    head.chunks = 0;
    record->head = head;
    __builtin_memset(&record->event, 0, sizeof(record->event));
    record->event.type = ROLLCALL_EXIT;
    record->event.mono_ns = bpf_ktime_get_boot_ns();
    submit(record, true);
    return 0;
}

/* What a process that was never there executes. */
struct example {
    struct ring_event base;
    struct ring_texts texts;
    char text[32];
};

static __always_inline void produce_event(struct ring_event *record, __u16 type, __u32 pid)
{
    struct task_struct *task = (struct task_struct *)bpf_get_current_task_btf();

    fill(&record->event, type, bpf_ktime_get_boot_ns(), task->group_leader);
    record->event.pid = pid;
    record->event.start_ns = record->event.mono_ns;
}

static __always_inline void produce_short(__u16 type, __u32 pid)
{
    struct ring_event *record;
    struct ring_head head = {.kind = RING_EVENT};

    read_losses(&head);
    record = bpf_ringbuf_reserve(&ring, sizeof(*record), 0);
    if (!record) {
        count_loss(sizeof(*record));
        return;
    }
    record->head = head;
    produce_event(record, type, pid);
    submit(record, true);
}

static __always_inline void produce_exec(__u32 pid)
{
    struct ring_head head = {.kind = RING_TEXTS};
    struct example *record;

    read_losses(&head);
    record = bpf_ringbuf_reserve(&ring, sizeof(*record), 0);
    if (!record) {
        count_loss(sizeof(*record));
        return;
    }
    record->base.head = head;
    produce_event(&record->base, ROLLCALL_EXEC, pid);
    __builtin_memset(&record->texts, 0, sizeof(record->texts));
    record->texts.exe_size = 9;
    record->texts.cwd_size = 4;
    record->texts.args_size = 15;
    record->texts.args_full = 15;
    record->texts.has = 1u << ROLLCALL_EXE | 1u << ROLLCALL_CWD | 1u << ROLLCALL_ARGS;
    __builtin_memcpy(record->text, "/bin/truetmp\0true\0--version\0\0\0\0", 32);
    submit(&record->base, true);
}

static long produce_life(__u32 index, void *context)
{
    __u32 pid = *(__u32 *)context + index;

    produce_short(ROLLCALL_CREATE, pid);
    produce_exec(pid);
    produce_short(ROLLCALL_EXIT, pid);
    return 0;
}

SEC("syscall")
int produce(struct production *production)
{
    __u32 first = production->first_pid;

    if (first)
        bpf_loop(production->count, produce_life, &first, 0);
    else
        bpf_loop(production->count, produce_one, NULL, 0);
    return 0;
}

#endif
