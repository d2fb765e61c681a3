/* SPDX-License-Identifier: MIT */
#include "program/parse.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define SECOND 1000000000ll

bool parse_number(const char *text, uint64_t max, uint64_t *value)
{
    unsigned long long number;
    char *end;

    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    number = strtoull(text, &end, 10);
    if (errno || *end || number > max)
        return false;
    *value = number;
    return true;
}

bool parse_size(const char *text, uint64_t *bytes)
{
    static const char units[] = "KMGT";
    unsigned long long number;
    const char *unit;
    unsigned shift = 0;
    char *end;

    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    number = strtoull(text, &end, 10);
    if (errno)
        return false;
    unit = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
    if (unit) {
        shift = 10 * (unsigned)(unit - units + 1);
        end++;
        if (strcasecmp(end, "ib") == 0)
            end += 2;
    }
    if (strcasecmp(end, "b") == 0)
        end++;
    if (*end || number > UINT64_MAX >> shift)
        return false;
    *bytes = (uint64_t)number << shift;
    return true;
}

bool parse_duration(const char *text, uint64_t *ns)
{
    static const struct {
        const char *name;
        double ns;
    } units[] = {{"", 1e9},  {"ns", 1.0}, {"us", 1e3},   {"ms", 1e6},
                 {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}, {"d", 86400e9}};
    double number;
    char *end;

    if (!isdigit((unsigned char)*text) && *text != '.')
        return false;
    number = strtod(text, &end);
    if (strspn(text, "0123456789.") != (size_t)(end - text)) /* no exponents, nothing hexadecimal */
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(end, units[i].name) == 0 && number * units[i].ns < 9e18) {
            *ns = (uint64_t)(number * units[i].ns + 0.5);
            return end != text;
        }
    }
    return false;
}

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * SECOND + now.tv_nsec;
}

/* ".25" and the zone after it; what is left over is returned. */
static const char *parse_fraction(const char *text, int64_t *ns)
{
    int64_t unit = SECOND;

    *ns = 0;
    if (*text != '.' || !isdigit((unsigned char)text[1]))
        return text;
    for (text++; isdigit((unsigned char)*text); text++) {
        unit /= 10;
        *ns += unit * (*text - '0');
    }
    return text;
}

/* "Z" or "+01:00"; *given: whether there is one. */
static bool parse_zone(const char *text, bool *given, int64_t *seconds)
{
    struct tm zone = {0};
    const char *end;

    *given = *text;
    *seconds = 0;
    if (!*text || strcmp(text, "Z") == 0)
        return true;
    if (*text != '+' && *text != '-')
        return false;
    end = strptime(text + 1, "%H:%M", &zone);
    if (!end || *end)
        return false;
    *seconds = (zone.tm_hour * 60ll + zone.tm_min) * (*text == '-' ? -60 : 60);
    return true;
}

/* What the calendar does not have, or 64 bits do not reach, is refused. */
static bool to_seconds(struct tm *moment, bool zone, int64_t offset, int64_t *seconds)
{
    struct tm same = *moment;

    timegm(&same);
    if (same.tm_mday != moment->tm_mday)
        return false;
    *seconds = zone ? timegm(moment) - offset : mktime(moment);
    return *seconds > INT64_MIN / SECOND && *seconds < INT64_MAX / SECOND;
}

static bool parse_moment(const char *text, int64_t *ns)
{
    static const char *const formats[] = {
        "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M",
        "%Y-%m-%d",          "%H:%M:%S",          "%H:%M"};
    time_t today = time(NULL);

    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        struct tm moment;
        const char *rest;
        int64_t fraction;
        int64_t seconds;
        int64_t offset;
        bool zone;

        localtime_r(&today, &moment);
        moment.tm_hour = moment.tm_min = moment.tm_sec = 0;
        moment.tm_isdst = -1;
        rest = strptime(text, formats[i], &moment);
        if (!rest)
            continue;
        rest = parse_fraction(rest, &fraction);
        if (!parse_zone(rest, &zone, &offset) || !to_seconds(&moment, zone, offset, &seconds))
            continue;
        *ns = seconds * SECOND + fraction;
        return true;
    }
    return false;
}

bool parse_time(const char *text, int64_t *ns)
{
    uint64_t ago;

    if (strcmp(text, "now") == 0) {
        *ns = now_ns();
        return true;
    }
    if (*text == '-') {
        if (!parse_duration(text + 1, &ago))
            return false;
        *ns = now_ns() - (int64_t)ago;
        return true;
    }
    return parse_moment(text, ns);
}
