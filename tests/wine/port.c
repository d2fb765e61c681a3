/* SPDX-License-Identifier: MIT */
/* What windows/ does in the place of the C library and of Linux: as far as it needs no driver. */
#include "journal/file.h"
#include "journal/lock.h"
#include "program/parse.h"
#include "program/system.h"
#include "windows/cli/command_line.h"
#include "windows/error.h"
#include "windows/posix.h"
#include "windows/wide.h"

#include <rollcall/rollcall.h>

#include <windows.h>

#include <shellapi.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int failures;

static void check(bool holds, const char *what, const char *which)
{
    if (!holds) {
        printf("not so: %s: %s\n", what, which);
        failures++;
    }
}

static void patterns(void)
{
    static const struct {
        const char *pattern;
        const char *text;
        bool fits;
    } cases[] = {{"*", "", true},
                 {"", "", true},
                 {"", "a", false},
                 {"cmd.exe", "CMD.EXE", true},
                 {"cmd", "cmd.exe", false},
                 {"*.exe", "C:\\Windows\\a.exe", true},
                 {"*/a.exe", "C:\\Windows\\a.exe", true},
                 {"*\\a.exe", "C:\\Windows\\a.exe", true},
                 {"*\\a.exe", "C:\\Windows\\ba.exe", false},
                 {"a*b*c", "aXbXbXc", true},
                 {"a*b*c", "aXbXbX", false},
                 {"?.exe", "\xc3\xa4.exe", true},
                 {"??.exe", "\xc3\xa4.exe", false},
                 {"[a-c]x", "Bx", true},
                 {"[a-c]x", "dx", false},
                 {"[!a-c]x", "dx", true},
                 {"[!a-c]x", "bx", false},
                 {"[-a]x", "-x", true},
                 {"[]x", "[]x", true},
                 {"[]x]", "]", true},
                 {"[!]x]", "]", false},
                 {"[!", "[!", true},
                 {"[a-]", "-", true},
                 {"[a", "[a", true},
                 {"***a", "a", true},
                 {"a***", "a", true},
                 {"*a", "aab", false}};

    for (size_t i = 0; i < COUNT(cases); i++)
        check(system_glob(cases[i].pattern, cases[i].text) == cases[i].fits, cases[i].pattern,
              cases[i].text);
}

static void command_lines(void)
{
    static char empty[] = "";
    static char plain[] = "plain";
    static char spaces[] = "two words";
    static char quote[] = "a\"b";
    static char trailing[] = "C:\\dir with\\";
    static char both[] = "\\\\\"\\";
    static char letters[] = "\xc3\xa4\xf0\x9f\x98\x80";
    char *arguments[] = {plain, empty, spaces, quote, trailing, both, letters, plain, NULL};
    wchar_t *line = command_line_from(arguments);
    int count = 0;
    wchar_t **apart = line ? CommandLineToArgvW(line, &count) : NULL;

    check(count == (int)COUNT(arguments) - 1, "arguments", "their number");
    for (int i = 0; apart && i < count && arguments[i]; i++) {
        char *text = wide_to(apart[i]);

        check(text && strcmp(text, arguments[i]) == 0, "argument", arguments[i]);
        free(text);
    }
    LocalFree(apart);
    free(line);
}

static void moments(void)
{
    static const struct {
        const char *text;
        int64_t ns; /* -1: refused */
    } cases[] = {{"2026-11-23T14:05:09.25Z", 1795442709250000000},
                 {"2026-11-23T14:05:09+01:00", 1795439109000000000},
                 {"2026-02-30T00:00:00Z", -1},
                 {"2026-11-23T24:00:00Z", -1},
                 {"2026-11-23T14:05Zx", -1},
                 {"1600-99-01", -1},
                 {"yesterday", -1}};

    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t ns = -1;

        check(parse_time(cases[i].text, &ns) == (cases[i].ns >= 0) && ns == cases[i].ns, "moment",
              cases[i].text);
    }
}

static void strings(void)
{
    char *copy = strndup("abcdef", 3);
    char text[] = "a.b.c";

    check(copy && strcmp(copy, "abc") == 0, "strndup", "abc");
    free(copy);
    check(memrchr(text, '.', 5) == text + 3 && memrchr(text, '.', 3) == text + 1 &&
              !memrchr(text, '.', 1),
          "memrchr", text);
}

static void users(void)
{
    char name[32] = "";

    check(system_account_name("S-1-5-18", name, sizeof(name)) && name[0], "account", "S-1-5-18");
    check(!system_account_name("S-1-5", name, sizeof(name)), "account", "no SID");
}

static void files(void)
{
    char directory[MAX_PATH];
    char path[MAX_PATH + 32];
    intptr_t first = LOCK_NONE;
    intptr_t second = LOCK_NONE;
    char *full = NULL;
    bool made = false;

    GetTempPathA(sizeof(directory), directory);
    snprintf(path, sizeof(path), "%s\xc3\xa4-port.db", directory);
    file_remove(path);
    check(file_usable(path, false) == -ENOENT, "a file that is not there", path);
    check(file_make(path, &made) == 0 && made, "made", path);
    made = false;
    check(file_make(path, &made) == 0 && !made, "made twice", path);
    check(file_find(path, &full) == 0 && full && strcmp(full, path) == 0, "found", path);
    free(full);
    check(file_find(directory, &full) == -EISDIR, "a directory", directory);
    free(full);
    check(file_usable(path, true) == 0, "usable", path);
    check(lock_take(path, &first) == 0, "locked", path);
    check(lock_take(path, &second) == -EBUSY, "locked twice", rollcall_error());
    check(strstr(rollcall_error(), "process "), "who has it", rollcall_error());
    lock_release(first);
    check(lock_take(path, &second) == 0, "locked again", path);
    lock_release(second);
    file_remove(path);
    check(file_size(path) == 0, "removed", path);
}

static void errors(void)
{
    check(error_number(ERROR_SUCCESS) == 0 && error_number(ERROR_DISK_FULL) == ENOSPC &&
              error_number(ERROR_ACCESS_DENIED) == EACCES && error_number(12345) == EIO,
          "errors", "their numbers");
    check(error_text(ERROR_ACCESS_DENIED)[0] && strlen(error_text(0x7fffffff)) > 0, "errors",
          "their names");
}

int main(void)
{
    patterns();
    command_lines();
    moments();
    strings();
    users();
    files();
    errors();
    return failures != 0;
}
