/* SPDX-License-Identifier: MIT */
#include "core/request.h"

#include <string.h>

#define ATTACH_FLAGS    (ROLLCALL_ATTACH_OLDEST | ROLLCALL_ATTACH_CONTINUE | ROLLCALL_ATTACH_DENY)
#define CONFIGURE_FLAGS (ROLLCALL_CONFIGURE_BUDGET | ROLLCALL_CONFIGURE_RECORD)

/* Each request begins with its head. */
static bool copy(const void *bytes, size_t size, void *out, size_t expected, unsigned flags)
{
    struct rollcall_request head;

    if (size != expected)
        return false;
    memcpy(out, bytes, expected);
    memcpy(&head, out, sizeof(head));
    return head.version == ROLLCALL_PROTOCOL_VERSION && head.size == expected &&
           (head.flags & ~flags) == 0;
}

/* No locale here. */
static bool name_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

static bool name_valid(const char *name, uint32_t size)
{
    if (size > ROLLCALL_CONSUMER_NAME)
        return false;
    for (uint32_t i = 0; i < ROLLCALL_CONSUMER_NAME; i++)
        if (i < size ? !name_character(name[i]) : name[i] != 0)
            return false;
    return true;
}

static bool between(uint64_t value, uint64_t min, uint64_t max)
{
    return value >= min && value <= max;
}

bool request_plain(const void *bytes, size_t size)
{
    struct rollcall_request request;

    return copy(bytes, size, &request, sizeof(request), 0);
}

bool request_attach(const void *bytes, size_t size, struct rollcall_attach *out)
{
    if (!copy(bytes, size, out, sizeof(*out), ATTACH_FLAGS))
        return false;
    /* Only what has a name can be there already. */
    if (out->name_size == 0 && (out->request.flags & ROLLCALL_ATTACH_CONTINUE))
        return false;
    return out->reserved == 0 && name_valid(out->name, out->name_size);
}

bool request_fetch(const void *bytes, size_t size, struct rollcall_fetch *out)
{
    return copy(bytes, size, out, sizeof(*out), 0);
}

bool request_acknowledge(const void *bytes, size_t size, struct rollcall_acknowledge *out)
{
    return copy(bytes, size, out, sizeof(*out), 0);
}

bool request_configure(const void *bytes, size_t size, struct rollcall_configure *out)
{
    if (!copy(bytes, size, out, sizeof(*out), CONFIGURE_FLAGS) || out->reserved)
        return false;
    if (!(out->request.flags & ROLLCALL_CONFIGURE_BUDGET)
            ? out->budget != 0
            : !between(out->budget, ROLLCALL_BUDGET_MIN, ROLLCALL_BUDGET_MAX))
        return false;
    return !(out->request.flags & ROLLCALL_CONFIGURE_RECORD)
               ? out->record_max == 0
               : between(out->record_max, ROLLCALL_RECORD_MIN, ROLLCALL_RECORD_MAX);
}

bool request_detach(const void *bytes, size_t size, struct rollcall_detach_request *out)
{
    return copy(bytes, size, out, sizeof(*out), 0) && out->reserved == 0 && out->name_size > 0 &&
           name_valid(out->name, out->name_size);
}
