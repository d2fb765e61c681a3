/* SPDX-License-Identifier: MIT */
#include "journal/text.h"

#include "lib/utf8.h"

#include <jansson.h>

#include <string.h>

#define REPLACEMENT      "\xef\xbf\xbd"
#define REPLACEMENT_SIZE 3u

bool text_plain(const char *text, size_t size)
{
    return utf8_valid(text, size) && (size == 0 || !memchr(text, '\0', size));
}

size_t text_readable(char *out, const char *text, size_t size)
{
    size_t used = 0;
    size_t n;

    for (size_t i = 0; i < size; i += n ? n : 1) {
        n = text[i] ? utf8_character(text + i, size - i) : 0;
        memcpy(out + used, n ? text + i : REPLACEMENT, n ? n : REPLACEMENT_SIZE);
        used += n ? n : REPLACEMENT_SIZE;
    }
    return used;
}

/* `out` is room for the readable form of the argument. */
static json_t *readable_string(char *out, const char *argument, size_t size, bool *exact)
{
    if (utf8_valid(argument, size))
        return json_stringn_nocheck(argument, size);
    *exact = false;
    return json_stringn_nocheck(out, text_readable(out, argument, size));
}

size_t text_to_json(char *out, const char *args, size_t size, bool *exact)
{
    json_t *array = json_array();
    size_t used = TEXT_FAILED;
    size_t length;

    *exact = size == 0 || args[size - 1] == '\0';
    for (size_t i = 0; array && i < size; i += length + 1) {
        length = strnlen(args + i, size - i);
        if (json_array_append_new(array, readable_string(out, args + i, length, exact)) < 0)
            goto out;
    }
    if (array)
        used = json_dumpb(array, out, TEXT_GROWTH * size + TEXT_EXTRA, JSON_COMPACT);
out:
    json_decref(array);
    return used ? used : TEXT_FAILED;
}

size_t text_from_json(char *out, const char *json, size_t size)
{
    json_t *array = json_loadb(json, size, 0, NULL);
    size_t used = json_is_array(array) ? 0 : TEXT_FAILED;
    const json_t *string;
    size_t i;

    json_array_foreach(array, i, string)
    {
        if (!json_is_string(string)) {
            used = TEXT_FAILED;
            break;
        }
        memcpy(out + used, json_string_value(string), json_string_length(string) + 1);
        used += json_string_length(string) + 1;
    }
    json_decref(array);
    return used;
}
