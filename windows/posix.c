/* SPDX-License-Identifier: MIT */
#include "windows/posix.h"

#include <stdbool.h>
#include <stdlib.h>

char *strndup(const char *text, size_t size)
{
    size_t length = strnlen(text, size);
    char *copy = malloc(length + 1);

    if (copy) {
        memcpy(copy, text, length);
        copy[length] = '\0';
    }
    return copy;
}

void *memrchr(const void *memory, int c, size_t size)
{
    const unsigned char *bytes = memory;

    while (size > 0)
        if (bytes[--size] == (unsigned char)c)
            return (void *)(uintptr_t)(bytes + size);
    return NULL;
}

struct tm *gmtime_r(const time_t *seconds, struct tm *moment)
{
    return gmtime_s(moment, seconds) == 0 ? moment : NULL;
}

struct tm *localtime_r(const time_t *seconds, struct tm *moment)
{
    return localtime_s(moment, seconds) == 0 ? moment : NULL;
}

time_t timegm(struct tm *moment)
{
    return _mkgmtime(moment);
}

/* A number of at most `digits` digits from `min` to `max`. */
static bool read_number(const char **text, int digits, int min, int max, int *number)
{
    const char *begin = *text;

    *number = 0;
    while (**text >= '0' && **text <= '9' && *text - begin < digits)
        *number = 10 * *number + *(*text)++ - '0';
    return *text > begin && *number >= min && *number <= max;
}

static bool convert(char conversion, const char **text, struct tm *moment)
{
    int number = 0;
    bool ok = false;

    switch (conversion) {
    case 'Y':
        ok = read_number(text, 4, 0, 9999, &number);
        moment->tm_year = number - 1900;
        break;
    case 'm':
        ok = read_number(text, 2, 1, 12, &number);
        moment->tm_mon = number - 1;
        break;
    case 'd':
        ok = read_number(text, 2, 1, 31, &number);
        moment->tm_mday = number;
        break;
    case 'H':
        ok = read_number(text, 2, 0, 23, &number);
        moment->tm_hour = number;
        break;
    case 'M':
        ok = read_number(text, 2, 0, 59, &number);
        moment->tm_min = number;
        break;
    case 'S':
        ok = read_number(text, 2, 0, 60, &number);
        moment->tm_sec = number;
        break;
    default:
        break;
    }
    return ok;
}

char *strptime(const char *text, const char *format, struct tm *moment)
{
    for (; *format; format++) {
        if (*format == '%' ? !convert(*++format, &text, moment) : *text++ != *format)
            return NULL;
    }
    return (char *)(uintptr_t)text;
}
