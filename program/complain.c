/* SPDX-License-Identifier: MIT */
#include "program/complain.h"

#include "program/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static const char *name;
static void (*sink)(const char *text);

void complain_as(const char *command)
{
    name = command;
}

void complain_to(void (*to)(const char *text))
{
    sink = to;
}

__attribute__((format(printf, 1, 0))) static void say(const char *format, va_list args)
{
    char text[1024];

    if (sink) {
        vsnprintf(text, sizeof(text), format, args);
        sink(text);
        return;
    }
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
    fprintf(stderr, "rollcall%s%s: ", name ? " " : "", name ? name : "");
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
}

void complain(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(format, args);
    va_end(args);
}

int complain_hint(void)
{
    fprintf(stderr, "Try `rollcall %s%s--help`.\n", name ? name : "", name ? " " : "");
    return EXIT_USAGE;
}

int complain_usage(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(format, args);
    va_end(args);
    return complain_hint();
}
