/* SPDX-License-Identifier: MIT */
#include "windows/driver/record.h"

#include "windows/driver/wtf8.h"

#include <string.h>

static size_t total(const struct record_text *texts, size_t count)
{
    size_t size = sizeof(struct rollcall_event);

    for (size_t i = 0; i < count; i++)
        size += sizeof(struct rollcall_text) + ROLLCALL_ALIGN(texts[i].size);
    return size;
}

static struct record_text *longest(struct record_text *texts, size_t count)
{
    struct record_text *found = &texts[0];

    for (size_t i = 1; i < count; i++)
        if (texts[i].size > found->size)
            found = &texts[i];
    return found;
}

size_t record_fit(struct record_text *texts, size_t count, size_t limit)
{
    size_t size;

    for (size_t i = 0; i < count; i++) {
        if (texts[i].units)
            texts[i].full_size = wtf8_size(texts[i].units, texts[i].count);
        texts[i].size = texts[i].full_size;
    }
    /* Each turn cuts one string by all that is too much, or to nothing. */
    for (size = total(texts, count); size > limit; size = total(texts, count)) {
        struct record_text *text = longest(texts, count);
        size_t excess = ROLLCALL_ALIGN(size - limit);
        size_t room = ROLLCALL_ALIGN(text->size);

        if (room == 0)
            break;
        text->size = room > excess ? room - excess : 0;
    }
    return size;
}

/* A character that is cut in two is left out: what is written can be shorter than its room. */
static size_t write_text(const struct record_text *text, char *out)
{
    if (text->units)
        return wtf8_encode(text->units, text->count, out, text->size);
    memcpy(out, text->bytes, text->size);
    return text->size;
}

void record_write(const struct rollcall_event *base, const struct record_text *texts, size_t count,
                  struct rollcall_event *record)
{
    char *at = (char *)(record + 1);

    *record = *base;
    for (size_t i = 0; i < count; i++) {
        const struct record_text *text = &texts[i];
        struct rollcall_text head = {
            .field = text->field, .flags = text->flags, .full_size = text->full_size};
        char *bytes = at + sizeof(head);
        size_t padded;

        head.size = (uint32_t)write_text(text, bytes);
        if (head.size < text->full_size)
            head.flags |= ROLLCALL_TEXT_CUT;
        padded = ROLLCALL_ALIGN(head.size);
        memset(bytes + head.size, 0, padded - head.size);
        memcpy(at, &head, sizeof(head));
        at = bytes + padded;
    }
    record->size = (uint32_t)(at - (char *)record);
}
