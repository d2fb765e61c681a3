/* SPDX-License-Identifier: MIT */
/*
 * The kernel's types, as far as the programs read them. Written by hand, and not dumped from
 * the building machine's kernel: so what is built does not depend on where, it can be built
 * where the kernel has no BTF (containers, build hosts), and there is one way to build and not
 * two. The loader moves every field access to where the running kernel has the field (CO-RE);
 * a field that it does not have is refused at load, not misread.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
    int counter;
} atomic_t;

typedef struct {
    unsigned int val;
} kuid_t;

typedef struct {
    unsigned int val;
} kgid_t;

struct ns_common {
    unsigned int inum;
};

struct pid_namespace {
    struct ns_common ns;
};

struct upid {
    int nr;
    struct pid_namespace *ns;
};

struct pid {
    unsigned int level;
    struct upid numbers[1];
};

enum pid_type { PIDTYPE_PID, PIDTYPE_TGID, PIDTYPE_PGID, PIDTYPE_SID, PIDTYPE_MAX };

struct tty_driver {
    int major;
    int minor_start;
};

struct tty_struct {
    struct tty_driver *driver;
    int index;
};

struct signal_struct {
    atomic_t live;
    int nr_threads;
    /* Of threads that are gone. */
    unsigned long long sum_sched_runtime;
    unsigned long nvcsw;
    unsigned long nivcsw;
    unsigned long min_flt;
    unsigned long maj_flt;
    int group_exit_code;
    unsigned int flags;
    struct pid *pids[PIDTYPE_MAX];
    struct tty_struct *tty;
};

struct cred {
    kuid_t uid;
    kgid_t gid;
};

struct kernfs_node {
    __u64 id;
};

struct cgroup {
    struct kernfs_node *kn;
};

struct css_set {
    struct cgroup *dfl_cgrp;
};

struct qstr {
    const unsigned char *name;
};

struct dentry {
    struct dentry *d_parent;
    struct qstr d_name;
};

struct vfsmount {
    struct dentry *mnt_root;
};

struct mount {
    struct mount *mnt_parent;
    struct dentry *mnt_mountpoint;
    struct vfsmount mnt;
};

struct path {
    struct vfsmount *mnt;
    struct dentry *dentry;
};

struct fs_struct {
    struct path root;
    struct path pwd;
};

struct file {
    struct path f_path;
};

struct vm_area_struct {
    struct file *vm_file;
};

struct mm_struct {
    unsigned long arg_start;
    unsigned long arg_end;
    unsigned long end_code;
    struct file *exe_file;
};

struct task_struct {
    unsigned int flags;
    int pid;
    int tgid;
    int exit_code;
    int exit_state;
    __u64 start_boottime;
    __u64 self_exec_id;
    struct task_struct *real_parent;
    struct task_struct *group_leader;
    struct signal_struct *signal;
    const struct cred *real_cred;
    struct css_set *cgroups;
    struct pid *thread_pid;
    struct fs_struct *fs;
    struct mm_struct *mm;
    char comm[16];
};

struct linux_binprm {
    const char *filename;
};

struct bpf_iter__task {
    union {
        struct task_struct *task;
    };
};

#pragma clang attribute pop

#define PF_KTHREAD        0x00200000
#define CLONE_THREAD      0x00010000
#define SIGNAL_GROUP_EXIT 0x00000004

#endif
