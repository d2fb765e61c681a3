/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Paths and arguments: read into scratch memory, and written with the record that they belong to. */
#ifndef TEXT_H
#define TEXT_H

/* A path is written name by name, the last one may begin at its very end. */
struct scratch {
    __u32 busy;
    char exe[PATH_SIZE];
    char path[PATH_SIZE + 256];
    char args[2 * TEXT_CHUNK];
};

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, SCRATCH_RUNS);
    __type(key, __u32);
    __type(value, struct scratch);
} scratches SEC(".maps");

/* An area of scratch memory that no other run uses, or NULL. */
static __always_inline struct scratch *claim_scratch(void)
{
    __u32 cpu = bpf_get_smp_processor_id();

    for (__u32 i = 0; i < SCRATCH_RUNS; i++) {
        __u32 key = cpu + i * processors;
        struct scratch *scratch = bpf_map_lookup_elem(&scratches, &key);

        if (scratch && __sync_lock_test_and_set(&scratch->busy, 1) == 0)
            return scratch;
    }
    return NULL;
}

static __always_inline void release_scratch(struct scratch *scratch)
{
    __sync_lock_test_and_set(&scratch->busy, 0);
}

/* Going up from a file to the root. */
struct walk {
    struct dentry *dentry;
    struct mount *mount;
    struct dentry *root;
    struct vfsmount *root_mount;
    char *names; /* PATH_SIZE + 256 bytes */
    __u32 room;  /* when so many are used, no further name is begun */
    __u32 size;
    __u32 done;
};

static long walk_up(__u32 index, struct walk *walk)
{
    /* Copies: CO-RE relocates all that a read goes through, and our own types do not move. */
    struct dentry *dentry = walk->dentry;
    struct mount *mount = walk->mount;
    struct vfsmount *vfsmount = (void *)mount + bpf_core_field_offset(struct mount, mnt);
    struct dentry *parent = BPF_CORE_READ(dentry, d_parent);
    struct dentry *top = BPF_CORE_READ(vfsmount, mnt_root);
    __u32 size = walk->size;
    long n;

    walk->done = dentry == walk->root && vfsmount == walk->root_mount;
    if (walk->done)
        return 1;
    if (dentry == top) {
        walk->dentry = BPF_CORE_READ(mount, mnt_mountpoint);
        walk->mount = BPF_CORE_READ(mount, mnt_parent);
        walk->done = walk->mount == mount;
        return walk->done;
    }
    if (size >= walk->room || size >= PATH_SIZE)
        return 1;
    n = bpf_probe_read_kernel_str(walk->names + size, 256, BPF_CORE_READ(dentry, d_name.name));
    if (n <= 0)
        return 1;
    walk->size = size + n;
    walk->dentry = parent;
    /* A file that is in no directory: memory, for example. */
    walk->done = dentry == parent;
    return walk->done;
}

/* Writes the names on the way from `path` up to `root`, each ended by NUL. Returns their size;
 * *flags says if that is not all. */
static __always_inline __u32 read_path(char *names, __u32 room, struct path *path,
                                       struct path *root, __u16 *flags)
{
    struct vfsmount *mount = BPF_CORE_READ(path, mnt);
    struct walk walk = {
        .dentry = BPF_CORE_READ(path, dentry),
        .mount = (void *)mount - bpf_core_field_offset(struct mount, mnt),
        .root = BPF_CORE_READ(root, dentry),
        .root_mount = BPF_CORE_READ(root, mnt),
        .names = names,
        .room = room,
    };

    bpf_loop(PATH_SIZE, walk_up, &walk, 0);
    *flags = walk.done ? 0 : ROLLCALL_TEXT_CUT;
    return walk.size;
}

/* The arguments that follow those in the RING_TEXTS itself. */
struct more {
    __u64 address; /* at the beginning of a page */
    __u64 mono_ns;
    __u32 tid;
    __u32 left;
    __u32 written;
    __u32 refused;
};

/* One page: an unreadable one takes no other with it. */
static long write_chunk(__u32 index, struct more *more)
{
    struct ring_chunk *chunk = NULL;
    __u32 size = more->left;

    if (!is_crowded())
        chunk = take_place(sizeof(*chunk), false);
    if (!chunk) {
        more->refused = 1;
        return 1;
    }
    if (size > TEXT_CHUNK)
        size = TEXT_CHUNK;
    chunk->kind = RING_CHUNK;
    chunk->tid = more->tid;
    chunk->mono_ns = more->mono_ns;
    chunk->size = size;
    chunk->flags = 0;
    if (bpf_probe_read_user(chunk->data, size, (void *)more->address))
        chunk->flags = ROLLCALL_TEXT_UNREADABLE;
    bpf_ringbuf_submit(chunk, BPF_RB_NO_WAKEUP);
    more->written++;
    more->address += size;
    more->left -= size;
    return more->left == 0;
}

static __always_inline void read_exe(struct scratch *scratch, struct linux_binprm *bprm,
                                     struct ring_texts *texts, __u32 room)
{
    long n = bpf_probe_read_kernel_str(scratch->exe, sizeof(scratch->exe), bprm->filename);

    if (n > 0)
        texts->exe_size = n - 1;
    else
        texts->exe_flags = ROLLCALL_TEXT_UNREADABLE;
    if (texts->exe_size > room) {
        texts->exe_size = room;
        texts->exe_flags |= ROLLCALL_TEXT_CUT;
    }
    texts->has |= 1 << ROLLCALL_EXE;
}

static __always_inline void read_cwd(struct scratch *scratch, struct task_struct *task,
                                     struct ring_texts *texts, __u32 room)
{
    struct fs_struct *fs = task->fs;

    if (!fs)
        return;
    texts->cwd_size = read_path(scratch->path, room, &fs->pwd, &fs->root, &texts->cwd_flags);
    texts->has |= 1 << ROLLCALL_CWD;
}

/* Reads what goes into the record itself, and sets `more` to what does not. Long arguments are
 * split at the first page boundary, so that each chunk is one page of the process. */
static __always_inline void read_args(struct scratch *scratch, struct task_struct *task,
                                      struct ring_texts *texts, struct more *more, __u32 room)
{
    __u64 start = task->mm->arg_start;
    __u64 full = task->mm->arg_end - start;
    __u32 most = READ(control.args_max) < room ? READ(control.args_max) : room;
    __u32 wanted = full < most ? full : most;
    __u32 in_page = TEXT_CHUNK - (start & (TEXT_CHUNK - 1));
    __u32 first = wanted < in_page ? wanted : in_page;
    __u32 second = wanted <= TEXT_CHUNK ? wanted - first : 0;

    texts->has |= 1 << ROLLCALL_ARGS;
    texts->args_full = full;
    if (wanted < full)
        texts->args_flags |= ROLLCALL_TEXT_CUT;
    barrier_var(first);
    barrier_var(second);
    if (first > TEXT_CHUNK || second > TEXT_CHUNK)
        return;
    if (bpf_probe_read_user(scratch->args, first, (void *)start))
        texts->args_flags |= ROLLCALL_TEXT_UNREADABLE;
    if (second && bpf_probe_read_user(scratch->args + first, second, (void *)(start + first)))
        texts->args_flags |= ROLLCALL_TEXT_UNREADABLE;
    texts->args_size = first + second;
    more->address = start + first + second;
    more->left = wanted - first - second;
}

static __always_inline void write_text(struct bpf_dynptr *record, __u32 offset, const char *text,
                                       __u32 size, __u32 room)
{
    if (!size)
        return;
    barrier_var(size); /* else the two comparisons become one, which older kernels do not see */
    if (size <= room)
        bpf_dynptr_write(record, offset, (void *)text, size, 0);
}

enum written { NO_PLACE, NOT_WON, WRITTEN };

/* Writes a record with the texts that are in scratch memory, and what there is `more`. With a
 * process: only if its announcement can be won. in_hand: so many bytes of its place are
 * promised, which the caller keeps when there is NO_PLACE for the rest. */
static __always_inline enum written write_texts(struct ring_event *base, struct ring_texts *texts,
                                                const char *exe, const char *path, const char *args,
                                                __u32 args_room, struct more *more,
                                                const struct process *process, __u64 in_hand,
                                                bool rings)
{
    __u32 exe_size = texts->exe_size, cwd_size = texts->cwd_size, args_size = texts->args_size;
    __u32 offset = sizeof(*base) + sizeof(*texts);
    __u32 size = offset + exe_size + cwd_size + args_size;
    struct bpf_dynptr record;
    __u64 ticket;

    if (denies && !claim(SPACE(size) - in_hand))
        return NO_PLACE;
    if (bpf_ringbuf_reserve_dynptr(&ring, size, 0, &record)) {
        bpf_ringbuf_discard_dynptr(&record, BPF_RB_NO_WAKEUP);
        if (denies)
            give_back(SPACE(size) - in_hand);
        return NO_PLACE;
    }
    if (denies)
        give_back(SPACE(size));
    if (process && !win(process, unnoted(0))) {
        bpf_ringbuf_discard_dynptr(&record, BPF_RB_NO_WAKEUP);
        return NOT_WON;
    }
    if (more && more->left) {
        bpf_loop(ARGS_LIMIT / TEXT_CHUNK, write_chunk, more, 0);
        if (more->left) {
            texts->args_flags |= ROLLCALL_TEXT_CUT;
            __sync_fetch_and_add(&control.texts_cut, 1);
        }
        base->head.chunks = more->written;
    }
    bpf_dynptr_write(&record, 0, base, sizeof(*base), 0);
    bpf_dynptr_write(&record, sizeof(*base), texts, sizeof(*texts), 0);
    write_text(&record, offset, exe, exe_size, PATH_SIZE);
    write_text(&record, offset + exe_size, path, cwd_size, PATH_SIZE + 256);
    write_text(&record, offset + exe_size + cwd_size, args, args_size, args_room);
    ticket = doorbell(rings);
    bpf_ringbuf_submit_dynptr(&record, ticket ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
    rung(ticket);
    return WRITTEN;
}

static __always_inline void count_cut(const struct ring_texts *texts, __u32 room)
{
    if (room < ARGS_LIMIT &&
        (texts->exe_flags | texts->cwd_flags | texts->args_flags) & ROLLCALL_TEXT_CUT)
        __sync_fetch_and_add(&control.texts_cut, 1);
}

static __always_inline void cut_texts(struct ring_texts *texts)
{
    texts->exe_size = texts->cwd_size = texts->args_size = 0;
    texts->exe_flags |= ROLLCALL_TEXT_CUT;
    texts->cwd_flags |= ROLLCALL_TEXT_CUT;
    texts->args_flags |= ROLLCALL_TEXT_CUT;
    __sync_fetch_and_add(&control.texts_cut, 1);
}

#endif
