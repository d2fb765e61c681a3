/* SPDX-License-Identifier: MIT */
#include "program/system.h"

#include "lib/utf8.h"
#include "windows/clock.h"
#include "windows/error.h"
#include "windows/wide.h"

#include <rollcall/event.h>

#include <windows.h>

#include <sddl.h>

#include <ctype.h>
#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACCOUNT_NAME 257 /* UNLEN and the end */

bool system_self(uint32_t *pid, uint32_t *pid_ns)
{
    *pid = GetCurrentProcessId();
    *pid_ns = 0;
    return true;
}

/* Users have SIDs here, not numbers. */
bool system_find_user(const char *name, uint32_t *uid)
{
    (void)name, (void)uid;
    return false;
}

bool system_user_name(uint32_t uid, char *name, size_t size)
{
    (void)uid, (void)name, (void)size;
    return false;
}

bool system_account_name(const char *sid, char *name, size_t size)
{
    wchar_t *wide = wide_from(sid);
    wchar_t account[ACCOUNT_NAME];
    wchar_t domain[ACCOUNT_NAME];
    DWORD account_size = ACCOUNT_NAME;
    DWORD domain_size = ACCOUNT_NAME;
    SID_NAME_USE use;
    PSID binary = NULL;
    char *text = NULL;

    if (wide && ConvertStringSidToSidW(wide, &binary) &&
        LookupAccountSidW(NULL, binary, account, &account_size, domain, &domain_size, &use))
        text = wide_to(account);
    if (text)
        snprintf(name, size, "%s", text);
    if (binary)
        LocalFree(binary);
    free(wide);
    free(text);
    return text;
}

uint64_t system_mono_ns(void)
{
    return clock_mono_ns();
}

uint64_t system_boot_ns(void)
{
    return clock_boot_ns();
}

unsigned system_exe_types(void)
{
    return 1u << ROLLCALL_CREATE | 1u << ROLLCALL_EXISTS | 1u << ROLLCALL_GAP;
}

int system_create(const char *path)
{
    wchar_t *wide = wide_from(path);
    HANDLE file = wide ? CreateFileW(wide, GENERIC_WRITE, FILE_SHARE_READ, NULL, CREATE_ALWAYS,
                                     FILE_ATTRIBUTE_NORMAL, NULL)
                       : INVALID_HANDLE_VALUE;
    int err = file == INVALID_HANDLE_VALUE ? -error_number(GetLastError()) : 0;

    free(wide);
    return err < 0 ? err : _open_osfhandle((intptr_t)file, _O_WRONLY | _O_BINARY);
}

/* ---- patterns ---- */

static size_t character(const char *text)
{
    size_t n = utf8_character(text, strlen(text));

    return n ? n : 1;
}

/* Names of files differ by more than the case of their letters; of letters beyond ASCII, by that
 * too. */
static bool same(const char *a, const char *b, size_t n)
{
    if (n == 1 && *a == '/')
        return *b == '\\' || *b == '/';
    return n == 1 ? tolower((unsigned char)*a) == tolower((unsigned char)*b)
                  : strncmp(a, b, n) == 0;
}

/* Where the set that begins here ends: at its bracket, which may also be its first character. NULL:
 * nowhere, so it is none. */
static const char *end_of_set(const char *set)
{
    bool none = set[1] == '!' || set[1] == '^';

    return set[1 + none] ? strchr(set + 2 + none, ']') : NULL;
}

/* Whether the set, `[a-c]` or `[!x]`, has the character. */
static bool in_set(const char *set, const char *end, char c)
{
    bool none = set[1] == '!' || set[1] == '^';
    bool found = false;

    c = (char)tolower((unsigned char)c);
    for (const char *p = set + 1 + none; p < end; p++) {
        char low = (char)tolower((unsigned char)*p);

        if (p[1] == '-' && p + 2 < end)
            p += 2;
        found |= low <= c && c <= (char)tolower((unsigned char)*p);
    }
    return found != none;
}

/* `*` any characters, `?` one, `[...]` one of a set; a backslash is a backslash, which / fits too. */
bool system_glob(const char *pattern, const char *text)
{
    const char *star = NULL;   /* the last one that was passed ... */
    const char *resume = text; /* ... and where what follows it begins */

    while (*text) {
        const char *next = NULL;
        const char *end;
        size_t n = character(text);

        if (*pattern == '*') {
            star = ++pattern;
            resume = text;
            continue;
        }
        if (*pattern == '?')
            next = pattern + 1;
        else if (*pattern == '[' && (end = end_of_set(pattern)))
            next = n == 1 && in_set(pattern, end, *text) ? end + 1 : NULL;
        else if (*pattern && character(pattern) == n && same(pattern, text, n))
            next = pattern + n;
        if (next) {
            pattern = next;
            text += n;
        } else if (star) {
            pattern = star;
            resume += character(resume);
            text = resume;
        } else {
            return false;
        }
    }
    return pattern[strspn(pattern, "*")] == '\0';
}
