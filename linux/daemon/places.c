/* SPDX-License-Identifier: MIT */
#include "linux/daemon/places.h"

#include "lib/error.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Whoever stores is woken by the first change, and by each that somebody waits for. */
static void changed(struct places *places, struct durable *place, bool urgent)
{
    bool first = places->version == places->stored_version;
    uint64_t one = 1;
    ssize_t written = 0;

    place->version = ++places->version;
    places->urgent |= urgent;
    if (first || urgent)
        written = write(places->wake_fd, &one, sizeof(one));
    (void)written;
}

static struct durable *find(struct places *places, const char *name)
{
    for (unsigned i = 0; i < PLACES_MAX; i++) {
        struct durable *place = &places->all[i];

        if (place->version && place->kept.epoch && strcmp(place->kept.name, name) == 0)
            return place;
    }
    return NULL;
}

static struct durable *find_free(struct places *places)
{
    for (unsigned i = 0; i < PLACES_MAX; i++)
        if (!places->all[i].version)
            return &places->all[i];
    return NULL;
}

static int load(const struct journal_place *kept, void *context)
{
    struct places *places = context;
    struct durable *place = find_free(places);

    if (!place)
        return rollcall_fail(-EUSERS, "the journal has more than %u durable consumers", PLACES_MAX);
    place->kept = *kept;
    place->version = places->stored_version = ++places->version;
    return 0;
}

int places_load(struct places *places, struct journal *journal, int wake_fd)
{
    memset(places, 0, sizeof(*places));
    places->wake_fd = wake_fd;
    pthread_mutex_init(&places->lock, NULL);
    return journal_load_places(journal, load, places);
}

void places_destroy(struct places *places)
{
    pthread_mutex_destroy(&places->lock);
}

/* ---- coming and going ---- */

static int open_one(struct durable *place, const struct journal_place *begin, bool administrator,
                    const void *owner)
{
    if (place->owner)
        return EBUSY;
    if (place->kept.uid != begin->uid && !administrator)
        return EPERM;
    place->owner = owner;
    return 0;
}

static unsigned count_of_user(const struct places *places, uint32_t uid)
{
    unsigned count = 0;

    for (unsigned i = 0; i < PLACES_MAX; i++)
        count += places->all[i].version && places->all[i].kept.uid == uid;
    return count;
}

static int make_one(struct places *places, const struct journal_place *begin, bool administrator,
                    const void *owner, struct durable **place)
{
    *place = find_free(places);
    if (!*place || (!administrator && count_of_user(places, begin->uid) >= PLACES_USER_MAX))
        return EUSERS;
    (*place)->kept = *begin;
    (*place)->owner = owner;
    changed(places, *place, true);
    return 0;
}

int places_open(struct places *places, const struct journal_place *begin, bool make,
                bool administrator, const void *owner, struct durable **place, uint64_t *version)
{
    int err = ENOENT;

    pthread_mutex_lock(&places->lock);
    *version = 0;
    *place = find(places, begin->name);
    if (*place)
        err = open_one(*place, begin, administrator, owner);
    else if (make)
        err = make_one(places, begin, administrator, owner, place);
    if (err == 0 && (*place)->version > places->stored_version)
        *version = (*place)->version;
    pthread_mutex_unlock(&places->lock);
    return err;
}

void places_close(struct places *places, struct durable *place)
{
    pthread_mutex_lock(&places->lock);
    place->owner = NULL;
    pthread_mutex_unlock(&places->lock);
}

void places_acknowledge(struct places *places, struct durable *place, uint64_t epoch, uint64_t seq)
{
    pthread_mutex_lock(&places->lock);
    if (place->kept.epoch != epoch || place->kept.seq != seq) {
        place->kept.epoch = epoch;
        place->kept.seq = seq;
        changed(places, place, false);
    }
    pthread_mutex_unlock(&places->lock);
}

void places_get(struct places *places, const struct durable *place, struct journal_place *kept)
{
    pthread_mutex_lock(&places->lock);
    *kept = place->kept;
    pthread_mutex_unlock(&places->lock);
}

int places_remove(struct places *places, const char *name, uint32_t uid, bool administrator,
                  uint64_t *version)
{
    struct durable *place;
    int err = 0;

    pthread_mutex_lock(&places->lock);
    place = find(places, name);
    if (!place)
        err = ENOENT;
    else if (place->kept.uid != uid && !administrator)
        err = EPERM;
    else if (place->owner)
        err = EBUSY;
    if (err == 0) {
        place->kept.epoch = 0;
        changed(places, place, true);
        *version = place->version;
    }
    pthread_mutex_unlock(&places->lock);
    return err;
}

size_t places_list(struct places *places, struct journal_place *list, bool *is_open, size_t room)
{
    size_t count = 0;

    pthread_mutex_lock(&places->lock);
    for (unsigned i = 0; i < PLACES_MAX && count < room; i++) {
        const struct durable *place = &places->all[i];

        if (!place->version || !place->kept.epoch)
            continue;
        is_open[count] = place->owner;
        list[count++] = place->kept;
    }
    pthread_mutex_unlock(&places->lock);
    return count;
}

/* ---- storing ---- */

bool places_stored(struct places *places, uint64_t version)
{
    bool stored;

    pthread_mutex_lock(&places->lock);
    stored = places->stored_version >= version;
    pthread_mutex_unlock(&places->lock);
    return stored;
}

bool places_due(struct places *places, bool *urgent)
{
    bool due;

    pthread_mutex_lock(&places->lock);
    due = places->version > places->stored_version;
    *urgent = places->urgent;
    pthread_mutex_unlock(&places->lock);
    return due;
}

/* What is removed first: the same name may have been made again. */
static size_t collect(struct places *places, struct journal_place *list, uint64_t *version)
{
    size_t count = 0;

    pthread_mutex_lock(&places->lock);
    for (unsigned i = 0; i < 2 * PLACES_MAX; i++) {
        const struct durable *place = &places->all[i % PLACES_MAX];
        bool removed = place->kept.epoch == 0;

        if (place->version > places->stored_version && removed == (i < PLACES_MAX))
            list[count++] = place->kept;
    }
    *version = places->version;
    places->urgent = false;
    pthread_mutex_unlock(&places->lock);
    return count;
}

int places_store(struct places *places, struct journal *journal)
{
    struct journal_place list[PLACES_MAX];
    uint64_t version;
    size_t count = collect(places, list, &version);
    int err = journal_store_places(journal, list, count);

    pthread_mutex_lock(&places->lock);
    if (err == 0)
        places->stored_version = version;
    else
        places->urgent = true;
    /* What was removed can be used again; a change that came meanwhile has a later version. */
    for (unsigned i = 0; err == 0 && i < PLACES_MAX; i++)
        if (places->all[i].kept.epoch == 0 && places->all[i].version <= version)
            places->all[i].version = 0;
    pthread_mutex_unlock(&places->lock);
    return err;
}
