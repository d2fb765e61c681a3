/* SPDX-License-Identifier: MIT */
/*
 * What a consumer asks of the engine: the same requests as IOCTLs of the Windows driver and as
 * messages of the Linux daemon. librollcall speaks it; a program normally uses that.
 *
 * The inverted call: a consumer attaches, then sends `fetch` requests ahead of time. Each carries
 * the acknowledgement of what came before ("commit and fetch"), stays pended while there is
 * nothing, and is completed with as many whole records as fit into its buffer. Any number can be
 * pended; the replies say which numbers they carry, so that they can be put in order.
 *
 * Every request begins with struct rollcall_request and is exactly as long as its structure; what
 * is longer, shorter, of another version, or has a reserved field or an unknown flag set, is
 * refused and changes nothing. All numbers are in the byte order of the machine.
 */
#ifndef ROLLCALL_PROTOCOL_H
#define ROLLCALL_PROTOCOL_H

#include <rollcall/event.h>

#include <stddef.h>
#include <stdint.h>

#define ROLLCALL_PROTOCOL_VERSION 1

/* The Windows device: its name in the object manager, and as CreateFile() takes it. */
#define ROLLCALL_DEVICE_NAME L"\\Device\\rollcall"
#define ROLLCALL_DEVICE_LINK L"\\DosDevices\\Global\\rollcall"
#define ROLLCALL_DEVICE_PATH L"\\\\.\\rollcall"

/*
 * The codes, built as Windows' CTL_CODE() does: device type, access that the handle must have,
 * function, METHOD_BUFFERED. What changes anything needs the right to write.
 */
#define ROLLCALL_DEVICE_TYPE  0x8a15u
#define ROLLCALL_ACCESS_READ  1u
#define ROLLCALL_ACCESS_WRITE 2u
#define ROLLCALL_CODE(function, access)                                                            \
    (ROLLCALL_DEVICE_TYPE << 16 | (access) << 14 | (function) << 2)

/* in: rollcall_attach, out: rollcall_attached. Once for each handle, before the others. */
#define ROLLCALL_CODE_ATTACH ROLLCALL_CODE(0x801u, ROLLCALL_ACCESS_READ | ROLLCALL_ACCESS_WRITE)
/* in: rollcall_fetch, out: rollcall_reply and records. Acknowledges, then waits for events. */
#define ROLLCALL_CODE_FETCH ROLLCALL_CODE(0x802u, ROLLCALL_ACCESS_READ | ROLLCALL_ACCESS_WRITE)
/* The same, but never waits: a reply with count 0 when there is nothing. */
#define ROLLCALL_CODE_DRAIN ROLLCALL_CODE(0x803u, ROLLCALL_ACCESS_READ | ROLLCALL_ACCESS_WRITE)
/* in: rollcall_request, out: rollcall_ready. Completed when there is something to fetch. */
#define ROLLCALL_CODE_WAIT ROLLCALL_CODE(0x804u, ROLLCALL_ACCESS_READ)
/* in: rollcall_acknowledge, out: nothing. */
#define ROLLCALL_CODE_ACKNOWLEDGE                                                                  \
    ROLLCALL_CODE(0x805u, ROLLCALL_ACCESS_READ | ROLLCALL_ACCESS_WRITE)
/* in: rollcall_request, out: rollcall_engine_stats and as many rollcall_consumer_stats as there
 * are and fit. Needs no attach. */
#define ROLLCALL_CODE_STATS ROLLCALL_CODE(0x806u, ROLLCALL_ACCESS_READ)
/* in: rollcall_configure, out: nothing. Needs no attach. */
#define ROLLCALL_CODE_CONFIGURE ROLLCALL_CODE(0x807u, ROLLCALL_ACCESS_WRITE)
/* in: rollcall_detach_request, out: nothing. Removes a durable consumer; needs no attach. */
#define ROLLCALL_CODE_DETACH ROLLCALL_CODE(0x808u, ROLLCALL_ACCESS_WRITE)
/* in: rollcall_request, out: nothing. Windows unloads a driver only when its last handle is closed:
 * this ends what is pended on every handle that there is, and refuses what comes on them
 * (STATUS_DEVICE_REMOVED; acknowledgements are taken), so that their owners close them. Handles
 * opened later are as any. Needs no attach. */
#define ROLLCALL_CODE_RELEASE ROLLCALL_CODE(0x809u, ROLLCALL_ACCESS_WRITE)

/* in: rollcall_resume, out: rollcall_attached. An attach without a name that begins behind a place;
 * Linux. */
#define ROLLCALL_CODE_RESUME ROLLCALL_CODE(0x80au, ROLLCALL_ACCESS_READ | ROLLCALL_ACCESS_WRITE)

/* in: rollcall_request, out: rollcall_reply and records. Some more of the processes that were there
 * before the consumer's first event, as `exists` records, and behind the last of them a `synced`;
 * their seq is 0. For a consumer without a name that has not fetched anything yet: its place is set
 * anew by the first of these requests, so that each process is either told of here or created by an
 * event; the reply's first_seq is what comes next. Linux. */
#define ROLLCALL_CODE_EXISTING ROLLCALL_CODE(0x80bu, ROLLCALL_ACCESS_READ | ROLLCALL_ACCESS_WRITE)

/* in: rollcall_request, out: rollcall_daemon_report and as many rollcall_consumer_report as there are
 * and fit (rollcall/daemon.h). Needs no attach; Linux. */
#define ROLLCALL_CODE_REPORT ROLLCALL_CODE(0x80cu, ROLLCALL_ACCESS_READ)

/*
 * The socket of the Linux daemon, SOCK_SEQPACKET: each packet of the consumer is a rollcall_message
 * and the request, each of the daemon's a rollcall_answer and what the request has as `out`. Answers
 * come in any order; the tag says which request it is. What cannot be told by a tag has tag 0.
 */
#define ROLLCALL_SOCKET_PATH "/run/rollcall/rollcalld.socket"

struct rollcall_message {
    uint32_t code;     /* ROLLCALL_CODE_... */
    uint32_t tag;      /* any number; it comes back with the answer */
    uint32_t room;     /* bytes that the answer may have, its head not counted */
    uint32_t reserved; /* 0 */
};

/* error: 0, or an errno value. EINVAL malformed, or acknowledges what was not delivered; EMSGSIZE there
 * is not enough room; EBUSY the name is in use; ENOENT there is no such name; EUSERS a limit; ENOTCONN not
 * attached; EACCES, EPERM no right; ENOBUFS too many requests are pended; ESTALE all events of this epoch
 * have been acknowledged: attach again for the next one; EIO the journal fails. */
struct rollcall_answer {
    uint32_t tag;
    uint32_t error;
    uint32_t size; /* bytes that follow */
    uint32_t reserved;
};

/* The head of every request. */
struct rollcall_request {
    uint16_t version; /* ROLLCALL_PROTOCOL_VERSION */
    uint16_t flags;   /* of this request; 0 where it has none */
    uint32_t size;    /* bytes of the whole request */
};

enum rollcall_attach_flag {
    ROLLCALL_ATTACH_OLDEST = 1 << 0,   /* begin with the oldest event that is kept, else from now;
                                          a durable consumer that is there keeps its place */
    ROLLCALL_ATTACH_CONTINUE = 1 << 1, /* only a durable consumer that is there already */
    ROLLCALL_ATTACH_DENY = 1 << 2      /* while attached, hold the policy `deny`: refuse processes
                                          rather than lose an event of this consumer */
};

#define ROLLCALL_CONSUMER_NAME 64 /* bytes; not ended by NUL when all are used */

struct rollcall_attach {
    struct rollcall_request request; /* flags: enum rollcall_attach_flag */
    uint32_t name_size;              /* bytes; 0: an ephemeral consumer, gone with its handle */
    uint32_t reserved;
    char name[ROLLCALL_CONSUMER_NAME]; /* letters, digits, '_', '-'; 0 behind name_size */
};

struct rollcall_resume {
    struct rollcall_request request;
    uint64_t epoch;
    uint64_t acked_seq; /* the first event delivered comes after this one */
};

struct rollcall_attached {
    uint64_t epoch;         /* which collection `seq` counts in: microseconds since 1970 */
    uint64_t acked_seq;     /* the first event delivered comes after this one */
    uint64_t last_seq;      /* of the newest event there is */
    int64_t wall_offset_ns; /* add to mono_ns: nanoseconds since 1970 */
    uint32_t record_max;    /* bytes of the largest record possible */
    uint32_t continued;     /* 1: a durable consumer that was there, 0: a new one */
};

struct rollcall_fetch {
    struct rollcall_request request;
    uint64_t acked_seq; /* acknowledges all up to it; 0: nothing. Not beyond what was delivered */
};

struct rollcall_reply {
    uint64_t epoch;
    uint64_t first_seq; /* of the first record */
    uint64_t last_seq;  /* of the last; of a gap its last missing number */
    uint32_t count;     /* records that follow; 0: first_seq is what comes next */
    uint32_t size;      /* their bytes. With count 0 in a reply that says that the buffer is too
                           small: the bytes that the next record needs, this head not counted */
};

struct rollcall_ready {
    uint64_t next_seq; /* the first that a fetch would deliver */
    uint64_t last_seq; /* the newest */
};

struct rollcall_acknowledge {
    struct rollcall_request request;
    uint64_t acked_seq;
};

enum rollcall_configure_flag {
    ROLLCALL_CONFIGURE_BUDGET = 1 << 0, /* budget is set */
    ROLLCALL_CONFIGURE_RECORD = 1 << 1  /* record_max is set */
};

struct rollcall_configure {
    struct rollcall_request request; /* flags: enum rollcall_configure_flag */
    uint64_t budget;                 /* bytes for events that wait */
    uint32_t record_max;             /* bytes of a record; what is longer has its strings cut */
    uint32_t reserved;
};

#define ROLLCALL_BUDGET_MIN     (64u << 10)
#define ROLLCALL_BUDGET_MAX     (1u << 30)
#define ROLLCALL_BUDGET_DEFAULT (32u << 20)
#define ROLLCALL_RECORD_MIN     1024u
#define ROLLCALL_RECORD_MAX     (256u << 10)
#define ROLLCALL_REPLY_MAX      ROLLCALL_RECORD_MAX /* bytes of records in one reply, at most */
#ifndef ROLLCALL_CONSUMERS_MAX                      /* the Linux daemon is built for more */
#define ROLLCALL_CONSUMERS_MAX 64u                  /* durable and ephemeral ones together */
#endif
#define ROLLCALL_PENDED_MAX 256u /* requests of one consumer */

struct rollcall_detach_request {
    struct rollcall_request request;
    uint32_t name_size;
    uint32_t reserved;
    char name[ROLLCALL_CONSUMER_NAME];
};

struct rollcall_engine_stats {
    uint64_t epoch;
    uint64_t attached_ns;            /* mono_ns when the capture began */
    uint64_t oldest_seq;             /* of the oldest event that is kept; 0: none is */
    uint64_t last_seq;               /* of the newest; as many as were raised in this epoch */
    uint64_t lost[ROLLCALL_REASONS]; /* events that no consumer can have, by reason */
    uint64_t denied;                 /* processes refused by the policy */
    uint64_t texts_cut;              /* records of which strings were cut, or left out */
    uint64_t budget;                 /* bytes */
    uint64_t used;                   /* bytes of the budget that are in use */
    uint32_t record_max;             /* bytes */
    uint32_t deny;                   /* 1: the policy is in force */
    uint32_t consumers;              /* how many there are */
    uint32_t given;                  /* how many rollcall_consumer_stats follow */
};

struct rollcall_consumer_stats {
    uint64_t acked_seq;     /* acknowledged up to here */
    uint64_t delivered_seq; /* handed out up to here */
    uint64_t lost;          /* events in gaps that were delivered to it */
    uint32_t pended;        /* requests that wait */
    uint32_t pid;           /* of the process that has it; 0: nobody, it is durable and waits */
    uint32_t name_size;     /* 0: ephemeral */
    uint32_t deny;          /* 1: it holds the policy */
    char name[ROLLCALL_CONSUMER_NAME];
};

#ifdef __cplusplus
#define ROLLCALL_ASSERT static_assert
#else
#define ROLLCALL_ASSERT _Static_assert
#endif

ROLLCALL_ASSERT(sizeof(struct rollcall_request) == 8, "size of rollcall_request");
ROLLCALL_ASSERT(offsetof(struct rollcall_request, flags) == 2, "offset of flags");
ROLLCALL_ASSERT(offsetof(struct rollcall_request, size) == 4, "offset of size");
ROLLCALL_ASSERT(sizeof(struct rollcall_attach) == 80, "size of rollcall_attach");
ROLLCALL_ASSERT(offsetof(struct rollcall_attach, name_size) == 8, "offset of name_size");
ROLLCALL_ASSERT(offsetof(struct rollcall_attach, name) == 16, "offset of name");
ROLLCALL_ASSERT(sizeof(struct rollcall_message) == 16, "size of rollcall_message");
ROLLCALL_ASSERT(sizeof(struct rollcall_answer) == 16, "size of rollcall_answer");
ROLLCALL_ASSERT(sizeof(struct rollcall_resume) == 24, "size of rollcall_resume");
ROLLCALL_ASSERT(sizeof(struct rollcall_attached) == 40, "size of rollcall_attached");
ROLLCALL_ASSERT(offsetof(struct rollcall_attached, acked_seq) == 8, "offset of acked_seq");
ROLLCALL_ASSERT(offsetof(struct rollcall_attached, last_seq) == 16, "offset of last_seq");
ROLLCALL_ASSERT(offsetof(struct rollcall_attached, wall_offset_ns) == 24, "offset of wall_offset");
ROLLCALL_ASSERT(offsetof(struct rollcall_attached, record_max) == 32, "offset of record_max");
ROLLCALL_ASSERT(offsetof(struct rollcall_attached, continued) == 36, "offset of continued");
ROLLCALL_ASSERT(sizeof(struct rollcall_fetch) == 16, "size of rollcall_fetch");
ROLLCALL_ASSERT(offsetof(struct rollcall_fetch, acked_seq) == 8, "offset of acked_seq");
ROLLCALL_ASSERT(sizeof(struct rollcall_reply) == 32, "size of rollcall_reply");
ROLLCALL_ASSERT(offsetof(struct rollcall_reply, first_seq) == 8, "offset of first_seq");
ROLLCALL_ASSERT(offsetof(struct rollcall_reply, last_seq) == 16, "offset of last_seq");
ROLLCALL_ASSERT(offsetof(struct rollcall_reply, count) == 24, "offset of count");
ROLLCALL_ASSERT(offsetof(struct rollcall_reply, size) == 28, "offset of size");
ROLLCALL_ASSERT(sizeof(struct rollcall_ready) == 16, "size of rollcall_ready");
ROLLCALL_ASSERT(offsetof(struct rollcall_ready, last_seq) == 8, "offset of last_seq");
ROLLCALL_ASSERT(sizeof(struct rollcall_acknowledge) == 16, "size of rollcall_acknowledge");
ROLLCALL_ASSERT(offsetof(struct rollcall_acknowledge, acked_seq) == 8, "offset of acked_seq");
ROLLCALL_ASSERT(sizeof(struct rollcall_configure) == 24, "size of rollcall_configure");
ROLLCALL_ASSERT(offsetof(struct rollcall_configure, budget) == 8, "offset of budget");
ROLLCALL_ASSERT(offsetof(struct rollcall_configure, record_max) == 16, "offset of record_max");
ROLLCALL_ASSERT(sizeof(struct rollcall_detach_request) == 80, "size of rollcall_detach_request");
ROLLCALL_ASSERT(offsetof(struct rollcall_detach_request, name) == 16, "offset of name");
ROLLCALL_ASSERT(sizeof(struct rollcall_engine_stats) == 112, "size of rollcall_engine_stats");
ROLLCALL_ASSERT(offsetof(struct rollcall_engine_stats, lost) == 32, "offset of lost");
ROLLCALL_ASSERT(offsetof(struct rollcall_engine_stats, denied) == 64, "offset of denied");
ROLLCALL_ASSERT(offsetof(struct rollcall_engine_stats, record_max) == 96, "offset of record_max");
ROLLCALL_ASSERT(offsetof(struct rollcall_engine_stats, given) == 108, "offset of given");
ROLLCALL_ASSERT(sizeof(struct rollcall_consumer_stats) == 104, "size of rollcall_consumer_stats");
ROLLCALL_ASSERT(offsetof(struct rollcall_consumer_stats, pended) == 24, "offset of pended");
ROLLCALL_ASSERT(offsetof(struct rollcall_consumer_stats, name) == 40, "offset of name");

#undef ROLLCALL_ASSERT

#endif
