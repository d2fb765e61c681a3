/* SPDX-License-Identifier: MIT */
/* What the parts of the runtime that are about processes share. All of it is called with the lock held, but
 * for process_of(). */
#ifndef TESTS_WINE_WDFLDR_PROCESS_H
#define TESTS_WINE_WDFLDR_PROCESS_H

#include "tests/wine/wdfldr/kernel.h"

#define SYSTEM_PID  4u
#define TOKEN_MAGIC 0x6e656b6f74627272u
#define TEXT_MAX    96u

struct token {
    uint64_t magic;
    struct process *process;
    unsigned references;
};

struct process {
    uint64_t magic;
    struct process *next;
    uint32_t pid, ppid, session;
    uint32_t flags;
    uint32_t sub_authority;
    int64_t create_time;
    uint32_t exit_status;
    bool exited;
    bool real;           /* one of Wine's own, */
    bool invented;       /* or nobody: a test has named it as a creator */
    unsigned references; /* of the driver */
    unsigned held;       /* of the runtime: being told about, or somebody runs in it */
    bool listed;
    uint64_t start_key;
    wchar_t image[TEXT_MAX];
    char name[16];
    struct token token;
};

/* In the list. It lives, and begins now. */
struct process *process_new(uint32_t pid);
void process_unlist(struct process *process);

/* NULL: there is none. The second finds Wine's own, too. */
struct process *process_lookup(uint32_t pid);
struct process *process_lookup_any(uint32_t pid);

/* The process that a thread of the runtime stands for: somebody always runs. */
struct process *process_current(void);

/* The next one that a test raised, or that was there before, and that lives. NULL: the first; none. */
struct process *process_next_raised(const struct process *before);

/* The path, and its last part in the 15 characters that the kernel keeps. */
void process_set_name(struct process *process, const wchar_t *image, size_t length);

/* Those that have exited, or never were, go when nobody refers to them. */
void process_release_if_gone(struct process *process);

/* The process that a driver means; else it is reported, and NULL. */
struct process *process_of(const void *pointer, const char *function);

#endif
