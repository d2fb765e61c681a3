/* SPDX-License-Identifier: MIT */
#include "windows/service/handling.h"

#include "program/complain.h"
#include "windows/service/directory.h"
#include "windows/service/paths.h"
#include "windows/wide.h"

#include <windows.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* They stay as long as the service: handlers point to them. */
static char *config;
static char *state;

static bool find_places(const wchar_t *data)
{
    char *name = wide_to(data);
    bool found = name && asprintf(&config, "%s\\handlers.d", name) >= 0 &&
                 asprintf(&state, "%s\\handlers", name) >= 0;

    free(name);
    return found;
}

static bool is_there(const char *path)
{
    wchar_t *wide = wide_from(path);
    DWORD attributes = wide ? GetFileAttributesW(wide) : INVALID_FILE_ATTRIBUTES;

    free(wide);
    return attributes != INVALID_FILE_ATTRIBUTES;
}

/* Every user may make things in ProgramData, and handlers run as the system: so all that is above them
 * must be the administrators'. */
static bool is_safe(const wchar_t *data)
{
    wchar_t *wide = wide_from(config);
    bool safe = wide && directory_make(data) == 0 && directory_make(wide) == 0;

    free(wide);
    if (!safe)
        complain("no handlers run: %s", rollcall_error());
    return safe;
}

struct handlers *handling_begin(void)
{
    const struct rollcall_options way = {.struct_size = sizeof(way)};
    wchar_t *data = paths_data();
    struct handlers *handlers = NULL;

    if (data && find_places(data) && is_there(config) && is_safe(data)) {
        handlers = handlers_new(config, state, &way);
        if (!handlers || handlers_load(handlers) < 0)
            complain("%s", rollcall_error());
    }
    free(data);
    return handlers;
}
