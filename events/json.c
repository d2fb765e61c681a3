/* SPDX-License-Identifier: MIT */
#include "events/json.h"

#include "events/text.h"
#include "lib/utf8.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND    1000000000ll
#define LINE_SIZE 4096

/* A line while it is made. jansson takes a NULL value as an error of the call that sets it. What
 * few events have is NULL until it is needed: a line is made for every event. */
struct line {
    json_t *object;
    json_t *truncated;  /* names of the texts that are not whole */
    json_t *unreadable; /* names of those with holes */
    json_t *inexact;    /* names of those that are not surely so */
    json_t *full_size;  /* by name: the true size of what was cut */
    json_t *raw;        /* by name: the bytes of what is not UTF-8 */
    bool failed;
};

static void set(struct line *line, const char *name, json_t *value)
{
    if (json_object_set_new_nocheck(line->object, name, value) < 0)
        line->failed = true;
}

static void set_number(struct line *line, const char *name, uint64_t value)
{
    set(line, name, json_integer((json_int_t)value));
}

static void set_if(struct line *line, bool present, const char *name, uint64_t value)
{
    if (present)
        set_number(line, name, value);
}

/* ---- text ---- */

static json_t *repaired(const char *text, size_t size)
{
    char *copy = malloc(3 * size + 1);
    json_t *string;

    if (!copy)
        return NULL;
    string = json_stringn_nocheck(copy, utf8_repair(copy, text, size));
    free(copy);
    return string;
}

static json_t *hexadecimal(const char *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    char *text = malloc(2 * size + 1);
    json_t *string;

    if (!text)
        return NULL;
    for (size_t i = 0; i < size; i++) {
        text[2 * i] = digits[(unsigned char)bytes[i] >> 4];
        text[2 * i + 1] = digits[(unsigned char)bytes[i] & 15];
    }
    string = json_stringn_nocheck(text, 2 * size);
    free(text);
    return string;
}

json_t *json_text(const char *text, size_t size)
{
    return utf8_valid(text, size) ? json_stringn_nocheck(text, size) : repaired(text, size);
}

static void set_in(struct line *line, json_t **object, const char *name, json_t *value)
{
    if (!*object)
        *object = json_object();
    if (json_object_set_new_nocheck(*object, name, value) < 0)
        line->failed = true;
}

static void add_name(struct line *line, json_t **names, const char *name)
{
    if (!*names)
        *names = json_array();
    if (json_array_append_new(*names, json_string_nocheck(name)) < 0)
        line->failed = true;
}

static void set_string(struct line *line, const char *name, const char *text, size_t size)
{
    set(line, name, json_text(text, size));
    if (!utf8_valid(text, size))
        set_in(line, &line->raw, name, hexadecimal(text, size));
}

/* Applies `make` to each piece. */
static json_t *each_piece(const char *text, size_t size, json_t *(*make)(const char *, size_t))
{
    json_t *pieces = json_array();
    const char *piece;
    size_t piece_size;
    size_t offset = 0;

    while (pieces && text_next(text, size, &offset, &piece, &piece_size)) {
        if (json_array_append_new(pieces, make(piece, piece_size)) < 0) {
            json_decref(pieces);
            return NULL;
        }
    }
    return pieces;
}

json_t *json_pieces(const char *text, size_t size)
{
    return each_piece(text, size, json_text);
}

static void set_pieces(struct line *line, const char *name, const char *text, size_t size)
{
    set(line, name, json_pieces(text, size));
    if (!utf8_valid(text, size))
        set_in(line, &line->raw, name, each_piece(text, size, hexadecimal));
}

static void set_text(struct line *line, const char *name, const struct rollcall_event *event,
                     enum rollcall_text_field field)
{
    struct rollcall_string text;

    if (!rollcall_event_text(event, field, &text))
        return;
    if (field == ROLLCALL_ARGS)
        set_pieces(line, name, text.data, text.size);
    else
        set_string(line, name, text.data, text.size);
    if (text.flags & ROLLCALL_TEXT_CUT) {
        add_name(line, &line->truncated, name);
        if (text.full_size)
            set_in(line, &line->full_size, name, json_integer((json_int_t)text.full_size));
    }
    if (text.flags & ROLLCALL_TEXT_UNREADABLE)
        add_name(line, &line->unreadable, name);
    if (text.flags & ROLLCALL_TEXT_INEXACT)
        add_name(line, &line->inexact, name);
}

/* ---- events ---- */

/* The text of a second is kept: there are many events in one. */
static const char *second_text(time_t seconds)
{
    static _Thread_local char text[JSON_TIME_SIZE];
    static _Thread_local time_t kept;
    struct tm moment;

    if (text[0] && kept == seconds)
        return text;
    gmtime_r(&seconds, &moment);
    if (strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &moment) == 0)
        text[0] = '\0';
    kept = seconds;
    return text;
}

void json_time(char text[JSON_TIME_SIZE], int64_t ns)
{
    int64_t fraction = ns % SECOND;
    time_t seconds = (time_t)(ns / SECOND);

    if (fraction < 0) {
        fraction += SECOND;
        seconds--;
    }
    snprintf(text, JSON_TIME_SIZE, "%s.%09dZ", second_text(seconds), (int)fraction);
}

static void set_gap(struct line *line, const struct rollcall_event *event)
{
    const char *reason = rollcall_reason_name(event->reason);

    set_number(line, "lost", event->lost);
    set_number(line, "first_seq", event->seq);
    set_number(line, "last_seq", rollcall_event_last_seq(event));
    set(line, "reason", json_string_nocheck(reason));
    if (event->flags & ROLLCALL_AT_MOST)
        set(line, "at_most", json_true());
    if (event->flags & ROLLCALL_UNCOUNTED)
        set(line, "uncounted", json_true());
}

static void set_identity(struct line *line, const struct rollcall_event *event)
{
    uint32_t present = event->present;

    set_number(line, "pid", event->pid);
    set_if(line, present & ROLLCALL_HAS_PARENT, "ppid", event->ppid);
    set_number(line, "start_ns", event->start_ns);
    set_if(line, present & ROLLCALL_HAS_PARENT, "parent_start_ns", event->parent_start_ns);
    set_if(line, present & ROLLCALL_HAS_CREATOR, "creator_pid", event->creator_pid);
    set_if(line, present & ROLLCALL_HAS_CREATOR, "creator_tid", event->creator_tid);
    set_if(line, present & ROLLCALL_HAS_USER, "uid", event->uid);
    set_if(line, present & ROLLCALL_HAS_USER, "gid", event->gid);
    set_if(line, present & ROLLCALL_HAS_SESSION, "session", event->session);
    set_if(line, present & ROLLCALL_HAS_TTY, "tty", event->tty);
    set_if(line, present & ROLLCALL_HAS_PID_NS, "ns_pid", event->ns_pid);
    set_if(line, present & ROLLCALL_HAS_PID_NS, "pid_ns", event->pid_ns);
    set_if(line, present & ROLLCALL_HAS_CGROUP, "cgroup", event->cgroup);
    set_if(line, present & ROLLCALL_HAS_START_KEY, "start_key", event->start_key);
    set_string(line, "comm", event->comm, strnlen(event->comm, sizeof(event->comm)));
    if (event->flags & ROLLCALL_KERNEL_THREAD)
        set(line, "kernel_thread", json_true());
    if (event->flags & ROLLCALL_LATE)
        set(line, "late", json_true());
}

static void set_texts(struct line *line, const struct rollcall_event *event)
{
    set_text(line, "exe", event, ROLLCALL_EXE);
    set_text(line, "args", event, ROLLCALL_ARGS);
    set_text(line, "cwd", event, ROLLCALL_CWD);
    set_text(line, "command", event, ROLLCALL_COMMAND);
    set_text(line, "user", event, ROLLCALL_USER);
}

static void set_end(struct line *line, const struct rollcall_event *event)
{
    if (event->present & ROLLCALL_HAS_STATUS) {
        bool windows = event->flags & ROLLCALL_NTSTATUS;
        unsigned signal = windows ? 0 : event->status & 0x7f;

        if (windows)
            set_number(line, "exit_code", event->status);
        else if (signal)
            set_number(line, "signal", signal);
        else
            set_number(line, "exit_code", event->status >> 8 & 0xff);
        if (event->flags & ROLLCALL_CORE_DUMPED)
            set(line, "core_dumped", json_true());
    }
    if (event->start_ns && event->mono_ns >= event->start_ns)
        set_number(line, "lived_ns", event->mono_ns - event->start_ns);
}

/* Gives what was collected to the line. */
static void set_if_any(struct line *line, const char *name, json_t *value)
{
    if (value)
        set(line, name, value);
}

static void fill(struct line *line, const struct rollcall_event *event, uint64_t epoch,
                 int64_t wall_offset_ns)
{
    char time[JSON_TIME_SIZE];

    json_time(time, (int64_t)event->mono_ns + wall_offset_ns);
    set_number(line, "epoch", epoch);
    set_number(line, "seq", event->seq);
    set(line, "type", json_string_nocheck(rollcall_type_name(event->type)));
    set(line, "time", json_string_nocheck(time));
    set_number(line, "mono_ns", event->mono_ns);
    if (event->type == ROLLCALL_GAP) {
        set_gap(line, event);
    } else if (event->type != ROLLCALL_SYNCED) {
        set_identity(line, event);
        set_texts(line, event);
    }
    if (event->type == ROLLCALL_EXIT)
        set_end(line, event);
    set_if_any(line, "truncated", line->truncated);
    set_if_any(line, "full_size", line->full_size);
    set_if_any(line, "unreadable", line->unreadable);
    set_if_any(line, "inexact", line->inexact);
    set_if_any(line, "raw", line->raw);
}

/* By way of a buffer: json_dumpf() would write each quote and comma by itself. */
static int dump(FILE *to, const json_t *object)
{
    char line[LINE_SIZE];
    size_t size = json_dumpb(object, line, sizeof(line), JSON_COMPACT);

    if (size == 0)
        return -ENOMEM;
    if (size > sizeof(line))
        return json_dumpf(object, to, JSON_COMPACT) < 0 ? -ENOMEM : 0;
    return fwrite(line, 1, size, to) == size ? 0 : -ENOMEM;
}

int json_event(FILE *to, const struct rollcall_event *event, uint64_t epoch, int64_t wall_offset_ns)
{
    struct line line = {.object = json_object()};

    fill(&line, event, epoch, wall_offset_ns);
    if (!line.failed && dump(to, line.object) < 0)
        line.failed = true;
    fputc('\n', to);
    json_decref(line.object);
    return line.failed ? -ENOMEM : 0;
}

char *json_line(const struct rollcall_event *event, uint64_t epoch, int64_t wall_offset_ns)
{
    struct line line = {.object = json_object()};
    char *text = NULL;
    char *ended = NULL;

    fill(&line, event, epoch, wall_offset_ns);
    if (!line.failed)
        text = json_dumps(line.object, JSON_COMPACT);
    json_decref(line.object);
    if (text)
        ended = realloc(text, strlen(text) + 2);
    if (ended)
        memcpy(ended + strlen(ended), "\n", 2);
    else
        free(text);
    return ended;
}
