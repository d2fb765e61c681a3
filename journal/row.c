/* SPDX-License-Identifier: MIT */
#include "journal/row.h"

#include "journal/text.h"
#include "lib/error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* When a number of the base is there, beside the bits of `present`. */
#define ALWAYS      (1u << 31)
#define OF_PROCESS  (1u << 30)
#define OF_GAP      (1u << 29)
#define ALL_PRESENT ((ROLLCALL_HAS_START_KEY << 1) - 1u)

#define U32(field, when)                                                                           \
    {                                                                                              \
        offsetof(struct rollcall_event, field), false, when                                        \
    }
#define U64(field, when)                                                                           \
    {                                                                                              \
        offsetof(struct rollcall_event, field), true, when                                         \
    }

static const struct number {
    size_t offset;
    bool wide;
    uint32_t when;
} numbers[] = {
    U32(pid, OF_PROCESS),
    U64(start_ns, OF_PROCESS),
    U32(flags, ALWAYS),
    U32(ppid, ROLLCALL_HAS_PARENT),
    U64(parent_start_ns, ROLLCALL_HAS_PARENT),
    U32(creator_pid, ROLLCALL_HAS_CREATOR),
    U32(creator_tid, ROLLCALL_HAS_CREATOR),
    U32(uid, ROLLCALL_HAS_USER),
    U32(gid, ROLLCALL_HAS_USER),
    U32(session, ROLLCALL_HAS_SESSION),
    U32(tty, ROLLCALL_HAS_TTY),
    U32(ns_pid, ROLLCALL_HAS_PID_NS),
    U32(pid_ns, ROLLCALL_HAS_PID_NS),
    U64(cgroup, ROLLCALL_HAS_CGROUP),
    U64(start_key, ROLLCALL_HAS_START_KEY),
    U32(status, ROLLCALL_HAS_STATUS),
    U32(reason, OF_GAP),
    U64(lost, OF_GAP),
};

#define NUMBERS (sizeof(numbers) / sizeof(numbers[0]))

_Static_assert(ROW_NUMBERS + NUMBERS == ROW_TEXTS, "every number has its column");

/* The order in which the decoder writes the strings of a record. */
static const unsigned text_order[ROW_STRINGS] = {
    0, ROLLCALL_EXE, ROLLCALL_CWD, ROLLCALL_ARGS, ROLLCALL_COMMAND, ROLLCALL_USER};

int row_reserve(struct row_buffer *buffer, size_t size)
{
    char *data;

    if (buffer->space >= size)
        return 0;
    data = realloc(buffer->data, size);
    if (!data)
        return rollcall_fail(-ENOMEM, "no memory for an event of %zu bytes", size);
    buffer->data = data;
    buffer->space = size;
    return 0;
}

void row_destroy(struct row *row)
{
    for (unsigned i = 0; i < ROW_STRINGS; i++)
        free(row->texts[i].kept.data);
    free(row->record.kept.data);
    free(row->readable.data);
    free(row->event.data);
}

static void clear_text(struct row_text *text)
{
    *text = (struct row_text){.kept = text->kept};
}

void row_clear(struct row *row)
{
    memset(&row->base, 0, sizeof(row->base));
    for (unsigned i = 0; i < ROW_STRINGS; i++)
        clear_text(&row->texts[i]);
    clear_text(&row->record);
}

/* ---- the numbers ---- */

static uint32_t occasions(const struct rollcall_event *event)
{
    uint32_t mask = ALWAYS | (event->present & ALL_PRESENT);

    if (event->type == ROLLCALL_GAP)
        mask |= OF_GAP;
    if (event->type != ROLLCALL_GAP && event->type != ROLLCALL_SYNCED)
        mask |= OF_PROCESS;
    return mask;
}

static uint64_t get_number(const struct rollcall_event *event, const struct number *number)
{
    const char *field = (const char *)event + number->offset;
    uint64_t wide = 0;
    uint32_t narrow = 0;

    if (number->wide)
        memcpy(&wide, field, sizeof(wide));
    else
        memcpy(&narrow, field, sizeof(narrow));
    return wide | narrow;
}

static void set_number(struct rollcall_event *event, const struct number *number, uint64_t value)
{
    char *field = (char *)event + number->offset;
    uint32_t narrow = (uint32_t)value;

    if (number->wide)
        memcpy(field, &value, sizeof(value));
    else
        memcpy(field, &narrow, sizeof(narrow));
}

int64_t row_number(const struct row *row, unsigned i)
{
    return (int64_t)get_number(&row->base, &numbers[i]);
}

void row_set_number(struct row *row, unsigned i, int64_t value)
{
    row->there |= 1u << i;
    set_number(&row->base, &numbers[i], (uint64_t)value);
}

static void numbers_from_event(struct row *row, const struct rollcall_event *event)
{
    uint32_t mask = occasions(event);

    row->base.type = event->type;
    row->base.seq = event->seq;
    row->base.mono_ns = event->mono_ns;
    row->there = 0;
    for (unsigned i = 0; i < NUMBERS; i++) {
        if (!(numbers[i].when & mask))
            continue;
        row->there |= 1u << i;
        set_number(&row->base, &numbers[i], get_number(event, &numbers[i]));
    }
}

/* ---- the texts ---- */

static void keep_raw(struct row_text *text, const void *data, size_t size)
{
    text->raw = data;
    text->raw_size = size;
    text->detailed = true;
}

/* Returns how much of `out` was used. */
static size_t make_readable(struct row_text *text, const char *data, size_t size, char *out)
{
    text->text = data;
    text->size = size;
    text->full_size = size;
    if (text_plain(data, size))
        return 0;
    text->text = out;
    text->size = text_readable(out, data, size);
    keep_raw(text, data, size);
    return text->size;
}

static size_t make_json(struct row_text *text, const char *data, size_t size, char *out)
{
    bool exact;

    text->text = out;
    text->size = text_to_json(out, data, size, &exact);
    if (text->size == TEXT_FAILED)
        return TEXT_FAILED;
    if (!exact)
        keep_raw(text, data, size);
    return text->size;
}

static size_t make_text(struct row *row, const struct rollcall_event *event, unsigned field,
                        char *out)
{
    struct row_text *text = &row->texts[field];
    struct rollcall_string string;
    size_t used;

    if (!rollcall_event_text(event, (enum rollcall_text_field)field, &string))
        return 0;
    used = field == ROLLCALL_ARGS ? make_json(text, string.data, string.size, out)
                                  : make_readable(text, string.data, string.size, out);
    if (used == TEXT_FAILED)
        return used;
    text->flags = string.flags;
    text->full_size = string.full_size;
    text->detailed = text->raw || text->flags || text->full_size != string.size;
    return used;
}

static int texts_from_event(struct row *row, const struct rollcall_event *event)
{
    size_t comm = strnlen(event->comm, sizeof(event->comm));
    char *out;
    int err = row_reserve(&row->readable, TEXT_GROWTH * event->size + TEXT_EXTRA);

    if (err < 0)
        return err;
    out = row->readable.data;
    if (comm > 0)
        out += make_readable(&row->texts[0], event->comm, comm, out);
    if (event->size == sizeof(*event))
        return 0;
    for (unsigned field = ROLLCALL_EXE; field < ROW_STRINGS; field++) {
        size_t used = make_text(row, event, field, out);

        if (used == TEXT_FAILED)
            return rollcall_fail(-ENOMEM, "no memory for the arguments of an event");
        out += used;
    }
    return 0;
}

/* ---- back to an event ---- */

static void base_to_event(const struct row *row, struct rollcall_event *event)
{
    memset(event, 0, sizeof(*event));
    event->version = ROLLCALL_EVENT_VERSION;
    event->type = row->base.type;
    event->seq = row->base.seq;
    event->mono_ns = row->base.mono_ns;
    for (unsigned i = 0; i < NUMBERS; i++) {
        if (!(row->there & 1u << i))
            continue;
        event->present |= numbers[i].when & ALL_PRESENT;
        set_number(event, &numbers[i], get_number(&row->base, &numbers[i]));
    }
}

static bool comm_to_event(const struct row_text *text, struct rollcall_event *event)
{
    const void *bytes = text->raw ? text->raw : text->text;
    size_t size = text->raw ? text->raw_size : text->size;

    if (!bytes)
        return true;
    if (size >= sizeof(event->comm))
        return false;
    memcpy(event->comm, bytes, size);
    return true;
}

/* Writes the bytes of a string and returns their number, (size_t)-1 if the row has none. */
static size_t bytes_to_event(const struct row_text *text, unsigned field, char *out)
{
    if (!text->raw && field == ROLLCALL_ARGS)
        return text_from_json(out, text->text, text->size);
    if (text->raw) {
        memcpy(out, text->raw, text->raw_size);
        return text->raw_size;
    }
    memcpy(out, text->text, text->size);
    return text->size;
}

static size_t string_space(const struct row_text *text)
{
    size_t size = text->raw_size > text->size ? text->raw_size : text->size;

    return text->text ? sizeof(struct rollcall_text) + ROLLCALL_ALIGN(size) : 0;
}

static bool string_to_event(const struct row_text *text, unsigned field,
                            struct rollcall_event *event)
{
    char *at = (char *)event + event->size;
    struct rollcall_text *head = (struct rollcall_text *)(void *)at;
    size_t size = bytes_to_event(text, field, (char *)(head + 1));

    if (size > UINT32_MAX)
        return false;
    head->field = (uint16_t)field;
    head->flags = (uint16_t)text->flags;
    head->size = (uint32_t)size;
    head->full_size = text->detailed ? text->full_size : size;
    memset((char *)(head + 1) + size, 0, ROLLCALL_ALIGN(size) - size);
    event->size += (uint32_t)(sizeof(*head) + ROLLCALL_ALIGN(size));
    return true;
}

static int no_event(const struct row *row)
{
    return rollcall_fail(-EBADMSG,
                         "event %llu of epoch %llu in the journal is damaged: its columns do not "
                         "make an event",
                         (unsigned long long)row->base.seq, (unsigned long long)row->epoch);
}

static int record_to_event(struct row *row, const struct rollcall_event **event)
{
    int err = row_reserve(&row->event, row->record.raw_size);

    if (err < 0)
        return err;
    memcpy(row->event.data, row->record.raw, row->record.raw_size);
    if (!rollcall_event_valid(row->event.data, row->record.raw_size))
        return no_event(row);
    *event = (const struct rollcall_event *)(void *)row->event.data;
    return 0;
}

int row_to_event(struct row *row, const struct rollcall_event **event)
{
    struct rollcall_event *made;
    size_t space = sizeof(*made);
    int err;

    if (row->record.raw)
        return record_to_event(row, event);
    for (unsigned i = 1; i < ROW_STRINGS; i++)
        space += string_space(&row->texts[i]);
    err = row_reserve(&row->event, space);
    if (err < 0)
        return err;
    made = (struct rollcall_event *)(void *)row->event.data;
    base_to_event(row, made);
    if (!comm_to_event(&row->texts[0], made))
        return no_event(row);
    made->size = sizeof(*made);
    for (unsigned i = 1; i < ROW_STRINGS; i++) {
        unsigned field = text_order[i];

        if (row->texts[field].text && !string_to_event(&row->texts[field], field, made))
            return no_event(row);
    }
    *event = made;
    return 0;
}

int row_from_event(struct row *row, const struct rollcall_event *event, uint64_t epoch,
                   int64_t wall_offset_ns)
{
    const struct rollcall_event *again = NULL;
    int err;

    row_clear(row);
    row->epoch = epoch;
    row->time = (int64_t)(event->mono_ns + (uint64_t)wall_offset_ns);
    numbers_from_event(row, event);
    err = texts_from_event(row, event);
    if (err < 0)
        return err;
    /* Nothing is stored that would not be read back as it is. */
    err = row_to_event(row, &again);
    if (err < 0)
        return err;
    if (!again || again->size != event->size || memcmp(again, event, event->size) != 0)
        keep_raw(&row->record, event, event->size);
    return 0;
}
