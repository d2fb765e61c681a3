/* SPDX-License-Identifier: MIT */
#include "windows/wide.h"

#include <windows.h>

#include <stdlib.h>

wchar_t *wide_from(const char *text)
{
    int room = MultiByteToWideChar(CP_UTF8, 0, text, -1, NULL, 0);
    wchar_t *wide = room > 0 ? malloc((size_t)room * sizeof(*wide)) : NULL;

    if (wide)
        MultiByteToWideChar(CP_UTF8, 0, text, -1, wide, room);
    return wide;
}

char *wide_to(const wchar_t *text)
{
    int room = WideCharToMultiByte(CP_UTF8, 0, text, -1, NULL, 0, NULL, NULL);
    char *narrow = room > 0 ? malloc((size_t)room) : NULL;

    if (narrow)
        WideCharToMultiByte(CP_UTF8, 0, text, -1, narrow, room, NULL, NULL);
    return narrow;
}
