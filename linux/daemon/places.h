/* SPDX-License-Identifier: MIT */
/*
 * The durable consumers: their names, whose they are, and up to where each has acknowledged. The
 * thread of the clients changes them; the writer's thread stores what has changed in the journal. A lock of its own guards all; nothing else is taken under it.
 *
 * A name that is new or removed is so only when that is stored: who asked waits until stored_version
 * has reached the version that the change got. Acknowledgements are stored soon afterwards: who is
 * told nothing of them gets events again, at the worst.
 */
#ifndef LINUX_DAEMON_PLACES_H
#define LINUX_DAEMON_PLACES_H

#include "journal/journal.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define PLACES_MAX      256u
#define PLACES_USER_MAX 32u /* of one user, unless that is an administrator */

struct durable {
    struct journal_place kept; /* with epoch 0 it is removed, and free when that is stored */
    const void *owner;         /* who has it open; NULL: nobody */
    uint64_t version;          /* of its last change; 0: the place is free */
};

struct places {
    pthread_mutex_t lock;
    struct durable all[PLACES_MAX];
    uint64_t version;        /* of the last change */
    uint64_t stored_version; /* all changes up to it are stored */
    bool urgent;             /* somebody waits for that */
    int wake_fd;             /* wakes the writer's thread: something has to be stored */
};

/* wake_fd: an eventfd(2). 0 or a negative errno of the journal. */
int places_load(struct places *places, struct journal *journal, int wake_fd);
void places_destroy(struct places *places);

/*
 * Opens the name for `owner`; if it is not there and `make`, makes it, at `begin`. *version: 0 if it
 * was there, else what has to be stored before it counts. 0, or an errno value: EBUSY it is open,
 * EPERM it is somebody else's, ENOENT it is not there, EUSERS too many names.
 */
int places_open(struct places *places, const struct journal_place *begin, bool make,
                bool administrator, const void *owner, struct durable **place, uint64_t *version);

/* Nobody has it open any more. */
void places_close(struct places *places, struct durable *place);

/* All up to there is acknowledged. */
void places_acknowledge(struct places *places, struct durable *place, uint64_t epoch, uint64_t seq);

/* Where it stands. */
void places_get(struct places *places, const struct durable *place, struct journal_place *kept);

/* Removes the name: 0 and *version, or ENOENT, EBUSY, EPERM. */
int places_remove(struct places *places, const char *name, uint32_t uid, bool administrator,
                  uint64_t *version);

/* Copies those that are there and whether each is open; returns how many. */
size_t places_list(struct places *places, struct journal_place *list, bool *is_open, size_t room);

/* Whether all changes up to this one are stored. */
bool places_stored(struct places *places, uint64_t version);

/* For the writer's thread: whether a change waits for being stored, and whether that is urgent. */
bool places_due(struct places *places, bool *urgent);

/* Stores what has changed. 0 or a negative errno of the journal. */
int places_store(struct places *places, struct journal *journal);

#endif
