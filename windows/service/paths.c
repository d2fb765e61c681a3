/* SPDX-License-Identifier: MIT */
#include "windows/service/paths.h"

#include "windows/cli/command_line.h"
#include "windows/wide.h"

#include <windows.h>

#include <shlobj.h>

#include <stdint.h>
#include <stdlib.h>

#define PATH_ROOM 32768u

static wchar_t *joined(const wchar_t *directory, const wchar_t *name)
{
    size_t room = wcslen(directory) + wcslen(name) + 2;
    wchar_t *path = malloc(room * sizeof(*path));

    if (path)
        _snwprintf(path, room, L"%ls\\%ls", directory, name);
    return path;
}

wchar_t *paths_program(void)
{
    wchar_t *path = malloc(PATH_ROOM * sizeof(*path));
    DWORD size = path ? GetModuleFileNameW(NULL, path, PATH_ROOM) : 0;

    if (size > 0 && size < PATH_ROOM)
        return path;
    free(path);
    return NULL;
}

wchar_t *paths_beside_program(const wchar_t *name)
{
    wchar_t *program = paths_program();
    wchar_t *end = program ? wcsrchr(program, L'\\') : NULL;
    wchar_t *path = NULL;

    if (end) {
        *end = L'\0';
        path = joined(program, name);
    }
    free(program);
    return path;
}

wchar_t *paths_in_windows(const wchar_t *name)
{
    wchar_t windows[MAX_PATH];
    UINT size = GetSystemWindowsDirectoryW(windows, MAX_PATH);

    return size > 0 && size < MAX_PATH ? joined(windows, name) : NULL;
}

wchar_t *paths_data(void)
{
    wchar_t directory[MAX_PATH];

    if (SHGetFolderPathW(NULL, CSIDL_COMMON_APPDATA, NULL, SHGFP_TYPE_CURRENT, directory) != S_OK)
        return NULL;
    return joined(directory, L"rollcall");
}

wchar_t *paths_command(const wchar_t *program, const char *const *arguments)
{
    static char service[] = "service";
    static char run[] = "run";
    wchar_t *command = NULL;
    char *name = wide_to(program);
    size_t count = 0;
    char **all;

    while (arguments[count])
        count++;
    all = calloc(count + 4, sizeof(*all));
    if (name && all) {
        all[0] = name;
        all[1] = service;
        all[2] = run;
        for (size_t i = 0; i < count; i++)
            all[3 + i] = (char *)(uintptr_t)arguments[i];
        command = command_line_from(all);
    }
    free(all);
    free(name);
    return command;
}
