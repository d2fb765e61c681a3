/* SPDX-License-Identifier: MIT */
#include "linux/daemon/archive.h"

#include <rollcall/protocol.h>

#include <errno.h>
#include <string.h>

/* A reply in the making. */
struct filling {
    struct rollcall_reply head;
    unsigned char *records;
    size_t room;
    uint64_t next_seq;
    size_t needed; /* bytes of a record that has no room */
};

static bool put(struct filling *filling, const struct rollcall_event *event)
{
    if (event->size > filling->room - filling->head.size) {
        filling->needed = event->size;
        return false;
    }
    memcpy(filling->records + filling->head.size, event, event->size);
    filling->head.size += event->size;
    filling->head.count++;
    filling->next_seq = rollcall_event_last_seq(event) + 1;
    return true;
}

static bool put_gap(struct filling *filling, uint64_t lost, unsigned flags, uint64_t mono_ns)
{
    const struct rollcall_event gap = {.size = sizeof(gap),
                                       .version = ROLLCALL_EVENT_VERSION,
                                       .type = ROLLCALL_GAP,
                                       .flags = flags,
                                       .seq = filling->next_seq,
                                       .mono_ns = mono_ns,
                                       .reason = ROLLCALL_LOST_FULL,
                                       .lost = lost};

    return put(filling, &gap);
}

/* A gap of which the beginning is acknowledged: the rest of it. */
static bool put_rest(struct filling *filling, const struct rollcall_event *event)
{
    struct rollcall_event gap = *event;

    gap.lost -= filling->next_seq - gap.seq;
    gap.seq = filling->next_seq;
    return put(filling, &gap);
}

/* 1: there is no room for more. */
static int each(const struct journal_event *stored, void *context)
{
    const struct rollcall_event *event = stored->event;
    struct filling *filling = context;

    if (event->seq > filling->next_seq &&
        !put_gap(filling, event->seq - filling->next_seq, 0, event->mono_ns))
        return 1;
    if (event->seq < filling->next_seq)
        return !put_rest(filling, event);
    return !put(filling, event);
}

static int fill(const struct archive *archive, struct filling *filling, uint64_t epoch,
                uint64_t last_seq)
{
    uint64_t begin = 0;
    int err = journal_begin_seq(archive->journal, epoch, &begin);

    if (err < 0)
        return err;
    /* An epoch of which nothing is left: how much there was is not known. */
    if (last_seq == 0 && epoch != archive->epoch)
        return !put_gap(filling, 1, ROLLCALL_UNCOUNTED, 0);
    if (begin >= filling->next_seq && !put_gap(filling, begin + 1 - filling->next_seq, 0, 0))
        return 1;
    if (filling->next_seq <= last_seq)
        err = journal_read(archive->journal, epoch, filling->next_seq, last_seq, each, filling);
    /* Removed while it was read. */
    if (err == 0 && filling->next_seq <= last_seq)
        err = !put_gap(filling, last_seq + 1 - filling->next_seq, 0, 0);
    return err;
}

int archive_fill(const struct archive *archive, const struct position *from, uint64_t last_seq,
                 void *reply, size_t room, size_t *bytes)
{
    struct filling filling = {.head = {.epoch = from->epoch, .first_seq = from->seq},
                              .records = (unsigned char *)reply + sizeof(filling.head),
                              .next_seq = from->seq};
    int err;

    *bytes = 0;
    if (room < sizeof(filling.head))
        return -EMSGSIZE;
    filling.room = room - sizeof(filling.head);
    if (filling.room > ROLLCALL_REPLY_MAX)
        filling.room = ROLLCALL_REPLY_MAX;
    err = fill(archive, &filling, from->epoch, last_seq);
    /* What was read before is an answer too. */
    if (err < 0 && filling.head.count == 0)
        return err;
    *bytes = sizeof(filling.head) + filling.head.size;
    filling.head.last_seq = filling.next_seq - 1;
    if (filling.head.count == 0 && filling.needed)
        filling.head.size = (uint32_t)filling.needed;
    memcpy(reply, &filling.head, sizeof(filling.head));
    return filling.head.count == 0 && filling.needed ? -EMSGSIZE : 0;
}

int archive_last_seq(const struct archive *archive, uint64_t epoch, uint64_t *seq)
{
    return journal_last_seq(archive->journal, epoch, seq);
}

int archive_move_on(const struct archive *archive, struct position *position)
{
    uint64_t next = 0;
    int err = journal_next_epoch(archive->journal, position->epoch, &next);

    if (err < 0)
        return err;
    position->epoch = next == 0 || next > archive->epoch ? archive->epoch : next;
    position->seq = 0;
    return 0;
}

static int note_offset(const struct journal_event *stored, void *context)
{
    int64_t *offset = context;

    *offset = stored->wall_offset_ns;
    return 1;
}

int archive_wall_offset(const struct archive *archive, const struct position *from, int64_t *offset)
{
    int err =
        journal_read(archive->journal, from->epoch, from->seq, INT64_MAX, note_offset, offset);

    return err < 0 ? err : 0;
}
