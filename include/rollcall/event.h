/* SPDX-License-Identifier: MIT */
/*
 * The record of one process event: the same bytes on Linux and Windows.
 *
 * A record is a fixed base (struct rollcall_event, 128 bytes) and then any
 * number of counted strings (struct rollcall_text), each padded to 8 bytes.
 * All numbers are in the byte order of the machine. The base can always be
 * written, whatever happens to the strings: the existence of a process is
 * never lost because its command line is long.
 *
 * Nothing is invented: a field that the kernel did not give is absent. The
 * fields that can be absent have a bit in `present`; their value is 0 when
 * the bit is not set.
 *
 * A process is identified by (pid, start_ns), never by pid alone.
 */
#ifndef ROLLCALL_EVENT_H
#define ROLLCALL_EVENT_H

#include <stddef.h>
#include <stdint.h>

#define ROLLCALL_EVENT_VERSION 1

/* What happened. */
enum rollcall_type {
    ROLLCALL_CREATE = 1, /* a process was created */
    ROLLCALL_EXEC = 2,   /* its program image was replaced (Linux) */
    ROLLCALL_EXIT = 3,   /* its last thread ended */
    ROLLCALL_EXISTS = 4, /* it was there before the capture began */
    ROLLCALL_GAP = 5,    /* events are missing in this very place */
    ROLLCALL_SYNCED = 6  /* all that was there before has been announced by now */
};

/* Bits of `flags`. */
enum rollcall_flag {
    ROLLCALL_KERNEL_THREAD = 1 << 0, /* a thread of the kernel, no program of its own */
    ROLLCALL_LATE = 1 << 1,          /* the hook that should have reported it was skipped by the
                                        kernel; a later hook of the same process made it good. Such
                                        an exec has no strings, and no comm if there was another */
    ROLLCALL_CORE_DUMPED = 1 << 2,   /* exit: a core dump was made */
    ROLLCALL_AT_MOST = 1 << 3,       /* gap: `lost` is an upper bound, not an exact number */
    ROLLCALL_UNCOUNTED = 1 << 4,     /* gap: `lost` says nothing, the number is not known */
    ROLLCALL_NTSTATUS = 1 << 5       /* exit: status is Windows' exit code, not wait(2)'s */
};

/* Bits of `present`: which of the fields that can be absent are there. */
enum rollcall_field {
    ROLLCALL_HAS_PARENT = 1 << 0,   /* ppid; parent_start_ns, 0 if that is not known */
    ROLLCALL_HAS_CREATOR = 1 << 1,  /* creator_pid, creator_tid */
    ROLLCALL_HAS_USER = 1 << 2,     /* uid, gid */
    ROLLCALL_HAS_SESSION = 1 << 3,  /* session */
    ROLLCALL_HAS_TTY = 1 << 4,      /* tty */
    ROLLCALL_HAS_PID_NS = 1 << 5,   /* ns_pid, pid_ns */
    ROLLCALL_HAS_CGROUP = 1 << 6,   /* cgroup */
    ROLLCALL_HAS_STATUS = 1 << 7,   /* status */
    ROLLCALL_HAS_START_KEY = 1 << 8 /* start_key */
};

/* Why events are missing: `reason` of a gap. */
enum rollcall_reason {
    ROLLCALL_LOST_FULL = 0,       /* the memory for waiting events was spent */
    ROLLCALL_LOST_FAILED = 1,     /* memory was refused for another reason */
    ROLLCALL_LOST_SKIPPED = 2,    /* the kernel skipped the hook */
    ROLLCALL_LOST_INTERRUPTED = 3 /* somebody else took the hooks out; nobody knows how many: the
                                     gap stands for one number and has ROLLCALL_UNCOUNTED */
};
#define ROLLCALL_REASONS 4

/* The base of every record. */
struct rollcall_event {
    uint32_t size;            /* bytes of the whole record: base, strings, padding; multiple of 8 */
    uint16_t version;         /* ROLLCALL_EVENT_VERSION */
    uint16_t type;            /* enum rollcall_type */
    uint32_t flags;           /* enum rollcall_flag */
    uint32_t present;         /* enum rollcall_field */
    uint64_t seq;             /* sequence number in this epoch, from 1; of a gap: its first */
    uint64_t mono_ns;         /* when: nanoseconds since boot, time asleep included; of a gap: when
                                 the first event after it was */
    uint64_t start_ns;        /* when the process started, same clock: its identity beside pid. On
                                 Windows its creation time less the wall clock's offset from that
                                 clock when the driver started: constant while the process lives,
                                 0 if it is from before a step of the wall clock */
    uint32_t pid;             /* process id, as the initial pid namespace sees it */
    uint32_t ppid;            /* its parent's */
    uint64_t parent_start_ns; /* when the parent started */
    uint32_t creator_pid;     /* create: the process that asked for it; not always the parent */
    uint32_t creator_tid;     /* create: the thread that asked for it */
    uint32_t uid;             /* real user id, as the initial user namespace sees it */
    uint32_t gid;             /* real group id */
    uint32_t session;         /* session id: Linux the session leader's pid, Windows the session */
    uint32_t tty;             /* controlling terminal, a device number as in /proc/PID/stat */
    uint32_t ns_pid;          /* its pid in its own pid namespace */
    uint32_t pid_ns;          /* inode number of that namespace, as in /proc/PID/ns/pid */
    union {
        uint64_t cgroup;    /* id of its cgroup (version 2): the inode number of its directory */
        uint64_t start_key; /* Windows: what the kernel tells processes apart by, over boots too */
    };
    uint32_t status; /* exit: raw, as wait(2) gives it; with ROLLCALL_NTSTATUS as
                        GetExitCodeProcess() does: a program's number or an NTSTATUS */
    uint32_t reason; /* gap: enum rollcall_reason */
    uint64_t lost;   /* gap: how many events are missing: seq .. seq + lost - 1 */
    char comm[16];   /* the kernel's short name of the process, ended by NUL; any bytes */
};

/* The strings that can follow the base. At most one of each. */
enum rollcall_text_field {
    ROLLCALL_EXE = 1,     /* exec: the path that was executed, as it was given; exists: the path of
                             the running program; Windows create: the image file name */
    ROLLCALL_ARGS = 2,    /* Linux: the arguments, each ended by NUL */
    ROLLCALL_CWD = 3,     /* the working directory */
    ROLLCALL_COMMAND = 4, /* Windows: the command line, one string */
    ROLLCALL_USER = 5     /* Windows: the user's SID in text form */
};

/* Bits of a string's `flags`. */
enum rollcall_text_flag {
    ROLLCALL_TEXT_CUT = 1 << 0,        /* not all of it: the end is missing, of a path that the
                                         kernel was asked for (cwd; exe of `exists`) the
                                         beginning; full_size is the true size */
    ROLLCALL_TEXT_UNREADABLE = 1 << 1, /* parts could not be read; NUL bytes stand for them */
    ROLLCALL_TEXT_INEXACT = 1 << 2     /* Windows create, exe: not surely the name that was opened;
                                          it can be a part of it */
};

/*
 * The head of a string; `size` bytes follow it, then padding up to a multiple
 * of 8. Windows text is UTF-8; a surrogate without its other half, which
 * names and command lines can hold there, is kept as the three bytes that
 * the same rule gives (WTF-8), so that nothing is replaced. Linux text is
 * whatever bytes the kernel has, normally UTF-8, unchanged. What is made of
 * bytes that are not UTF-8 is the business of whoever prints them.
 */
struct rollcall_text {
    uint16_t field;     /* enum rollcall_text_field */
    uint16_t flags;     /* enum rollcall_text_flag */
    uint32_t size;      /* bytes that follow, padding not counted */
    uint64_t full_size; /* bytes that there were; 0 with ROLLCALL_TEXT_CUT: not known */
};

#define ROLLCALL_ALIGN(n) (((n) + 7u) & ~(size_t)7u)

/* C and C++ spell it differently, and what runs inside a kernel has no assert.h. */
#ifdef __cplusplus
#define ROLLCALL_ASSERT static_assert
#else
#define ROLLCALL_ASSERT _Static_assert
#endif

ROLLCALL_ASSERT(sizeof(struct rollcall_event) == 128, "the base has one size everywhere");
ROLLCALL_ASSERT(offsetof(struct rollcall_event, size) == 0, "offset of size");
ROLLCALL_ASSERT(offsetof(struct rollcall_event, version) == 4, "offset of version");
ROLLCALL_ASSERT(offsetof(struct rollcall_event, type) == 6, "offset of type");
ROLLCALL_ASSERT(offsetof(struct rollcall_event, flags) == 8, "offset of flags");
ROLLCALL_ASSERT(offsetof(struct rollcall_event, present) == 12, "offset of present");
ROLLCALL_ASSERT(offsetof(struct rollcall_event, seq) == 16, "offset of seq");
ROLLCALL_ASSERT(offsetof(struct rollcall_event, mono_ns) == 24, "offset of mono_ns");
ROLLCALL_ASSERT(offsetof(struct rollcall_event, start_ns) == 32, "offset of start_ns");
ROLLCALL_ASSERT(offsetof(struct rollcall_event, pid) == 40, "offset of pid");
ROLLCALL_ASSERT(offsetof(struct rollcall_event, ppid) == 44, "offset of ppid");
ROLLCALL_ASSERT(offsetof(struct rollcall_event, parent_start_ns) == 48,
                "offset of parent_start_ns");
ROLLCALL_ASSERT(offsetof(struct rollcall_event, creator_pid) == 56, "offset of creator_pid");
ROLLCALL_ASSERT(offsetof(struct rollcall_event, creator_tid) == 60, "offset of creator_tid");
ROLLCALL_ASSERT(offsetof(struct rollcall_event, uid) == 64, "offset of uid");
ROLLCALL_ASSERT(offsetof(struct rollcall_event, gid) == 68, "offset of gid");
ROLLCALL_ASSERT(offsetof(struct rollcall_event, session) == 72, "offset of session");
ROLLCALL_ASSERT(offsetof(struct rollcall_event, tty) == 76, "offset of tty");
ROLLCALL_ASSERT(offsetof(struct rollcall_event, ns_pid) == 80, "offset of ns_pid");
ROLLCALL_ASSERT(offsetof(struct rollcall_event, pid_ns) == 84, "offset of pid_ns");
ROLLCALL_ASSERT(offsetof(struct rollcall_event, cgroup) == 88, "offset of cgroup");
ROLLCALL_ASSERT(offsetof(struct rollcall_event, status) == 96, "offset of status");
ROLLCALL_ASSERT(offsetof(struct rollcall_event, reason) == 100, "offset of reason");
ROLLCALL_ASSERT(offsetof(struct rollcall_event, lost) == 104, "offset of lost");
ROLLCALL_ASSERT(offsetof(struct rollcall_event, comm) == 112, "offset of comm");
ROLLCALL_ASSERT(sizeof(struct rollcall_text) == 16, "the head of a string has one size everywhere");
ROLLCALL_ASSERT(offsetof(struct rollcall_text, full_size) == 8, "offset of full_size");

#undef ROLLCALL_ASSERT

#endif
