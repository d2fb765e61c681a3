/* SPDX-License-Identifier: MIT */
#include "lib/utf8.h"

#include <string.h>

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* How many bytes the first one announces. */
static size_t announced(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first <= 0xdf)
        return 2;
    if (first >= 0xe0 && first <= 0xef)
        return 3;
    return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

size_t utf8_character(const char *text, size_t size)
{
    unsigned char first = (unsigned char)text[0];
    unsigned char second;
    size_t n = announced(first);

    if (n < 2 || n > size)
        return n == 1 ? 1 : 0;
    for (size_t i = 1; i < n; i++)
        if (!is_continuation(text[i]))
            return 0;
    second = (unsigned char)text[1];
    /* Too long for what it says, surrogates, and beyond the last code point. */
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
        (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f))
        return 0;
    return n;
}

bool utf8_valid(const char *text, size_t size)
{
    size_t n;

    for (size_t i = 0; i < size; i += n) {
        n = utf8_character(text + i, size - i);
        if (n == 0)
            return false;
    }
    return true;
}

size_t utf8_repair(char *out, const char *text, size_t size)
{
    size_t used = 0;
    size_t n;

    for (size_t i = 0; i < size; i += n ? n : 1) {
        n = utf8_character(text + i, size - i);
        memcpy(out + used, n ? text + i : "\xef\xbf\xbd", n ? n : 3);
        used += n ? n : 3;
    }
    return used;
}
