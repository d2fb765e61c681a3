/* SPDX-License-Identifier: MIT */
#include "tests/commands/args_cases.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STRING_MAX 131071u /* the longest that the kernel takes */

static char *append(struct args *args, size_t size)
{
    char *place;

    if (args->size + size + 1 > args->room) {
        args->room = 2 * args->room + size + 1;
        args->bytes = realloc(args->bytes, args->room);
        if (!args->bytes)
            err(2, "no memory");
    }
    place = args->bytes + args->size;
    place[size] = '\0';
    args->size += size + 1;
    args->count++;
    return place;
}

static void add(struct args *args, const char *text)
{
    size_t size = strlen(text);

    memcpy(append(args, size), text, size);
}

static void add_all(struct args *args, const char *const *texts)
{
    for (; *texts; texts++)
        add(args, *texts);
}

static void add_range(struct args *args, int first, int last)
{
    for (int c = first; c <= last; c++)
        *append(args, 1) = (char)c;
}

/* Letters that do not repeat, so that a piece in the wrong place is seen. */
static void add_long(struct args *args, size_t size, unsigned seed)
{
    char *place = append(args, size);

    for (size_t i = 0; i < size; i++) {
        seed = seed * 1664525u + 1013904223u;
        place[i] = (char)('a' + (seed >> 24) % 26);
    }
}

static void make_empty(struct args *args)
{
    static const char *const texts[] = {"", "", "between", "", "", NULL};

    add_all(args, texts);
}

static void make_control(struct args *args)
{
    static const char *const texts[] = {"line\nline", "\r\n", "\ttab", "\033[31mred\033[0m", NULL};

    add(args, "control");
    add_range(args, 1, 31);
    add_range(args, 127, 127);
    add_all(args, texts);
}

static void make_quotes(struct args *args)
{
    static const char *const texts[] = {"quotes", "\"",    "'",   "\\",  "\\\"",    "\\u0041",
                                        "\\n",    "$(id)", "`id", "{}]", "a\" : 1", NULL};

    add_all(args, texts);
}

static void make_utf8(struct args *args)
{
    static const char *const texts[] = {"utf8",
                                        "\xc3\xa4",
                                        "\xf0\x9f\x98\x80",
                                        "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb",
                                        "e\xcc\x81",
                                        "\xc2\x85",
                                        "\xe2\x80\xa8",
                                        "\xef\xbb\xbf",
                                        "\xef\xbf\xbd",
                                        "\xed\x9f\xbf",
                                        "\xee\x80\x80",
                                        "\xf4\x8f\xbf\xbf",
                                        NULL};

    add_all(args, texts);
}

static void make_invalid(struct args *args)
{
    static const char *const texts[] = {"fine",         "a\xffz",
                                        "\xc0\x80",     "\xe0\x80\x80",
                                        "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                        "\xf0\x9f\x98", "\xf0\x9f\x98\x80\xf0",
                                        "\"\xfe\\\n",   NULL};

    add(args, "invalid");
    add_range(args, 0x80, 0xff);
    add_all(args, texts);
}

static void make_long(struct args *args)
{
    add(args, "long");
    add_long(args, STRING_MAX, 1);
    add(args, "end");
}

static void make_huge(struct args *args)
{
    add(args, "huge");
    for (unsigned i = 0; i < 12; i++)
        add_long(args, STRING_MAX - i, i);
}

static void make_many(struct args *args)
{
    char text[16];

    for (int i = 0; i < 20000; i++) {
        snprintf(text, sizeof(text), "%d", i);
        add(args, text);
    }
}

static const struct {
    const char *name;
    void (*make)(struct args *args);
} cases[] = {
    {"empty", make_empty}, {"control", make_control}, {"quotes", make_quotes},
    {"utf8", make_utf8},   {"invalid", make_invalid}, {"long", make_long},
    {"huge", make_huge},   {"many", make_many},
};

static void set_argv(struct args *args)
{
    char *next = args->bytes;

    args->argv = calloc(args->count + 1, sizeof(*args->argv));
    if (!args->argv)
        err(2, "no memory");
    for (size_t i = 0; i < args->count; i++) {
        args->argv[i] = next;
        next += strlen(next) + 1;
    }
}

void args_make(struct args *args, const char *name)
{
    memset(args, 0, sizeof(*args));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (strcmp(cases[i].name, name) == 0) {
            cases[i].make(args);
            set_argv(args);
            return;
        }
    }
    errx(2, "there is no case '%s'", name);
}

void args_free(struct args *args)
{
    free((void *)args->argv);
    free(args->bytes);
}
