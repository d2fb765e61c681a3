/* SPDX-License-Identifier: MIT */
/* Reading records: nothing here trusts a length that the record itself does not prove. */
#include <rollcall/rollcall.h>

#include <string.h>

/* The string that begins at `offset`, or NULL if no whole one does. */
static const struct rollcall_text *text_at(const struct rollcall_event *event, size_t offset)
{
    const struct rollcall_text *text;

    if (event->size - offset < sizeof(*text))
        return NULL;
    text = (const struct rollcall_text *)(const void *)((const char *)event + offset);
    if (text->size > event->size - offset - sizeof(*text))
        return NULL;
    return text;
}

static size_t text_space(const struct rollcall_text *text)
{
    return sizeof(*text) + ROLLCALL_ALIGN((size_t)text->size);
}

bool rollcall_event_valid(const void *data, size_t size)
{
    const struct rollcall_event *event = data;
    size_t offset = sizeof(*event);

    if (size < sizeof(*event) || event->size < sizeof(*event) || event->size > size)
        return false;
    if (event->size % 8 || event->version != ROLLCALL_EVENT_VERSION)
        return false;
    if (!memchr(event->comm, 0, sizeof(event->comm)))
        return false;
    while (offset < event->size) {
        const struct rollcall_text *text = text_at(event, offset);

        /* Sizes are multiples of 8, so a string that fits does so with its padding. */
        if (!text)
            return false;
        offset += text_space(text);
    }
    return true;
}

bool rollcall_event_text(const struct rollcall_event *event, enum rollcall_text_field field,
                         struct rollcall_string *text)
{
    size_t offset = sizeof(*event);

    while (offset < event->size) {
        const struct rollcall_text *t = text_at(event, offset);

        if (!t)
            return false;
        if (t->field == field) {
            text->data = (const char *)(t + 1);
            text->size = t->size;
            text->full_size = t->full_size;
            text->flags = t->flags;
            return true;
        }
        offset += text_space(t);
    }
    return false;
}

const struct rollcall_event *rollcall_batch_next(const struct rollcall_batch *batch,
                                                 const struct rollcall_event *event)
{
    const char *next;

    if (!event)
        return batch->count ? batch->first : NULL;
    next = (const char *)event + event->size;
    if (next >= (const char *)batch->first + batch->size)
        return NULL;
    return (const struct rollcall_event *)(const void *)next;
}

uint64_t rollcall_event_last_seq(const struct rollcall_event *event)
{
    if (event->type == ROLLCALL_GAP && event->lost > 0)
        return event->seq + event->lost - 1;
    return event->seq;
}

const char *rollcall_type_name(unsigned type)
{
    switch (type) {
    case ROLLCALL_CREATE:
        return "create";
    case ROLLCALL_EXEC:
        return "exec";
    case ROLLCALL_EXIT:
        return "exit";
    case ROLLCALL_EXISTS:
        return "exists";
    case ROLLCALL_GAP:
        return "gap";
    case ROLLCALL_SYNCED:
        return "synced";
    default:
        return "unknown";
    }
}

const char *rollcall_reason_name(unsigned reason)
{
    switch (reason) {
    case ROLLCALL_LOST_FULL:
        return "full";
    case ROLLCALL_LOST_FAILED:
        return "failed";
    case ROLLCALL_LOST_SKIPPED:
        return "skipped";
    case ROLLCALL_LOST_INTERRUPTED:
        return "interrupted";
    default:
        return "unknown";
    }
}
