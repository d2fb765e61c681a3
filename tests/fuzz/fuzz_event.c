/* SPDX-License-Identifier: MIT */
/* Records from who knows where: what passes for well-formed can be looked at and printed. */
#include "cli/lines.h"
#include "cli/output.h"
#include "events/json.h"

#include <rollcall/rollcall.h>

#include <jansson.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Instead of the C library's, which asks half the system: that is slow, and is not meant here. */
struct passwd *getpwuid(uid_t uid)
{
    (void)uid;
    return NULL;
}

static void check(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "not true: %s\n", what);
    abort();
}

static void walk_texts(const struct rollcall_event *event)
{
    const char *begin = (const char *)event;
    struct rollcall_string text;

    for (int field = 0; field <= ROLLCALL_USER + 1; field++)
        if (rollcall_event_text(event, (enum rollcall_text_field)field, &text))
            check(text.data >= begin + sizeof(*event) &&
                      text.size <= (size_t)(begin + event->size - text.data),
                  "a text lies within its event");
}

/* One line, that a parser understands. */
static void print_json(const struct rollcall_event *event)
{
    char *line = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&line, &size);
    json_t *parsed;

    check(to, "there is memory");
    check(json_event(to, event, 1, 0) == 0, "json_event has memory");
    fclose(to);
    check(size > 0 && memchr(line, '\n', size) == line + size - 1, "it is one line");
    parsed = json_loadb(line, size, JSON_ALLOW_NUL, NULL);
    check(parsed, "it is JSON");
    json_decref(parsed);
    free(line);
}

/* Nothing that a terminal would obey. */
static void print_line(const struct rollcall_event *event)
{
    struct output output;
    struct lines lines = {.output = &output};

    check(output_open(&output, -1) == 0, "there is memory");
    lines_event(&lines, event, 0, 0);
    fflush(output.text);
    for (size_t i = 0; i < output.size; i++)
        check((unsigned char)output.data[i] >= 0x20 || output.data[i] == '\n',
              "no control character is printed");
    output_close(&output);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Memory of just that size, aligned as a record is. */
    void *record = malloc(size);

    if (!record)
        return 0;
    memcpy(record, data, size);
    if (rollcall_event_valid(record, size)) {
        walk_texts(record);
        check(*rollcall_type_name(((struct rollcall_event *)record)->type), "a type has a name");
        print_json(record);
        print_line(record);
    }
    free(record);
    return 0;
}
