/* SPDX-License-Identifier: MIT */
#include "tests/unit/sample_events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct rollcall_event *make_event(struct made_event *made, const struct rollcall_event *event)
{
    struct rollcall_event *base = (void *)made->bytes;

    memset(made, 0, sizeof(*made));
    *base = *event;
    base->version = ROLLCALL_EVENT_VERSION;
    base->size = sizeof(*base);
    return base;
}

void make_text(struct made_event *made, enum rollcall_text_field field, const void *bytes,
               size_t size, unsigned flags, uint64_t full_size)
{
    struct rollcall_event *base = (void *)made->bytes;
    struct rollcall_text head = {.field = (uint16_t)field,
                                 .flags = (uint16_t)flags,
                                 .size = (uint32_t)size,
                                 .full_size = full_size};
    size_t room = sizeof(head) + ROLLCALL_ALIGN(size);

    assert_true(base->size + room <= sizeof(made->bytes));
    memcpy(made->bytes + base->size, &head, sizeof(head));
    memcpy(made->bytes + base->size + sizeof(head), bytes, size);
    base->size += (uint32_t)room;
    assert_true(rollcall_event_valid(made->bytes, sizeof(made->bytes)));
}

void make_string(struct made_event *made, enum rollcall_text_field field, const char *text)
{
    make_text(made, field, text, strlen(text), 0, strlen(text));
}

void written_begin(struct written *written)
{
    memset(written, 0, sizeof(*written));
    written->file = open_memstream(&written->text, &written->size);
    assert_non_null(written->file);
}

void written_end(struct written *written)
{
    assert_int_equal(fclose(written->file), 0);
    written->file = NULL;
}

void written_free(struct written *written)
{
    free(written->text);
    written->text = NULL;
}
