/* SPDX-License-Identifier: MIT */
#include "windows/driver/sid.h"

#include <string.h>

#define REVISION  1u
#define PARTS_MAX 15u
#define HEAD      8u /* revision, count, six bytes of the authority */

static size_t put_decimal(uint64_t number, char *out)
{
    char digits[20];
    size_t count = 0;

    do
        digits[count++] = (char)('0' + number % 10);
    while (number /= 10);
    for (size_t i = 0; i < count; i++)
        out[i] = digits[count - 1 - i];
    return count;
}

/* What does not fit into 32 bits is written with all its twelve digits. */
static size_t put_authority(uint64_t authority, char *out)
{
    static const char digits[] = "0123456789abcdef";

    if (authority <= UINT32_MAX)
        return put_decimal(authority, out);
    out[0] = '0';
    out[1] = 'x';
    for (unsigned i = 0; i < 12; i++)
        out[2 + i] = digits[authority >> (44 - 4 * i) & 0xf];
    return 14;
}

size_t sid_text(const uint8_t *sid, char text[SID_TEXT_MAX])
{
    uint64_t authority = 0;
    size_t size = 4;

    if (sid[0] != REVISION || sid[1] > PARTS_MAX)
        return 0;
    memcpy(text, "S-1-", 4);
    for (unsigned i = 2; i < HEAD; i++)
        authority = authority << 8 | sid[i];
    size += put_authority(authority, text + size);
    for (unsigned i = 0; i < sid[1]; i++) {
        uint32_t part;

        memcpy(&part, sid + HEAD + sizeof(part) * i, sizeof(part));
        text[size++] = '-';
        size += put_decimal(part, text + size);
    }
    return size;
}
