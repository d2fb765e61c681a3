/* SPDX-License-Identifier: MIT */
#include "service/words.h"

#include "lib/error.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Copies one word; returns where it ends, NULL: a quote is not closed. */
static const char *copy_word(const char *from, char *to)
{
    char quote = '\0';

    for (; *from && (quote || !is_blank(*from)); from++) {
        if (*from == quote)
            quote = '\0';
        else if (!quote && (*from == '\'' || *from == '"'))
            quote = *from;
        else
            *to++ = *from;
    }
    *to = '\0';
    return quote ? NULL : from;
}

/* All words lie in one piece of memory, which begins with the first. */
static int split_into(char **words, char *room, const char *text)
{
    size_t count = 0;

    for (;;) {
        text += strspn(text, " \t");
        if (!*text)
            return 0;
        text = copy_word(text, room);
        if (!text)
            return -EINVAL;
        words[count++] = room;
        room += strlen(room) + 1;
    }
}

char **words_split(const char *text)
{
    size_t size = strlen(text);
    char **words = calloc(size / 2 + 2, sizeof(*words));
    char *room = malloc(size + 1);

    if (!words || !room)
        rollcall_fail(-ENOMEM, "out of memory");
    else if (split_into(words, room, text) < 0)
        rollcall_fail(-EINVAL, "a quote is not closed in '%s'", text);
    else if (words[0] != room)
        rollcall_fail(-EINVAL, "there is no word: write the path of a program");
    else
        return words;
    free(room);
    free(words);
    return NULL;
}

void words_free(char **words)
{
    if (words)
        free(words[0]);
    free(words);
}
