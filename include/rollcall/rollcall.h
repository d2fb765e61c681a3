/* SPDX-License-Identifier: MIT */
/*
 * librollcall: every process event, in order, none missing, until acknowledged.
 *
 *     struct rollcall *rc;
 *     struct rollcall_batch batch;
 *     int err = rollcall_open(NULL, &rc);
 *     if (err < 0)
 *         errx(1, "%s", rollcall_error());
 *     while (rollcall_next(rc, -1, &batch) > 0) {
 *         const struct rollcall_event *e = NULL;
 *         while ((e = rollcall_batch_next(&batch, e)))
 *             ...;
 *         rollcall_ack(rc, batch.last_seq);
 *     }
 *     rollcall_close(rc);
 *
 * Errors: functions that return int return 0 or a positive number on success
 * and a negative errno value on failure; rollcall_error() then says in words
 * what went wrong and what to do about it.
 *
 * Threads: a `struct rollcall` may be used by one thread at a time, but for
 * rollcall_interrupt(). Different ones are independent of each other.
 * Functions that take only an event or a batch may be called by any number of
 * threads. A child made by fork() has none of them: its events are not mapped
 * there.
 */
#ifndef ROLLCALL_H
#define ROLLCALL_H

#include <rollcall/daemon.h>
#include <rollcall/event.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rollcall; /* an open consumer */

/* Bits of rollcall_options.flags. */
enum rollcall_open_flag {
    ROLLCALL_EXISTING = 1 << 0, /* also report the processes that are there already, as `exists`
                                   records and then one `synced`; always on for a named consumer.
                                   From the daemon, and on Windows, their seq is 0 */
    ROLLCALL_SPIN = 1 << 1,     /* rollcall_next() never sleeps while it waits: lowest latency,
                                   one processor spent */
    ROLLCALL_CONTINUE =
        1 << 2,               /* named consumer: only continue what is there, -ENOENT if nothing */
    ROLLCALL_DIRECT = 1 << 3, /* Linux: from the kernel itself, which needs root */
    ROLLCALL_DAEMON = 1 << 4  /* Linux: from rollcalld, and not from the kernel when there is none.
                                   Without either: from rollcalld if it is there; a named consumer
                                   that is in the kernel already is continued there */
};

/* What happens when the memory for events that wait is spent. */
enum rollcall_on_full {
    ROLLCALL_ON_FULL_GAP = 0, /* events are lost, and a gap says in their place how many */
    ROLLCALL_ON_FULL_DENY = 1 /* processes whose events could not be kept are refused */
};

#define ROLLCALL_DEFAULT_RING_SIZE     (64u << 20)
#define ROLLCALL_DEFAULT_LATENCY_US    1000u
#define ROLLCALL_DEFAULT_ARGS_MAX      (32u << 10)
#define ROLLCALL_DEFAULT_DENY_GRACE_MS 60000u
#define ROLLCALL_NAME_MAX              64

/*
 * How to open. Set `struct_size` to sizeof(struct rollcall_options): later versions add
 * fields at the end, and take those that the caller did not know as 0. A field that is 0
 * means its default.
 */
struct rollcall_options {
    size_t struct_size;  /* sizeof(struct rollcall_options) */
    const char *name;    /* NULL: an ephemeral consumer, gone with rollcall_close() or the process.
                            Else a durable one: it keeps its place, and events keep being
                            collected, while nobody has it open. Letters, digits, '_', '-'; at most
                            ROLLCALL_NAME_MAX bytes */
    uint64_t ring_size;  /* bytes for events that wait; a power of two from 4096 to 2^30. An
                            existing durable consumer keeps the size it was made with. Windows: the
                            driver's for all consumers, from 65536; 0 leaves it as it is */
    uint32_t latency_us; /* in a burst events are delivered at most this much later than at once,
                            so that wake-ups are shared; 1 .. 1000000 microseconds */
    uint32_t args_max;   /* bytes of arguments kept of each exec; 1 .. 8 MiB. Linux only */
    uint32_t flags;      /* enum rollcall_open_flag */
    const char *socket;  /* Linux: where the daemon listens; NULL: the usual place */
    uint32_t on_full; /* enum rollcall_on_full: the policy, which is that of whoever opened it last.
                            ROLLCALL_ON_FULL_DENY only for a named consumer; from the daemon it cannot
                            be had, which has its own */
    uint32_t deny_grace_ms; /* Linux: `deny` ends when nobody has had the consumer open for so long;
                                1 .. 86400000 milliseconds */
    const char *deny_exempt; /* Linux: whom `deny` does not refuse: the path of a cgroup's directory
                                (version 2), with all below it; NULL: none */
    /* Linux, of who keeps events: the newest event that is kept, its epoch and when that was (nanoseconds
     * since 1970); 0: none. If the programs and the ring are made anew, the epoch is larger, and if the
     * system was not booted since, the events begin with a gap: what came between is missing. */
    uint64_t kept_epoch;
    int64_t kept_time_ns;
};

/* Some whole events, in order. */
struct rollcall_batch {
    const struct rollcall_event *first; /* owned by the consumer, valid until its next call */
    size_t size;                        /* bytes of all records together */
    size_t count;                       /* how many records */
    uint64_t epoch;                     /* which collection `seq` counts in: it is a new one when
                                           the programs and the ring were made anew. Microseconds
                                           since 1970 when that was, or a little more than that of
                                           the one before if that is larger: clocks are set */
    uint64_t first_seq;                 /* the first record's */
    uint64_t last_seq;                  /* the last one's; of a gap its last missing number */
    int64_t wall_offset_ns;             /* add to mono_ns: nanoseconds since 1970 */
};

/* What is known of a consumer and its ring. */
struct rollcall_stats {
    uint64_t epoch;                  /* see rollcall_batch */
    uint64_t acked_seq;              /* acknowledged up to here */
    uint64_t delivered_seq;          /* handed out up to here (0 if not open in this process) */
    uint64_t lost[ROLLCALL_REASONS]; /* events lost since the epoch began, by reason */
    uint64_t late;                   /* processes announced by a later hook */
    uint64_t states_failed;          /* times the kernel had no memory for a process's state */
    uint64_t texts_cut;              /* records whose text was cut for want of memory: while more
                                        than half of the ring is used, to 256 bytes each */
    uint64_t ring_size;              /* bytes */
    uint64_t ring_used;              /* bytes not yet acknowledged */
    uint64_t wakeups;                /* wake-ups by an event, of this open consumer */
    uint64_t polls;                  /* looks at the ring in a burst, without a wake-up */
    uint64_t attached_ns;            /* when the capture began: mono_ns */
    uint32_t reader_pid;             /* who has it open; 0: nobody */
    uint32_t args_max;               /* bytes */
    uint32_t on_full;                /* enum rollcall_on_full: the policy */
    uint32_t deny_holds;             /* 1: `deny` is in force; 0: it is not, or waits for room */
    uint64_t denied;                 /* processes that it refused */
    uint64_t denied_execs;           /* Linux: programs that it refused */
    uint64_t exempted;               /* Linux: both, let through without room for their events */
    uint64_t promised;               /* Linux: bytes of the ring kept for what was admitted */
    uint64_t deny_ended;             /* Linux: times that nobody had it open for longer than
                                        deny_grace_ms */
    uint32_t deny_grace_ms;          /* Linux */
    uint32_t unpinned; /* Linux: somebody has removed what is pinned of an open consumer
                                        with a name, and it cannot be pinned again: errno; else 0 */
    char deny_way[24]; /* Linux: how processes are refused: "LSM programs", ... */
    uint64_t repinned; /* Linux: times that this was removed, and pinned again */
};

/*
 * Opens a consumer. opts: NULL for the defaults. *out: set on success; close it with
 * rollcall_close().
 * Errors: -EPERM not allowed, -EBUSY this name is open elsewhere (the text says by which
 * pid), -EINVAL an option is out of range, -ENOENT with ROLLCALL_CONTINUE, -EOPNOTSUPP this
 * kernel lacks something, -EPROTO the name was made by an incompatible version, -ENOMEM.
 */
int rollcall_open(const struct rollcall_options *opts, struct rollcall **out);

/* Closes and frees it; NULL is allowed. What was not acknowledged is delivered again to the
 * next one who opens the same name. */
void rollcall_close(struct rollcall *rc);

/*
 * A descriptor that poll(2) reports readable when rollcall_next() should be called. It is
 * only right after rollcall_next() with time-out 0 has returned 0; with ROLLCALL_SPIN it is
 * always readable. Owned by the consumer.
 */
int rollcall_fd(const struct rollcall *rc);

/*
 * Windows, where rollcall_fd() returns -ENOTSUP: the HANDLE of an event object that is signalled
 * when rollcall_next() should be called; for WaitForMultipleObjects(). It is only right after
 * rollcall_next() with time-out 0 has returned 0; with ROLLCALL_SPIN it is always signalled. Owned
 * by the consumer, which resets it. On Linux NULL.
 */
void *rollcall_handle(const struct rollcall *rc);

/*
 * The next events. Waits up to timeout_ms milliseconds (0: not at all, -1: without limit).
 * Returns how many there are in *batch, 0 if the time is over. -EINTR: a signal came, or
 * rollcall_interrupt(). In a burst it looks only once in `latency_us`, so that whatever a batch costs
 * the caller is shared by many events: until then it waits or returns 0, also when events are there
 * already. With ROLLCALL_SPIN it always looks, and returns 0 every 10 ms at the latest, so that the
 * caller can look around.
 * -EBADMSG: the ring holds what no rollcall program wrote.
 *
 * Windows: when the driver is stopped and started it is found again within a second or so, and the
 * batches that follow have its new epoch, whose numbers begin at 1. What had not been delivered
 * of the old one is gone with the driver, and so is every place in it: a durable consumer begins
 * with the oldest event of the new one. The records of ROLLCALL_EXISTING, which an ephemeral
 * consumer gets first, are in no collection there: their seq is 0.
 *
 * From the daemon: when that is gone it is waited for, and nothing is missed. A durable consumer begins
 * with the oldest event of the epoch that the daemon's journal has; after another boot it gets what
 * is left of the old epoch first, and the new one when it has acknowledged all of that. -ECONNRESET: one
 * that may see only its own user's processes has missed what happened while the daemon was gone.
 */
int rollcall_next(struct rollcall *rc, int timeout_ms, struct rollcall_batch *batch);

/*
 * Makes rollcall_next() return -EINTR: the one that waits, or else the next one that finds nothing. From
 * any thread, and from signal handlers; nobody may close the consumer meanwhile. With ROLLCALL_SPIN, too.
 */
void rollcall_interrupt(struct rollcall *rc);

/* Acknowledges all up to and including seq: they are never delivered again, and their memory
 * is free. The driver on Windows, and the daemon on Linux, is told at once if that was not done for
 * 0.1 s, else by the next rollcall_next() or by rollcall_close(): to who is killed before that they are
 * delivered again; so are, after the daemon was killed, the acknowledgements of its last second. -EINVAL: seq was not delivered yet. */
int rollcall_ack(struct rollcall *rc, uint64_t seq);

/* What is known of an open consumer. Set stats_size to sizeof(struct rollcall_stats). */
int rollcall_stats(struct rollcall *rc, struct rollcall_stats *stats, size_t stats_size);

/* The same of a durable consumer, by its name, without opening it. -ENOENT: there is none. */
int rollcall_inspect(const char *name, struct rollcall_stats *stats, size_t stats_size);

/* The same by options, of which name, flags (ROLLCALL_DIRECT, ROLLCALL_DAEMON) and socket count. */
int rollcall_inspect_at(const struct rollcall_options *opts, struct rollcall_stats *stats,
                        size_t stats_size);

/* Calls each() with the name of every durable consumer; a value other than 0 ends it and is
 * returned. */
int rollcall_names(int (*each)(const char *name, void *context), void *context);

/* The same by options, of which flags and socket count. */
int rollcall_names_at(const struct rollcall_options *opts,
                      int (*each)(const char *name, void *context), void *context);

/*
 * What rollcalld tells of itself, and each() with every consumer of it, as far as this user may know; a
 * value of each() other than 0 ends it and is returned. opts: NULL, or where it listens (socket).
 * Set report_size to sizeof(struct rollcall_daemon_report).
 * Errors: -ENOENT, -ECONNREFUSED no daemon listens there, -EPERM it does not let this user in,
 * -EOPNOTSUPP it is an older one, or this is no Linux.
 */
int rollcall_report(const struct rollcall_options *opts, struct rollcall_daemon_report *report,
                    size_t report_size,
                    int (*each)(const struct rollcall_consumer_report *consumer, void *context),
                    void *context);

/* Takes the named consumer, its programs and its ring out of the kernel; what it had not
 * acknowledged is gone. -EBUSY: somebody has it open. -ENOENT: there is none. */
int rollcall_detach(const char *name);

/* The same by options, of which name, flags and socket count. From the daemon a consumer is removed
 * there; the kernel keeps what is the daemon's. -EPERM: it is another user's. */
int rollcall_detach_at(const struct rollcall_options *opts);

/* What went wrong in this thread's last failed call, in words, and what to do. Never NULL. */
const char *rollcall_error(void);

/* The record after `event` (NULL: the first), or NULL after the last. */
const struct rollcall_event *rollcall_batch_next(const struct rollcall_batch *batch,
                                                 const struct rollcall_event *event);

/* A string of an event: `data` points into the event; it is not ended by NUL. */
struct rollcall_string {
    const char *data;
    size_t size;        /* bytes */
    uint64_t full_size; /* see struct rollcall_text */
    unsigned flags;     /* enum rollcall_text_flag */
};

/* Gets the string `field`. false if the event has none. */
bool rollcall_event_text(const struct rollcall_event *event, enum rollcall_text_field field,
                         struct rollcall_string *text);

/* Whether `size` bytes at `data` (8-byte aligned) begin with one whole, well-formed record. */
bool rollcall_event_valid(const void *data, size_t size);

/* Last sequence number that the record stands for: `seq`, of a gap the last missing one. */
uint64_t rollcall_event_last_seq(const struct rollcall_event *event);

/* Names as they stand in JSON: "create", "full"; "unknown" for a number that has none. */
const char *rollcall_type_name(unsigned type);
const char *rollcall_reason_name(unsigned reason);

#ifdef __cplusplus
}
#endif

#endif
