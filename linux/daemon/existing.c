/* SPDX-License-Identifier: MIT */
#include "linux/daemon/existing.h"

#include "linux/clock.h"

#include <rollcall/event.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOOKS_MAX 128 /* at processes for one page: some milliseconds */

/* What an `exec` or a `create` says and an `exists` too. */
#define PRESENT                                                                                    \
    (ROLLCALL_HAS_PARENT | ROLLCALL_HAS_USER | ROLLCALL_HAS_SESSION | ROLLCALL_HAS_TTY |           \
     ROLLCALL_HAS_PID_NS | ROLLCALL_HAS_CGROUP | ROLLCALL_HAS_START_KEY)

struct existing {
    struct existing_options options;
    struct position at;
    uint64_t mono_ns; /* when the list was read */
    uint64_t *seqs;
    size_t space;
    size_t count;
    size_t next; /* the first that has not been looked at */
    bool done;
};

/* A page in the making. */
struct page {
    struct existing *existing;
    unsigned char *records;
    size_t room;
    size_t size;
    uint32_t count;
    size_t needed; /* bytes of a record that has no room */
};

static int note(uint64_t seq, void *context)
{
    struct existing *existing = context;

    if (existing->count == existing->space) {
        size_t space = existing->space ? 2 * existing->space : 512;
        uint64_t *seqs = reallocarray(existing->seqs, space, sizeof(*seqs));

        if (!seqs)
            return -ENOMEM;
        existing->seqs = seqs;
        existing->space = space;
    }
    existing->seqs[existing->count++] = seq;
    return 0;
}

struct existing *existing_open(const struct archive *archive,
                               const struct existing_options *options, struct position *at,
                               int *error)
{
    struct existing *existing = calloc(1, sizeof(*existing));
    int err = -ENOMEM;

    if (existing) {
        existing->options = *options;
        existing->at.epoch = archive->epoch;
        err = journal_living(archive->journal, archive->epoch, &existing->at.seq, note, existing);
        existing->mono_ns = clock_boot_ns();
    }
    if (err < 0) {
        existing_close(existing);
        *error = err == -ENOMEM ? ENOMEM : EIO;
        return NULL;
    }
    *at = existing->at;
    return existing;
}

void existing_close(struct existing *existing)
{
    if (!existing)
        return;
    free(existing->seqs);
    free(existing);
}

static bool put(struct page *page, const struct rollcall_event *event, size_t size)
{
    if (size > page->room - page->size) {
        page->needed = size;
        return false;
    }
    memcpy(page->records + page->size, event, size);
    page->size += size;
    page->count++;
    return true;
}

static bool shows(const struct existing_options *options, const struct rollcall_event *event)
{
    return !options->own || (event->present & ROLLCALL_HAS_USER && event->uid == options->uid);
}

/* 1: there is no room for more. */
static int tell(const struct journal_event *stored, void *context)
{
    struct page *page = context;
    struct rollcall_event *event;
    size_t at = page->size;

    if (!shows(&page->existing->options, stored->event))
        return 0;
    if (!put(page, stored->event, stored->event->size))
        return 1;
    event = (void *)(page->records + at);
    event->type = ROLLCALL_EXISTS;
    event->flags &= ROLLCALL_KERNEL_THREAD;
    event->present &= PRESENT;
    event->seq = 0;
    event->mono_ns = page->existing->mono_ns;
    event->creator_pid = 0;
    event->creator_tid = 0;
    return 0;
}

static bool tell_end(struct page *page)
{
    const struct rollcall_event synced = {.size = sizeof(synced),
                                          .version = ROLLCALL_EVENT_VERSION,
                                          .type = ROLLCALL_SYNCED,
                                          .mono_ns = page->existing->mono_ns};

    return put(page, &synced, sizeof(synced));
}

/* One at a time, so that the one that has no room is known. */
static int fill(struct page *page, const struct archive *archive)
{
    struct existing *existing = page->existing;

    for (int i = 0; i < LOOKS_MAX && existing->next < existing->count; i++) {
        int err = journal_known(archive->journal, existing->at.epoch,
                                existing->seqs[existing->next], existing->at.seq, tell, page);

        if (err != 0)
            return err;
        existing->next++;
    }
    if (existing->next == existing->count)
        existing->done = tell_end(page);
    return 0;
}

int existing_fill(struct existing *existing, const struct archive *archive, void *records,
                  size_t room, uint32_t *count, size_t *size)
{
    struct page page = {.existing = existing, .records = records, .room = room};

    if (fill(&page, archive) < 0)
        return EIO;
    *count = page.count;
    *size = page.size;
    if (page.count > 0 || page.needed == 0)
        return 0;
    *size = page.needed;
    return EMSGSIZE;
}

bool existing_done(const struct existing *existing)
{
    return existing->done;
}
