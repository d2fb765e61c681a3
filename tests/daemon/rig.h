/* SPDX-License-Identifier: MIT */
/*
 * A daemon with a journal, a socket and a consumer in the kernel of its own, and consumers of it, each
 * a process. What a test leaves behind, however it ends, is taken away.
 */
#ifndef TESTS_DAEMON_RIG_H
#define TESTS_DAEMON_RIG_H

#include "tests/load/load.h"

#include <rollcall/rollcall.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define RIG_CONSUMERS_MAX 128u
#define RIG_LIMIT_S       240 /* that anything may take */

/* Ends the test: what is not true. */
_Noreturn __attribute__((format(printf, 3, 4))) void rig_fail(const char *file, int line,
                                                              const char *format, ...);

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            rig_fail(__FILE__, __LINE__, "not true: %s", #condition);                              \
    } while (0)

#define CHECK_EQUAL(left, right)                                                                   \
    do {                                                                                           \
        unsigned long long left_ = (unsigned long long)(left);                                     \
        unsigned long long right_ = (unsigned long long)(right);                                   \
                                                                                                   \
        if (left_ != right_)                                                                       \
            rig_fail(__FILE__, __LINE__, "%s is %llu, %s is %llu", #left, left_, #right, right_);  \
    } while (0)

/* What a consumer has had so far; it is shared. */
struct heard {
    _Atomic uint64_t epoch;
    _Atomic uint64_t first_seq; /* 0: nothing yet */
    _Atomic uint64_t last_seq;
    _Atomic uint64_t events;
    _Atomic uint64_t lost; /* in gaps */
    _Atomic uint64_t gaps;
    _Atomic uint64_t epochs; /* how many it went through */
    _Atomic uint64_t sum;    /* of all events behind rig.from_seq: the same for all */
    _Atomic bool opened;
    _Atomic bool stop; /* end at once, as if told to by a user */
};

struct rig {
    char directory[64];
    char socket[96];
    char journal[96];
    char name[64]; /* in the kernel */
    char program[32];
    char log[96];     /* where the daemon's log goes; "": to ours */
    char preload[96]; /* a library that it is started with; "": none */
    char group[128];  /* the cgroup.procs of a group that it enters; "": none */
    _Atomic pid_t daemon;
    _Atomic uint64_t from_seq;
    struct heard heard[RIG_CONSUMERS_MAX];
};

/* How a consumer behaves. */
struct behaviour {
    const char *name;          /* NULL: ephemeral */
    bool never_acks;           /* acknowledges nothing */
    bool acks_half;            /* acknowledges the first half of each batch at first */
    uint32_t pause_us;         /* after each batch */
    uint64_t until_seq;        /* ends when it has had it; 0: with the process of rig_mark_end() */
    bool dedupes;              /* it may be given events again, which it drops */
    const struct truth *truth; /* compares with it, if not NULL; it has a name then, so that it
                                  begins with the first event */
};

/* Runs the test in a process of its own, and cleans up. The exit status for main(); 77 without root,
 * or after rig_skip(). */
int rig_main(void (*test)(struct rig *rig));

/* Ends the test: what the machine cannot give. */
_Noreturn void rig_skip(const char *reason);

/* Becomes the daemon: rig->program, which is rollcalld. */
_Noreturn void rig_exec(const struct rig *rig, const char *const *more);

/* Starts rollcalld, and does not wait for it. */
void rig_launch(struct rig *rig, const char *const *arguments);

/* Starts rollcalld, with more arguments (NULL ends them), and waits until it answers. */
void rig_start(struct rig *rig, const char *const *arguments);

/* The same with one rule: this user may see its own processes. */
void rig_start_for_own(struct rig *rig, uint32_t uid);

/* Ends it, and takes its status. */
void rig_stop(struct rig *rig, int signal);

/* Takes the status, as wait(2) gives it, of one that ends without us. */
int rig_await_daemon(struct rig *rig);

/* Options to open a consumer of it. */
struct rollcall_options rig_options(const struct rig *rig, const char *name);

/* The newest number there is. */
uint64_t rig_newest(const struct rig *rig);

/* Starts a consumer. heard: index into rig->heard. Returns when it has opened. */
pid_t rig_consume(struct rig *rig, unsigned index, const struct behaviour *behaviour);

/* Waits until it has ended well. */
void rig_await(pid_t consumer);

/* Makes a process that tells every consumer to end. */
void rig_mark_end(void);

/* Whether this is the last event of that process. */
bool rig_is_mark(const struct rollcall_event *event);

/* Makes so many processes, and returns their truth, which the load has. */
const struct truth *rig_load(struct load *load, uint32_t count);

/* The child that each of them executes. */
const char *rig_child(void);

uint64_t rig_now_ms(void);

#endif
