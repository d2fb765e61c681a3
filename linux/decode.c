/* SPDX-License-Identifier: MIT */
#include "linux/decode.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* More than can be lost in the life of a machine. */
#define LOST_MAX (1ull << 62)

/* A place that stands beyond it, or would come there, was not written by us: numbers that wrap
 * would take what is new for what is acknowledged. */
#define SEQ_MAX ((uint64_t)INT64_MAX)

/* Makes room for `size` more bytes. */
static int make_room(struct event_buffer *out, size_t size)
{
    size_t room = out->room ? out->room : 4096;
    unsigned char *data;

    while (room - out->size < size)
        room *= 2;
    if (room == out->room)
        return 0;
    data = realloc(out->data, room);
    if (!data)
        return -ENOMEM;
    out->data = data;
    out->room = room;
    return 0;
}

static struct rollcall_event *event_at(struct event_buffer *out, size_t offset)
{
    return (struct rollcall_event *)(void *)(out->data + offset);
}

/* Appends the base of an event. There must be room. */
static struct rollcall_event *append_event(struct event_buffer *out,
                                           const struct rollcall_event *event, uint64_t seq)
{
    struct rollcall_event *e = event_at(out, out->size);

    *e = *event;
    e->size = sizeof(*e);
    e->version = ROLLCALL_EVENT_VERSION;
    e->seq = seq;
    e->comm[sizeof(e->comm) - 1] = '\0';
    out->size += sizeof(*e);
    out->count++;
    return e;
}

/* Whether the place can go on by so many numbers. */
static bool can_advance(const struct decoder *decoder, uint64_t numbers)
{
    return decoder->seq <= SEQ_MAX && numbers <= SEQ_MAX - decoder->seq;
}

/* ---- gaps ---- */

static int append_gap(struct decoder *decoder, struct event_buffer *out, unsigned reason,
                      uint64_t lost, uint64_t mono_ns)
{
    struct rollcall_event gap = {
        .type = ROLLCALL_GAP, .reason = reason, .lost = lost, .mono_ns = mono_ns};

    if (!can_advance(decoder, lost))
        return -EBADMSG;
    if (decoder->seq + lost > decoder->acked_seq) {
        int err = make_room(out, sizeof(gap));

        if (err < 0)
            return err;
        if (reason == ROLLCALL_LOST_SKIPPED)
            gap.flags = ROLLCALL_AT_MOST;
        if (reason == ROLLCALL_LOST_INTERRUPTED)
            gap.flags = ROLLCALL_UNCOUNTED;
        append_event(out, &gap, decoder->seq + 1);
    }
    decoder->seq += lost;
    decoder->lost[reason] += lost;
    return 0;
}

/* The counters of two records can be in the other order than the records: the larger holds. */
static int append_gaps(struct decoder *decoder, struct event_buffer *out,
                       const struct ring_head *head, uint64_t mono_ns)
{
    for (unsigned reason = 0; reason < ROLLCALL_REASONS; reason++) {
        uint64_t lost = head->lost[reason];
        int err;

        if (lost > LOST_MAX)
            return -EBADMSG;
        if (lost <= decoder->lost[reason])
            continue;
        err = append_gap(decoder, out, reason, lost - decoder->lost[reason], mono_ns);
        if (err < 0)
            return err;
    }
    return 0;
}

/* ---- texts ---- */

/* Appends a string's head and returns where its `size` bytes go. There must be room. */
static unsigned char *append_text(struct event_buffer *out, struct rollcall_event *event,
                                  uint16_t field, unsigned flags, size_t size, uint64_t full_size)
{
    struct rollcall_text text = {
        .field = field, .flags = (uint16_t)flags, .size = (uint32_t)size, .full_size = full_size};
    size_t space = sizeof(text) + ROLLCALL_ALIGN(size);
    unsigned char *to = out->data + out->size;

    memcpy(to, &text, sizeof(text));
    memset(to + sizeof(text) + size, 0, ROLLCALL_ALIGN(size) - size);
    out->size += space;
    event->size += (uint32_t)space;
    return to + sizeof(text);
}

/* Turns "c\0b\0a\0" into "/a/b/c", "" into "/". The result is never longer than size + 1. What
 * is cut lacks its beginning, and does not begin with '/'. Returns the result's size. */
static size_t turn_path(const unsigned char *names, size_t size, bool cut, unsigned char *to)
{
    size_t end = size;
    size_t n = 0;

    if (size == 0 && !cut)
        to[n++] = '/';
    while (end > 0) {
        size_t start = end - 1;

        while (start > 0 && names[start - 1])
            start--;
        if (n > 0 || !cut)
            to[n++] = '/';
        memcpy(to + n, names + start, end - 1 - start);
        n += end - 1 - start;
        end = start;
    }
    return n;
}

static void append_path(struct event_buffer *out, struct rollcall_event *event, uint16_t field,
                        unsigned flags, const unsigned char *names, size_t size)
{
    bool cut = flags & ROLLCALL_TEXT_CUT;
    size_t before = event->size;
    size_t start = out->size;
    unsigned char *to = append_text(out, event, field, flags, size + 1, 0);
    size_t n = turn_path(names, size, cut, to);

    /* Now that its size is known. */
    out->size = start;
    event->size = (uint32_t)before;
    append_text(out, event, field, flags, n, cut ? 0 : n);
}

/* A record with texts, checked. */
struct texts {
    const struct ring_event *base;
    const struct ring_texts *head;
    const unsigned char *exe;
    const unsigned char *cwd;
    const unsigned char *args;
};

static int parse_texts(const struct ring_item *item, struct texts *texts)
{
    const unsigned char *data = item->data;
    size_t fixed = sizeof(*texts->base) + sizeof(*texts->head);
    const struct ring_texts *head;

    if (item->size < fixed)
        return -EBADMSG;
    head = (const void *)(data + sizeof(*texts->base));
    if ((uint64_t)head->exe_size + head->cwd_size + head->args_size > item->size - fixed)
        return -EBADMSG;
    texts->base = item->data;
    texts->head = head;
    texts->exe = data + fixed;
    texts->cwd = texts->exe + head->exe_size;
    texts->args = texts->cwd + head->cwd_size;
    /* turn_path() goes from name to name. */
    if (head->cwd_size && texts->cwd[head->cwd_size - 1])
        return -EBADMSG;
    if (texts->base->event.type != ROLLCALL_EXEC && head->exe_size &&
        texts->exe[head->exe_size - 1])
        return -EBADMSG;
    return 0;
}

/* The next chunk of `base` at or after *position, which moves on behind it. NULL: none. */
static const struct ring_chunk *next_chunk(const struct ring *ring, const struct ring_event *base,
                                           uint64_t *position, uint64_t produced)
{
    struct ring_item item;
    int look;

    while ((look = ring_look(ring, *position, produced, &item)) > RING_END) {
        const struct ring_chunk *chunk = item.data;

        *position = item.next;
        if (look == RING_RECORD && item.size == sizeof(*chunk) && chunk->kind == RING_CHUNK &&
            chunk->tid == base->event.pid && chunk->mono_ns == base->event.mono_ns &&
            chunk->size <= sizeof(chunk->data))
            return chunk;
    }
    return NULL;
}

/* Copies the bytes of all chunks of a record to `to`; without `to` only adds up their sizes. The
 * chunks stand after the record in the ring, and all were written before it was. */
static size_t gather_chunks(const struct ring *ring, const struct texts *texts, uint64_t position,
                            uint64_t produced, unsigned char *to, unsigned *flags)
{
    size_t size = 0;

    for (uint32_t i = 0; i < texts->base->head.chunks; i++) {
        const struct ring_chunk *chunk = next_chunk(ring, texts->base, &position, produced);

        if (!chunk) {
            *flags |= ROLLCALL_TEXT_CUT;
            break;
        }
        if (to)
            memcpy(to + size, chunk->data, chunk->size);
        size += chunk->size;
        *flags |= chunk->flags & ROLLCALL_TEXT_UNREADABLE;
    }
    return size;
}

static int append_texts(const struct ring *ring, struct event_buffer *out,
                        const struct texts *texts, uint64_t next, uint64_t seq)
{
    const struct ring_texts *head = texts->head;
    uint64_t produced = ring_produced(ring);
    unsigned args_flags = head->args_flags;
    size_t more = gather_chunks(ring, texts, next, produced, NULL, &args_flags);
    size_t texts_size = (size_t)head->exe_size + head->cwd_size + head->args_size + more;
    struct rollcall_event *event;
    unsigned char *to;
    int err;

    err = make_room(out, sizeof(*event) + 3 * (sizeof(struct rollcall_text) + 16) + texts_size);
    if (err < 0)
        return err;
    event = append_event(out, &texts->base->event, seq);
    if (head->has & 1u << ROLLCALL_EXE && event->type == ROLLCALL_EXEC) {
        to = append_text(out, event, ROLLCALL_EXE, head->exe_flags, head->exe_size,
                         head->exe_flags ? 0 : head->exe_size);
        memcpy(to, texts->exe, head->exe_size);
    } else if (head->has & 1u << ROLLCALL_EXE) {
        append_path(out, event, ROLLCALL_EXE, head->exe_flags, texts->exe, head->exe_size);
    }
    if (head->has & 1u << ROLLCALL_CWD)
        append_path(out, event, ROLLCALL_CWD, head->cwd_flags, texts->cwd, head->cwd_size);
    if (head->has & 1u << ROLLCALL_ARGS) {
        to = append_text(out, event, ROLLCALL_ARGS, args_flags, head->args_size + more,
                         head->args_full);
        memcpy(to, texts->args, head->args_size);
        gather_chunks(ring, texts, next, produced, to + head->args_size, &args_flags);
    }
    return 0;
}

/* ---- records ---- */

static bool is_event_type(unsigned type)
{
    return (type >= ROLLCALL_CREATE && type <= ROLLCALL_EXISTS) || type == ROLLCALL_SYNCED;
}

/* Checks that an item is a whole record of its kind. */
static int check_item(const struct ring_item *item)
{
    const struct ring_event *record = item->data;
    const struct ring_head *head = item->data;

    if (item->size < sizeof(head->kind))
        return -EBADMSG;
    switch (head->kind) {
    case RING_EVENT:
    case RING_TEXTS:
        return item->size >= sizeof(*record) && is_event_type(record->event.type) ? 0 : -EBADMSG;
    case RING_MARK:
        return item->size >= sizeof(struct ring_mark) ? 0 : -EBADMSG;
    case RING_CHUNK:
        return item->size >= sizeof(struct ring_chunk) ? 0 : -EBADMSG;
    default:
        return -EBADMSG;
    }
}

static int append_record(struct decoder *decoder, const struct ring_item *item,
                         struct event_buffer *out)
{
    const struct ring_event *record = item->data;
    struct texts texts;
    int err;

    if (record->head.kind == RING_TEXTS) {
        err = parse_texts(item, &texts);
        if (err < 0)
            return err;
    }
    if (record->head.kind == RING_MARK) {
        const struct ring_mark *mark = item->data;

        return append_gaps(decoder, out, &mark->head, mark->mono_ns);
    }
    err = append_gaps(decoder, out, &record->head, record->event.mono_ns);
    if (err < 0)
        return err;
    if (!can_advance(decoder, 1))
        return -EBADMSG;
    decoder->seq++;
    if (decoder->seq <= decoder->acked_seq)
        return 0;
    if (record->head.kind == RING_TEXTS)
        return append_texts(decoder->ring, out, &texts, item->next, decoder->seq);
    err = make_room(out, sizeof(record->event));
    if (err == 0)
        append_event(out, &record->event, decoder->seq);
    return err;
}

int decode_next(struct decoder *decoder, uint64_t produced, struct event_buffer *out)
{
    struct decoder before = *decoder;
    size_t size = out->size;
    size_t count = out->count;
    struct ring_item item;
    int look = ring_look(decoder->ring, decoder->position, produced, &item);
    int err;

    if (look < 0)
        return look;
    if (look == RING_END)
        return DECODE_END;
    if (look == RING_BUSY)
        return DECODE_BUSY;
    decoder->position = item.next;
    if (look == RING_DISCARDED)
        return DECODE_MORE;
    err = check_item(&item);
    /* A chunk was taken together with the record that it belongs to. */
    if (err == 0 && ((const struct ring_head *)item.data)->kind != RING_CHUNK)
        err = append_record(decoder, &item, out);
    if (err < 0) {
        *decoder = before;
        out->size = size;
        out->count = count;
        return err;
    }
    return DECODE_MORE;
}
