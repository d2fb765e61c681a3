/* SPDX-License-Identifier: MIT */
/*
 * What the programs in the kernel and the reader share: the records in the ring and the
 * control page. Any change here that another build's programs and reader could not live with is a new
 * CAPTURE_FORMAT.
 */
#ifndef LAYOUT_H
#define LAYOUT_H

#include <rollcall/event.h>

#define CAPTURE_MAGIC  0x6c6c61636c6c6f72ull /* "rollcall" */
#define CAPTURE_FORMAT 3u

#define TEXT_CHUNK   4096u       /* bytes of text in one text record */
#define PATH_SIZE    4096u       /* room for one path */
#define EXISTS_ARGS  (32u << 10) /* most bytes of arguments in an `exists` record */
#define ARGS_LIMIT   (8u << 20)  /* most bytes of arguments ever read */
#define CROWDED_TEXT 256u        /* most bytes of a text while the ring is more than half full */
#define SCRATCH_RUNS 4u          /* scratch areas for each processor */

enum ring_kind {
    RING_EVENT = 1, /* struct ring_event */
    RING_TEXTS = 2, /* struct ring_event, struct ring_texts, then the texts */
    RING_CHUNK = 3, /* struct ring_chunk: more of the arguments of a RING_TEXTS before it */
    RING_MARK = 4   /* struct ring_mark: carries the counters, is no event */
};

/*
 * The head of every record that moves the sequence number. `lost` are the loss counters as they
 * were before the record's place in the ring was taken. So each loss counted there is older
 * than the record, and each loss that came before the record's hook ran is counted there: the
 * difference to the records before it is what is missing in this very place.
 */
struct ring_head {
    uint32_t kind;   /* enum ring_kind */
    uint32_t chunks; /* RING_TEXTS: how many RING_CHUNK belong to it, all written before it was */
    uint64_t lost[ROLLCALL_REASONS];
};

/* The reader fills in event.size, event.version and event.seq. */
struct ring_event {
    struct ring_head head;
    struct rollcall_event event;
};

struct ring_mark {
    struct ring_head head;
    uint64_t mono_ns;
};

/* Follows a ring_event; then the bytes of exe, cwd and args, one after the other. */
struct ring_texts {
    uint32_t exe_size;  /* bytes, without NUL */
    uint32_t cwd_size;  /* bytes; names from the innermost outwards, each ended by NUL */
    uint32_t args_size; /* bytes here; more in chunks */
    uint16_t exe_flags; /* enum rollcall_text_flag */
    uint16_t cwd_flags;
    uint64_t args_full; /* bytes that the process has */
    uint32_t args_flags;
    uint32_t has; /* bits 1 << enum rollcall_text_field: which texts the kernel gave */
};

/* A piece of the arguments of the RING_TEXTS with the same tid and mono_ns. */
struct ring_chunk {
    uint32_t kind;
    uint32_t tid;
    uint64_t mono_ns;
    uint32_t size;  /* bytes used of data */
    uint32_t flags; /* ROLLCALL_TEXT_UNREADABLE: all of data is NUL */
    char data[TEXT_CHUNK];
};

/* Of each process that was announced: key and value of `states`. */
struct process {
    uint32_t pid;
    uint32_t unused;
    uint64_t start_ns;
};

struct state {
    uint32_t exited;
    uint32_t knows_execs; /* all since it was made: what exec_id does not count was skipped */
    uint64_t exec_id;     /* the kernel's count of execs, when the last one was reported */
};

/* Room in the ring that is promised: key of `promises`. See linux/bpf/promises.h. */
enum promised {
    PROMISED_BIRTH = 1, /* create and exit of a task that is being made; id: its address */
    PROMISED_EXEC,      /* the next exec of a process, without its text */
    PROMISED_EXIT,      /* the exit of a process */
    PROMISED_NOTHING    /* no room: the process is exempt, as who made it is */
};

struct promise {
    uint32_t pid;  /* 0: PROMISED_BIRTH */
    uint32_t what; /* enum promised */
    uint64_t id;   /* of a process its start_ns */
};

/* How far the reader is: see linux/place.h. */
struct place {
    uint64_t version;                /* 0 while it is being written */
    uint64_t position;               /* in the ring: all before it is acknowledged */
    uint64_t seq;                    /* the last one before `position` */
    uint64_t lost[ROLLCALL_REASONS]; /* losses counted into `seq` */
    uint64_t acked_seq;              /* acknowledged; never less than `seq` */
};

/* The programs on the tracepoints, each of which the kernel can skip: two on each of fork, exec and exit,
 * the second ones for what the first ones did not do; one on the freeing, for what both of the exit did
 * not. */
enum hook {
    HOOK_FORK,
    HOOK_EXEC,
    HOOK_EXIT,
    HOOK_FORK_AGAIN,
    HOOK_EXEC_AGAIN,
    HOOK_EXIT_AGAIN,
    HOOK_FREE,
    HOOKS
};
#define FIRST_HOOKS 3
enum turn { FIRST, SECOND };

/* How many skips of a first one have been noticed. */
struct hook_skips {
    uint64_t prog_id;
    uint64_t seen;
};

/* By which of the kernel's hooks processes are refused. */
enum deny_way { DENY_NONE, DENY_LSM, DENY_MODIFY };

enum deny_state {
    DENY_OFF,
    DENY_WAITS, /* until there is room for the exits of all processes */
    DENY_HOLDS  /* who cannot be kept is refused */
};

#define CACHE_LINE __attribute__((aligned(64)))

/* The policy `deny`: see linux/bpf/deny.h. */
struct deny {
    /* Reader to programs. */
    CACHE_LINE uint32_t way; /* enum deny_way, of the programs that are attached */
    uint32_t state;          /* enum deny_state; the programs let go, too */
    uint64_t grace_ns;
    uint64_t exempt_cgroup; /* 0: none */
    uint64_t
        reader_gone_ns;    /* since when nobody reads; 0: somebody does. The programs set it, too */
    struct process reader; /* pid 0: none */
    uint32_t ticks;        /* until no fork is under way any more that was admitted before */

    /* Programs to reader. */
    CACHE_LINE uint64_t denied; /* processes */
    uint64_t denied_execs;
    uint64_t exempted; /* forks and execs that were let through without room */
    uint64_t ended;    /* times that nobody read for longer than grace_ns */
    uint32_t wanting;  /* of the last promise_exits: processes whose exit found no room */
};

struct control {
    /* Written once by who makes the capture; `ready` last of all. */
    uint64_t magic;
    uint32_t format;
    uint32_t ready;
    uint64_t epoch;       /* microseconds since 1970 */
    uint64_t attached_ns; /* older processes were there before; all ones until that is known */
    uint64_t ring_size;
    uint64_t build; /* which build's programs are attached */
    uint32_t args_max;
    uint32_t track_old;   /* whether processes that were there before are announced */
    uint32_t keep_exited; /* entries of `states` outlive the exit */
    uint32_t heal_late;   /* the kernel was found to skip hooks: announce who was overlooked */

    /* Reader to programs. */
    CACHE_LINE uint64_t sleeper; /* not 0: the reader sleeps, with this ticket */

    /* Programs to reader. */
    CACHE_LINE uint64_t lost[ROLLCALL_REASONS]; /* the last two are counted by the reader */
    uint64_t late;                              /* announced by a later hook, or by the snapshot */
    uint64_t again;   /* written by a second program, as the first one was skipped */
    uint64_t idle[2]; /* runs of first and of second programs that were for threads: none of theirs
                         is missing when they are skipped */
    uint64_t states_failed;
    uint64_t texts_cut;
    uint32_t ring_due;   /* second programs have written, and have left the ringing to others */
    uint32_t synced_due; /* there are old processes to announce, and `synced` after them */
    uint64_t states_failed_ns; /* when that was last */

    /* The reader's own, kept here for its successor. */
    CACHE_LINE struct place places[2];
    uint32_t reader_pid;
    struct hook_skips hook_skips[FIRST_HOOKS];
    uint64_t skips;        /* all that were noticed */
    uint64_t skips_judged; /* so many of them are healed or counted as lost */
    uint32_t untidy;       /* ticks until entries of exited processes are removed from `states` */

    struct deny deny;
};

/* What tests and measurements have written by a program that is run by hand: so many exits, or so many
 * processes, each with create, exec and exit, whose pids begin with first_pid. */
struct production {
    uint64_t count;
    uint64_t first_pid; /* 0: exits */
};

#endif
