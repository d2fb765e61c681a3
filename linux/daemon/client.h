/* SPDX-License-Identifier: MIT */
/*
 * A connection, and what it reads from. It reads from the archive, until the engine has its next
 * event in memory; then it is a consumer of the engine, until that has given up what it wants next.
 *
 *     new -> (waits for its name to be stored) -> archive <-> live
 *
 * All belongs to the thread of the clients but `queue`, `shown_seq`, `lost`, `unsent`, `closed` and `broken`, which the
 * engine's lock guards, and what client_answer_taken() touches: that may run in the source's thread, once at a
 * time because of `queue.busy`. So that nothing of the client goes meanwhile, the request that was
 * taken has a reference to it; the descriptor is closed by whoever gives back the last one.
 *
 * Why the change from live to archive loses nothing: behind() says the number that comes next, and
 * that is what the archive goes on with. It is called with the lock held by who would have filled
 * the request, so no answer before it is still to be filled; and the engine answers nothing more, as
 * the consumer is behind until it is closed. From archive to live: engine_attach_at() takes the place if
 * the log has the next number, or says that it is behind; what is between the archive has, or will have.
 */
#ifndef LINUX_DAEMON_CLIENT_H
#define LINUX_DAEMON_CLIENT_H

#include "linux/daemon/access.h"
#include "linux/daemon/archive.h"
#include "linux/daemon/existing.h"
#include "linux/daemon/host.h"
#include "linux/daemon/measures.h"
#include "linux/daemon/places.h"
#include "linux/daemon/view.h"

enum client_mode { CLIENT_NEW, CLIENT_WAITS, CLIENT_ARCHIVE, CLIENT_LIVE, CLIENT_CLOSED };

/* An answer for which the socket had no room. */
struct unsent {
    struct unsent *next;
    size_t size;
    unsigned char bytes[];
};

/* What all clients have in common. */
struct service {
    struct host *host;
    struct places *places;
    const struct measures *measures;
    const char *kernel_name; /* of the consumer that the daemon is itself in the kernel */
    struct archive archive;
    struct slot slot; /* for answers of the thread of the clients */
    struct client *clients;
};

struct client {
    struct service *service;
    int fd;
    struct peer peer;
    enum client_mode mode;
    uint64_t consumer;    /* of the engine, when live */
    struct position next; /* the next event, when it reads from the archive */
    struct position acked;
    struct durable *place;     /* NULL: it is ephemeral */
    bool asked;                /* it has fetched, or tried to */
    bool awaits;               /* what it is to get next is not stored yet */
    struct existing *existing; /* what it is being told of those that were there; NULL: nothing */
    uint64_t waits_version;    /* of its place, or of a name that it has removed */
    uint64_t waits_seq;        /* up to where the list that it asks for is to be stored */
    struct pended waits;       /* the request that waits for one of these */
    struct view view;          /* if it has only RIGHT_OWN */
    uint64_t stuck_since_ns;   /* it does not read; 0: it does */
    struct queue queue;
    uint64_t shown_seq; /* the newest number that its view has given */
    uint64_t lost;      /* events in gaps that it was given */
    struct unsent *unsent;
    bool closed;
    bool broken; /* nothing can be sent to it any more */
    struct client *next_client;
    struct client *previous_client;
};

/* NULL: no memory. The descriptor is the client's then. */
struct client *client_new(struct service *service, int fd, const struct peer *peer);

/* It is going away. What it had not acknowledged waits for its successor. */
void client_close(struct client *client);

void client_release(struct client *client);

/* Whether it sees only a part of the events. */
bool client_has_view(const struct client *client);

/* Begins to deliver behind this place. */
void client_begin(struct client *client, const struct position *acked);

/* Answers an errno value, or 0 and `size` bytes of the slot. */
void client_answer(struct client *client, struct slot *slot, uint32_t tag, uint32_t error,
                   size_t size);

/* Writes the reply with the next of the processes that were there. 0 or an errno value. */
int client_tell_existing(struct client *client, void *reply, size_t room, size_t *bytes);

/* Something was stored: goes on if that is what it waits for. */
void client_stored(struct client *client);

/* Acknowledges: 0 or an errno value. */
int client_acknowledge(struct client *client, const struct rollcall_acknowledge *request);

/* Checks a fetch, a drain or a wait and does what it acknowledges, then pends it: 0 or an errno. */
int client_pend(struct client *client, const struct pended *request, const void *in, size_t size);

/* Answers at once what there is. 0 or an errno value. */
int client_drain(struct client *client, const void *in, size_t size, size_t room, size_t *bytes);

/* Does what there is to do for a client that is ready. */
void client_serve(struct client *client);

/* Sends what is unsent. Returns whether all of it is gone. */
bool client_flush(struct client *client);

/* The errno value that says it. */
int client_error(enum engine_status status);

/* ---- for the host ---- */

/* Takes a request out of its queue, with a reference to the client; NULL: none, or not now. The lock is
 * held. */
struct pended *client_take(struct client *client);

/* Answers what was taken. */
void client_answer_taken(struct client *client, struct slot *slot, int error, size_t size);

#endif
