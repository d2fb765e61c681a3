/* SPDX-License-Identifier: MIT */
#include "windows/driver/wtf8.h"

/* The character that begins at units[*at], which is moved behind it. */
static uint32_t next_character(const uint16_t *units, size_t count, size_t *at)
{
    uint32_t first = units[(*at)++];

    if (first < 0xd800 || first > 0xdbff || *at == count)
        return first;
    if (units[*at] < 0xdc00 || units[*at] > 0xdfff)
        return first;
    return 0x10000 + ((first - 0xd800) << 10) + (units[(*at)++] - 0xdc00u);
}

static size_t length_of(uint32_t character)
{
    if (character < 0x80)
        return 1;
    if (character < 0x800)
        return 2;
    return character < 0x10000 ? 3 : 4;
}

static void put(uint32_t character, size_t length, char *out)
{
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};

    for (size_t i = length; i-- > 1; character >>= 6)
        out[i] = (char)(0x80 | (character & 0x3f));
    out[0] = (char)(lead[length] | character);
}

size_t wtf8_size(const uint16_t *units, size_t count)
{
    size_t size = 0;

    for (size_t at = 0; at < count;)
        size += length_of(next_character(units, count, &at));
    return size;
}

size_t wtf8_encode(const uint16_t *units, size_t count, char *out, size_t room)
{
    size_t size = 0;

    for (size_t at = 0; at < count;) {
        uint32_t character = next_character(units, count, &at);
        size_t length = length_of(character);

        if (length > room - size)
            break;
        put(character, length, out + size);
        size += length;
    }
    return size;
}
