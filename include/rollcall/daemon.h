/* SPDX-License-Identifier: MIT */
/*
 * What rollcalld tells of itself and of its consumers: what rollcall_report() gives, and the daemon's
 * answer to ROLLCALL_CODE_REPORT. Later versions add fields at the end; each side says how long its
 * structures are, and takes as 0 what the other does not have.
 *
 * Who may see only its own user's processes is told of that user's connections, and of them only
 * what it knows itself: all else is 0.
 */
#ifndef ROLLCALL_DAEMON_REPORT_H
#define ROLLCALL_DAEMON_REPORT_H

#include <rollcall/event.h>

#include <stddef.h>
#include <stdint.h>

/* Where a consumer's next event comes from. */
enum rollcall_feed {
    ROLLCALL_FEED_NONE = 0,   /* nobody has it open: it is durable, and waits */
    ROLLCALL_FEED_MEMORY = 1, /* it is near: the daemon has it in memory */
    ROLLCALL_FEED_JOURNAL = 2 /* it is behind what memory holds */
};

/* Bits of `flags`. */
enum rollcall_report_flag {
    ROLLCALL_REPORT_OWN = 1 << 0, /* only what this user may know; of a consumer: that it sees
                                        only its own user's processes */
    ROLLCALL_REPORT_BLOCKED =
        1 << 1 /* the journal cannot be written now: events wait in the ring */
};

struct rollcall_daemon_report {
    uint32_t size;                   /* bytes of this structure */
    uint32_t consumer_size;          /* bytes of each rollcall_consumer_report */
    uint32_t consumers;              /* how many there are */
    uint32_t given;                  /* how many of them follow */
    uint32_t flags;                  /* enum rollcall_report_flag */
    uint32_t pid;                    /* of the daemon */
    uint64_t epoch;                  /* see struct rollcall_batch */
    uint64_t attached_ns;            /* when the capture began: mono_ns */
    uint64_t started_ns;             /* when the daemon did: mono_ns */
    uint64_t started_seq;            /* the newest number then */
    uint64_t last_seq;               /* the newest number now */
    uint64_t lost[ROLLCALL_REASONS]; /* by the kernel since the epoch began, by reason */
    uint64_t late;                   /* processes announced by a later hook */
    uint64_t states_failed;          /* times the kernel had no memory for a process's state */
    uint64_t texts_cut;              /* records whose text was cut for want of memory */
    uint64_t ring_size;              /* bytes in the kernel for events that wait for the daemon */
    uint64_t ring_used;              /* bytes of it that are in use */
    uint64_t memory_size;            /* bytes of the daemon for events that consumers want next */
    uint64_t memory_used;            /* bytes of it that are in use */
    uint64_t journal_bytes;          /* on the disk */
    uint64_t keep_bytes;             /* retention: the journal stays below; 0: no limit */
    uint64_t keep_seconds;           /* retention: events are kept so long; 0: for ever */
    uint64_t commits;                /* transactions since the daemon started */
    uint64_t commit_ns;              /* the time that all of them took */
    uint32_t connections;            /* how many there are, and may be */
    uint32_t connections_max;
    uint32_t names; /* durable consumers, and how many there may be */
    uint32_t names_max;
    uint32_t on_full;    /* enum rollcall_on_full: the policy of the ring */
    uint32_t deny_holds; /* as in struct rollcall_stats, like the following */
    uint64_t denied;
    uint64_t denied_execs;
    uint64_t exempted;
    uint64_t promised;
    uint64_t deny_ended;
};

struct rollcall_consumer_report {
    uint64_t epoch;         /* in which it is */
    uint64_t acked_seq;     /* acknowledged up to here */
    uint64_t delivered_seq; /* handed out up to here */
    uint64_t lag;           /* events that it has not acknowledged */
    uint64_t lag_ns;        /* how long ago the oldest of them happened; 0: there is none */
    uint64_t lost;          /* events in gaps that this connection was given */
    uint32_t pended;        /* requests that wait */
    uint32_t pid;           /* who has it open; 0: nobody */
    uint32_t uid;           /* whose it is */
    uint32_t feed;          /* enum rollcall_feed */
    uint32_t flags;         /* enum rollcall_report_flag */
    uint32_t name_size;     /* bytes; 0: it is ephemeral */
    char name[64];          /* not ended by NUL when all are used */
};

#ifdef __cplusplus
#define ROLLCALL_ASSERT static_assert
#else
#define ROLLCALL_ASSERT _Static_assert
#endif

ROLLCALL_ASSERT(sizeof(struct rollcall_daemon_report) == 256, "size of rollcall_daemon_report");
ROLLCALL_ASSERT(offsetof(struct rollcall_daemon_report, epoch) == 24, "offset of epoch");
ROLLCALL_ASSERT(offsetof(struct rollcall_daemon_report, connections) == 192, "of connections");
ROLLCALL_ASSERT(sizeof(struct rollcall_consumer_report) == 136, "size of rollcall_consumer_report");
ROLLCALL_ASSERT(offsetof(struct rollcall_consumer_report, pended) == 48, "offset of pended");
ROLLCALL_ASSERT(offsetof(struct rollcall_consumer_report, name) == 72, "offset of name");

#undef ROLLCALL_ASSERT

#endif
