/* SPDX-License-Identifier: MIT */
#include "windows/cli/command_line.h"

#include "windows/wide.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static char *put(char *to, char c, size_t times)
{
    memset(to, c, times);
    return to + times;
}

/* Backslashes are themselves, except before a quote: there each is written twice, and the quote
 * behind one more. At most twice the argument's size and 3 more. */
static char *put_argument(char *to, const char *argument)
{
    bool quoted = !*argument || strpbrk(argument, " \t\n\v\"");
    size_t backslashes = 0;

    if (quoted)
        *to++ = '"';
    for (; *argument; argument++) {
        if (*argument == '"')
            to = put(to, '\\', backslashes + 1);
        backslashes = *argument == '\\' ? backslashes + 1 : 0;
        *to++ = *argument;
    }
    if (quoted) {
        to = put(to, '\\', backslashes);
        *to++ = '"';
    }
    return to;
}

wchar_t *command_line_from(char **arguments)
{
    wchar_t *wide = NULL;
    size_t room = 1;
    char *line;
    char *end;

    for (char **argument = arguments; *argument; argument++)
        room += 2 * strlen(*argument) + 4;
    line = malloc(room);
    end = line;
    for (char **argument = arguments; line && *argument; argument++) {
        if (end > line)
            *end++ = ' ';
        end = put_argument(end, *argument);
    }
    if (line) {
        *end = '\0';
        wide = wide_from(line);
    }
    free(line);
    return wide;
}
