/* SPDX-License-Identifier: MIT */
#include "service/answers.h"

#include "events/text.h"
#include "lib/error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A decimal number that fits; returns what follows it, NULL: it is none. */
static const char *read_number(const char *text, uint64_t *value)
{
    uint64_t number = 0;

    if (*text < '0' || *text > '9')
        return NULL;
    for (; *text >= '0' && *text <= '9'; text++) {
        uint64_t digit = (uint64_t)(*text - '0');

        if (number > (UINT64_MAX - digit) / 10)
            return NULL;
        number = 10 * number + digit;
    }
    *value = number;
    return text;
}

static bool read_line(const char *line, struct answer *answer)
{
    const char *rest = read_number(line, &answer->seq);

    answer->has_epoch = rest && *rest == ' ';
    if (answer->has_epoch) {
        answer->epoch = answer->seq;
        rest = read_number(rest + 1, &answer->seq);
    }
    /* Programs of Windows end lines with two characters. */
    return rest && rest[*rest == '\r'] == '\0';
}

static int refuse(const struct answers *answers)
{
    char *shown = text_escaped(answers->line, answers->size);
    int err = rollcall_fail(-EPROTO,
                            "'%s' is not an answer: write the `seq` of the last event that "
                            "is done, or its `epoch`, a space and its `seq`",
                            shown ? shown : "");

    free(shown);
    return err;
}

int answers_take(struct answers *answers, const char *bytes, size_t size, size_t *used,
                 struct answer *answer)
{
    const char *end = memchr(bytes, '\n', size);
    size_t piece = end ? (size_t)(end - bytes) : size;
    size_t room = sizeof(answers->line) - 1 - answers->size;
    size_t copied = piece < room ? piece : room;

    memcpy(answers->line + answers->size, bytes, copied);
    answers->size += copied;
    answers->line[answers->size] = '\0';
    *used = end ? piece + 1 : piece;
    if (copied < piece)
        return refuse(answers);
    if (!end)
        return 0;
    if (strlen(answers->line) != answers->size || !read_line(answers->line, answer))
        return refuse(answers);
    answers->size = 0;
    return 1;
}
