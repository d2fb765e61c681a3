/* SPDX-License-Identifier: MIT */
/* What a peer sends: copied first, so that it cannot change while it is looked at, then checked.
 * false: it is malformed. */
#ifndef CORE_REQUEST_H
#define CORE_REQUEST_H

#include <rollcall/protocol.h>

#include <stdbool.h>
#include <stddef.h>

/* A request that is nothing but a head. */
bool request_plain(const void *bytes, size_t size);

bool request_attach(const void *bytes, size_t size, struct rollcall_attach *out);
bool request_fetch(const void *bytes, size_t size, struct rollcall_fetch *out);
bool request_acknowledge(const void *bytes, size_t size, struct rollcall_acknowledge *out);
bool request_configure(const void *bytes, size_t size, struct rollcall_configure *out);
bool request_detach(const void *bytes, size_t size, struct rollcall_detach_request *out);

#endif
