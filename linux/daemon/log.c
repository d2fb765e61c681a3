/* SPDX-License-Identifier: MIT */
#include "linux/daemon/log.h"

#include "linux/clock.h"
#include "program/complain.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_MAX   1024
#define LIMITED_NS 10000000000u

static bool to_journal;

/* systemd names the stream that it has given; a later redirection is another one. */
static bool is_journal(const char *stream)
{
    struct stat st;
    char name[64];

    if (!stream || fstat(STDERR_FILENO, &st) < 0)
        return false;
    snprintf(name, sizeof(name), "%llu:%llu", (unsigned long long)st.st_dev,
             (unsigned long long)st.st_ino);
    return strcmp(stream, name) == 0;
}

static void put(int level, const char *text)
{
    if (to_journal)
        fprintf(stderr, "<%d>%s\n", level, text);
    else
        fprintf(stderr, "rollcalld: %s\n", text);
}

static void complained(const char *text)
{
    put(LOG_ERR, text);
}

void log_open(void)
{
    to_journal = is_journal(getenv("JOURNAL_STREAM"));
    complain_to(complained);
}

void log_line(int level, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    put(level, text);
}

void log_limited(struct log_limit *limit, int level, const char *format, ...)
{
    uint64_t now = clock_mono_ns();
    char text[TEXT_MAX];
    va_list args;

    if (now < limit->until_ns) {
        limit->left_out++;
        return;
    }
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (limit->left_out)
        log_line(level, "%s (and %llu times more since the last such line)", text,
                 (unsigned long long)limit->left_out);
    else
        put(level, text);
    limit->until_ns = now + LIMITED_NS;
    limit->left_out = 0;
}
