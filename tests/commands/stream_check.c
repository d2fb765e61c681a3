/* SPDX-License-Identifier: MIT */
/* stream-check FILE [TRUTH]: compares lines of JSON, as `watch --json --self` writes them, with
 * the truth of a load, and with themselves. */
#include "tests/commands/truth.h"
#include "tests/load/check.h"

#include <rollcall/rollcall.h>

#include <err.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t number(const json_t *line, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(line, name));
}

static uint16_t type_of(const json_t *line)
{
    const char *name = json_string_value(json_object_get(line, "type"));

    for (uint16_t type = ROLLCALL_CREATE; name && type <= ROLLCALL_SYNCED; type++)
        if (strcmp(rollcall_type_name(type), name) == 0)
            return type;
    errx(1, "a line without a known type");
}

/* What the check looks at. */
static struct rollcall_event event_of(const json_t *line)
{
    uint64_t signal = number(line, "signal");

    return (struct rollcall_event){
        .type = type_of(line),
        .flags = json_is_true(json_object_get(line, "late")) ? ROLLCALL_LATE : 0,
        .seq = number(line, "seq"),
        .mono_ns = number(line, "mono_ns"),
        .start_ns = number(line, "start_ns"),
        .pid = (uint32_t)number(line, "pid"),
        .ppid = (uint32_t)number(line, "ppid"),
        .parent_start_ns = number(line, "parent_start_ns"),
        .creator_pid = (uint32_t)number(line, "creator_pid"),
        .creator_tid = (uint32_t)number(line, "creator_tid"),
        .status = (uint32_t)(signal ? signal : number(line, "exit_code") << 8),
        .lost = number(line, "lost"),
    };
}

typedef void each_event(const struct rollcall_event *event, uint64_t epoch, void *context);

static void for_each(FILE *file, each_event *each, void *context)
{
    char *text = NULL;
    size_t room = 0;
    ssize_t size;

    rewind(file);
    while ((size = getline(&text, &room, file)) > 0) {
        json_t *line = json_loadb(text, (size_t)size, JSON_ALLOW_NUL, NULL);
        struct rollcall_event event;

        if (!line)
            errx(1, "not JSON: %s", text);
        event = event_of(line);
        each(&event, number(line, "epoch"), context);
        json_decref(line);
    }
    free(text);
}

/* The hooks are attached one after the other: from the first `create` on all are announced. */
static void find_begin(const struct rollcall_event *event, uint64_t epoch, void *context)
{
    uint64_t *begin_ns = context;

    (void)epoch;
    if (*begin_ns == 0 && event->type == ROLLCALL_CREATE)
        *begin_ns = event->mono_ns;
}

static void feed(const struct rollcall_event *event, uint64_t epoch, void *context)
{
    check_event(context, epoch, event);
}

int main(int argc, char **argv)
{
    FILE *file = argc > 1 ? fopen(argv[1], "re") : NULL;
    struct check *check;
    uint64_t begin_ns = 0;
    uint64_t differences;

    if (!file || argc > 3)
        errx(2, "usage: stream-check FILE [TRUTH]");
    for_each(file, find_begin, &begin_ns);
    if (begin_ns == 0)
        errx(1, "%s tells of no process that was created", argv[1]);
    check = check_new(begin_ns);
    for_each(file, feed, check);
    fclose(file);
    differences = check_finish(check, argc == 3 ? truth_map(argv[2]) : NULL);
    check_print(check, stderr);
    check_free(check);
    return differences > 0;
}
