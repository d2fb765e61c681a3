/* SPDX-License-Identifier: MIT */
#include "cli/system.h"

#include "lib/utf8.h"
#include "windows/error.h"
#include "windows/wide.h"

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

/* `[a-c]`, `[!x]`: where the set ends if it is one that has the character, NULL: it has not. */
static const char *in_set(const char *set, char c)
{
    bool none = set[1] == '!' || set[1] == '^';
    bool found = false;
    const char *p = set + 1 + none;

    c = (char)tolower((unsigned char)c);
    do {
        char low = (char)tolower((unsigned char)*p);
        char high = p[1] == '-' && p[2] && p[2] != ']' ? (char)tolower((unsigned char)p[2]) : low;

        found |= low <= c && c <= high;
        p += high != low || (p[1] == '-' && p[2] && p[2] != ']') ? 3 : 1;
    } while (*p && *p != ']');
    return found != none ? p + 1 : NULL;
}

/* `*` any characters, `?` one, `[...]` one of a set; a backslash is a backslash, which / fits too. */
bool system_glob(const char *pattern, const char *text)
{
    const char *star = NULL;   /* the last one that was passed ... */
    const char *resume = text; /* ... and where what follows it begins */

    while (*text) {
        const char *next = NULL;
        size_t n = character(text);

        if (*pattern == '*') {
            star = ++pattern;
            resume = text;
            continue;
        }
        if (*pattern == '?')
            next = pattern + 1;
        else if (*pattern == '[' && strchr(pattern, ']'))
            next = n == 1 ? in_set(pattern, *text) : NULL;
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
