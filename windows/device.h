/* SPDX-License-Identifier: MIT */
/* The driver's device, and requests of it that do not stay pended. */
#ifndef WINDOWS_DEVICE_H
#define WINDOWS_DEVICE_H

#include <rollcall/protocol.h>

#include <windows.h>

#include <stdbool.h>

/* Opens it. 0 or a negative errno (rollcall_fail): -ENODEV the driver is not there, -EPERM. */
int device_connect(HANDLE *device);

/* Sends a request and waits for its end. *got: bytes of the answer, NULL: it has none.
 * ERROR_SUCCESS or why it failed. */
DWORD device_ask(HANDLE device, uint32_t code, const void *request, size_t size, void *answer,
                 size_t room, size_t *got);

/* Asks whoever has a handle of the driver to close it, so that it can be stopped. Who reads by
 * librollcall does so, and opens it again when the driver is back. ERROR_SUCCESS or why not. */
DWORD device_release(void);

/* The text and the errno value for an error that says nothing particular about the request. */
int device_failed(DWORD error);

/* Whether after this error the driver is gone, so that only a new handle may help. */
bool device_is_gone(DWORD error);

/* The head of a request of this size, all of which is cleared first. */
void device_request(struct rollcall_request *request, size_t size, unsigned flags);

#endif
