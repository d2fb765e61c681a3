/* SPDX-License-Identifier: MIT */
#include "service/system_log.h"

#include "lib/error.h"
#include "windows/error.h"
#include "windows/service/log.h"

#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 30000u /* what the event log takes is a little more, in characters */

struct system_log {
    char *handler;
};

const char *system_log_names(void)
{
    return "eventlog";
}

bool system_log_known(const char *name)
{
    return strcmp(name, "eventlog") == 0;
}

struct system_log *system_log_new(const char *name, const char *handler)
{
    struct system_log *log = calloc(1, sizeof(*log));

    (void)name;
    if (log)
        log->handler = strdup(handler);
    if (log && log->handler)
        return log;
    free(log);
    return NULL;
}

void system_log_free(struct system_log *log)
{
    if (!log)
        return;
    free(log->handler);
    free(log);
}

int system_log_write(struct system_log *log, const char *line, size_t size)
{
    DWORD error = ERROR_NOT_ENOUGH_MEMORY;
    char *text;

    if (asprintf(&text, "%s: %.*s", log->handler, (int)(size < TEXT_MAX ? size : TEXT_MAX), line) >=
        0) {
        error = log_report(MESSAGE_EVENT, text);
        free(text);
    }
    return error ? rollcall_fail(-error_number(error), "the event log takes nothing: %s",
                                 error_text(error))
                 : 0;
}
