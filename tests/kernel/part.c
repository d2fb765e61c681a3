/* SPDX-License-Identifier: MIT */
#include "tests/kernel/part.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>

uint32_t part_of(uint32_t count)
{
    const char *text = getenv("ROLLCALL_TEST_PART");
    unsigned long part;
    char *end;

    if (!text)
        return count;
    errno = 0;
    part = strtoul(text, &end, 10);
    if (errno || end == text || *end || *text == '-' || part == 0)
        errx(1, "ROLLCALL_TEST_PART is '%s', not a number from 1 on", text);
    return part >= count ? 1 : count / (uint32_t)part;
}
