/* SPDX-License-Identifier: MIT */
/*
 * What a test asks of the runtime, through the device \\.\rollcall-test, which is there while the
 * driver is. All with METHOD_BUFFERED.
 */
#ifndef TESTS_WINE_CONTROL_H
#define TESTS_WINE_CONTROL_H

#include <stdint.h>

#define CONTROL_PATH           L"\\\\.\\rollcall-test"
#define CONTROL_CODE(function) (0x8a16u << 16 | (function) << 2)

/* in: control_process and its texts; out: control_result. The notify routine is called on a thread
 * of the runtime; requests of several test threads at the same time. */
#define CONTROL_CREATE CONTROL_CODE(0x801u)
/* in: control_exit; out: control_result. */
#define CONTROL_EXIT CONTROL_CODE(0x802u)
/* in: control_bulk; out: control_result, status: how many were refused. */
#define CONTROL_BULK CONTROL_CODE(0x803u)
/* in: nothing; out: control_facts. */
#define CONTROL_FACTS CONTROL_CODE(0x806u)
/* in: uint32_t n; the n-th allocation from now on fails, of pool or of an object. 0: none. */
#define CONTROL_FAIL_ALLOCATION CONTROL_CODE(0x807u)
/* in: uint32_t; 1: each allocation fails from now on, 0: none does. */
#define CONTROL_FAIL_ALL CONTROL_CODE(0x80au)
/* in: uint32_t pid; out: uint64_t, the start key of that process, 0: there is none. */
#define CONTROL_START_KEY CONTROL_CODE(0x808u)
/* in: nothing; out: uint32_t, the pids of the processes that live. */
#define CONTROL_PIDS CONTROL_CODE(0x809u)

enum control_flag {
    CONTROL_NO_IMAGE = 1 << 0,      /* no image file name */
    CONTROL_NO_COMMAND = 1 << 1,    /* no command line */
    CONTROL_INEXACT_IMAGE = 1 << 2, /* FileOpenNameAvailable is not set */
    CONTROL_SUBSYSTEM = 1 << 3,     /* of a subsystem: only Ex2 is told */
    CONTROL_NO_USER = 1 << 4,       /* its token cannot be asked */
    CONTROL_REFUSED = 1 << 5,       /* somebody before us refused it */
    CONTROL_REFUSED_AFTER = 1 << 6, /* somebody after us refuses it */
    CONTROL_CREATE_EACH = 1 << 7,   /* bulk: create each */
    CONTROL_EXIT_EACH = 1 << 8,     /* bulk: each exits, behind its creation */
    CONTROL_PROTECTED = 1 << 9,     /* a protected process */
    CONTROL_LISTED = 1 << 10,       /* it has been in the list for a while, only its creation was
                                       not told yet */
    CONTROL_NO_EXIT = 1 << 11,      /* if it is refused its exit is not told */
    CONTROL_EXIT_LATER = 1 << 12    /* if it is refused a test tells its exit */
};

/*
 * The setting StartRaces: so many processes of each of these kinds, in steps of 4 from these pids.
 * All are in the list of processes that the driver asks for when it starts.
 */
enum control_race {
    RACE_TOLD_LATER = 300000,  /* a test tells of their creation, with CONTROL_LISTED */
    RACE_ENDED = 310000,       /* have exited before there was anybody to tell; of every other one
                                  somebody else gets the pid when it is looked up */
    RACE_CREATED = 320000,     /* their creation is told when the list is asked for */
    RACE_EXITS = 330000,       /* their exit is: every other one can still be looked up after it */
    RACE_GONE = 340000,        /* exit when they are looked up */
    RACE_REUSED = 350000,      /* the same, and somebody else gets their pid */
    RACE_EXITS_NAMED = 360000, /* exit when they are asked for their image's name */
    RACE_TOLD_NAMED = 370000,  /* their creation is told then */
    RACE_ENDING = 380000,      /* have begun to exit; a test tells of it */
    RACE_END = 390000
};

#define CONTROL_TEXT_MAX 32767u /* characters */

struct control_process {
    uint32_t pid, ppid;
    uint32_t creator_pid, creator_tid;
    uint32_t session;
    uint32_t flags;
    int64_t create_time;    /* FILETIME; 0: now */
    uint32_t sub_authority; /* its user is S-1-5-21-1-2-3-<this>; 0: 1001 */
    uint32_t image_size;    /* bytes of UTF-16 that follow */
    uint32_t command_size;  /* bytes that follow those */
    uint32_t reserved;
};

struct control_exit {
    uint32_t pid;
    uint32_t status;
};

struct control_bulk {
    uint32_t first_pid; /* then in steps of 4 */
    uint32_t count;
    uint32_t flags;
    uint32_t status;       /* of the exits */
    uint32_t command_size; /* bytes of a command line made of 'x' */
    uint32_t ppid;
};

struct control_result {
    uint32_t status; /* NTSTATUS of the creation */
    uint32_t called; /* how often the notify routine was called */
};

struct control_facts {
    uint32_t reports;
    uint32_t objects;     /* of the framework, alive */
    uint32_t allocations; /* of pool, alive */
    uint32_t notify;      /* 0: none is registered, 1: Ex, 2: Ex2 */
    uint32_t creations;   /* that the notify routine was called with, since the start */
    uint32_t exits;       /* the same */
    uint32_t raising;     /* threads of the setting StartThreads, and races, that are not done */
    uint32_t fail_in;     /* allocations until one fails; 0: it has, or none is to */
    uint32_t characteristics; /* of the device */
    uint32_t exclusive;
    uint64_t allocated; /* bytes of pool */
    uint64_t made;      /* allocations of pool since the driver process began */
    uint16_t sddl[256];
};

#endif
