/* SPDX-License-Identifier: MIT */
#include "service/sink.h"

#include "events/json.h"
#include "lib/error.h"
#include "program/complain.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct sink_class *class_of(const struct config *config)
{
    switch (config->kind) {
    case CONFIG_PROGRAM:
        return &sink_program;
    case CONFIG_COMMAND:
        return &sink_command;
    default:
        return &sink_log;
    }
}

int sink_open(struct sink *sink, const struct config *config, struct state *state,
              struct backoff *backoff)
{
    int err;

    *sink = (struct sink){
        .class = class_of(config), .config = config, .state = state, .backoff = backoff};
    err = pending_open(&sink->pending, config->window);
    if (err == 0 && (err = sink->class->open(sink)) < 0)
        pending_close(&sink->pending);
    return err;
}

void sink_close(struct sink *sink)
{
    sink->class->close(sink);
    pending_close(&sink->pending);
}

char *sink_line(const struct given *given, size_t *size)
{
    char *line = json_line(given->event, given->epoch, given->wall_offset_ns);

    if (!line)
        rollcall_fail(-ENOMEM, "out of memory");
    *size = line ? strlen(line) : 0;
    return line;
}

void sink_say(const struct sink *sink, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    complain("%s: %s", sink->config->name, text);
}

const char *sink_end_text(char text[SINK_END_SIZE], const struct job_end *end)
{
    snprintf(text, SINK_END_SIZE, end->by_signal ? "signal %u" : "status %u", end->status);
    return text;
}
