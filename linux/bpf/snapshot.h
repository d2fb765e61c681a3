/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* The processes that were there before, and those that were overlooked. */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

/* The snapshot is run by the one reader, so it needs one area only. */
struct snapshot_scratch {
    char exe[PATH_SIZE + 256];
    char cwd[PATH_SIZE + 256];
    char args[EXISTS_ARGS + TEXT_CHUNK];
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct snapshot_scratch);
} snapshot_area SEC(".maps");

/* What its user's own file system (FUSE) has to give may never come, and who reads it waits for it. */
static long is_no_file(struct task_struct *task, struct vm_area_struct *area, bool *no_file)
{
    *no_file = !area->vm_file;
    return 0;
}

/* Whether memory of another process can be read without waiting for others than the kernel. Somebody else
 * can have the lock for a moment. */
static __always_inline bool is_own_memory(struct task_struct *task, __u64 address)
{
    bool no_file = false;

    for (int i = 0; i < 8; i++)
        if (bpf_find_vma(task, address, is_no_file, &no_file, 0) != -EBUSY)
            break;
    return no_file;
}

/* Reads the arguments of another process, which may have to be fetched from its swap. */
struct other_args {
    struct task_struct *task;
    char *to;
    __u64 from;
    __u32 left;
    __u32 offset;
    __u32 unreadable;
};

static long read_other_page(__u32 index, struct other_args *args)
{
    __u32 in_page = TEXT_CHUNK - (args->from & (TEXT_CHUNK - 1));
    __u32 size = args->left < in_page ? args->left : in_page;
    __u32 offset = args->offset;
    long err;

    barrier_var(size);
    if (size > TEXT_CHUNK || offset > EXISTS_ARGS)
        return 1;
    /* Reading from nowhere zeroes what another process has left there. */
    if (is_own_memory(args->task, args->from))
        err = bpf_copy_from_user_task(args->to + offset, size, (void *)args->from, args->task, 0);
    else
        err = bpf_probe_read_kernel(args->to + offset, size, NULL);
    if (err)
        args->unreadable = 1;
    args->from += size;
    args->offset = offset + size;
    args->left -= size;
    return args->left == 0;
}

static __always_inline void read_other_args(struct snapshot_scratch *area, struct task_struct *task,
                                            struct ring_texts *texts, __u32 room)
{
    struct mm_struct *mm = task->mm;
    struct other_args args = {.task = task, .to = area->args, .from = mm->arg_start};
    __u64 full = mm->arg_end - args.from;

    args.left = full < READ(control.args_max) ? full : READ(control.args_max);
    if (args.left > room)
        args.left = room;
    if (args.left > EXISTS_ARGS)
        args.left = EXISTS_ARGS;
    texts->args_full = full;
    if (args.left < full)
        texts->args_flags |= ROLLCALL_TEXT_CUT;
    if (args.left)
        bpf_loop(EXISTS_ARGS / TEXT_CHUNK + 1, read_other_page, &args, 0);
    texts->args_size = args.offset;
    if (args.unreadable)
        texts->args_flags |= ROLLCALL_TEXT_UNREADABLE;
    texts->has |= 1 << ROLLCALL_ARGS;
}

static __always_inline void read_other_texts(struct snapshot_scratch *area,
                                             struct task_struct *task, struct ring_texts *texts,
                                             __u32 room)
{
    struct fs_struct *fs = task->fs;
    struct mm_struct *mm = task->mm;

    if (fs) {
        texts->cwd_size = read_path(area->cwd, room, &fs->pwd, &fs->root, &texts->cwd_flags);
        texts->has |= 1 << ROLLCALL_CWD;
    }
    if (!mm)
        return;
    if (fs && mm->exe_file) {
        texts->exe_size =
            read_path(area->exe, room, &mm->exe_file->f_path, &fs->root, &texts->exe_flags);
        texts->has |= 1 << ROLLCALL_EXE;
    }
    read_other_args(area, task, texts, room);
}

/* A process that is being created while the snapshot runs is announced by its own fork. */
#define YOUNG_NS 1000000000ull

static __always_inline void announce_other(struct task_struct *task)
{
    struct process process = process_of(task);
    __u64 now = bpf_ktime_get_boot_ns();
    struct ring_texts texts = {};
    struct ring_event base;
    struct snapshot_scratch *area;
    enum written written;
    __u32 room = text_room();
    bool old = is_old(task);
    __u32 key = 0;

    if (!may_be_missing(task) || (!old && task->start_boottime + YOUNG_NS > now) ||
        bpf_map_lookup_elem(&states, &process))
        return;
    area = bpf_map_lookup_elem(&snapshot_area, &key);
    if (!area)
        return;
    read_losses(&base.head);
    base.head.kind = RING_TEXTS;
    base.head.chunks = 0;
    fill(&base.event, old ? ROLLCALL_EXISTS : ROLLCALL_CREATE, now, task);
    if (!old)
        base.event.flags |= ROLLCALL_LATE;
    read_other_texts(area, task, &texts, room);
    written = write_texts(&base, &texts, area->exe, area->cwd, area->args, sizeof(area->args), NULL,
                          &process, 0, true);
    if (written == NO_PLACE) {
        cut_texts(&texts);
        written = write_texts(&base, &texts, NULL, NULL, NULL, 0, NULL, &process, 0, true);
    }
    if (written == NO_PLACE && win(&process, unnoted(0)))
        count_loss(sizeof(base) + sizeof(texts));
    if (written == WRITTEN)
        count_cut(&texts, room);
    if (written == WRITTEN && !old)
        __sync_fetch_and_add(&control.late, 1);
}

static __always_inline void finish_snapshot(void)
{
    struct ring_event *record;
    struct ring_head head;

    if (!READ(control.synced_due))
        return;
    read_losses(&head);
    record = take_place(sizeof(*record), false);
    if (!record)
        return;
    head.kind = RING_EVENT;
    head.chunks = 0;
    record->head = head;
    __builtin_memset(&record->event, 0, sizeof(record->event));
    record->event.type = ROLLCALL_SYNCED;
    record->event.mono_ns = bpf_ktime_get_boot_ns();
    control.synced_due = 0;
    submit(record, true);
}

/* Run by the reader, once when the capture begins and again when a hook was skipped, while
 * exited processes keep their entries. A process that it does not meet was created after it
 * began, and was announced by its fork. */
SEC("iter.s/task")
int snapshot(struct bpf_iter__task *context)
{
    struct task_struct *task = context->task;

    if (!task) {
        finish_snapshot();
        return 0;
    }
    /* One whose last thread has ended will not be heard of any more, or by its exit. */
    if (task->pid != task->tgid || task->pid == 0 || task->signal->live.counter == 0)
        return 0;
    announce_other(task);
    return 0;
}

#endif
