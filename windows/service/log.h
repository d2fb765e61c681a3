/* SPDX-License-Identifier: MIT */
/* The application log of Windows, where a service speaks. */
#ifndef WINDOWS_SERVICE_LOG_H
#define WINDOWS_SERVICE_LOG_H

#include "messages.h"

#include <windows.h>

/* Writes one of messages.mc; insert: its %1, NULL: it has none. */
void log_write(DWORD message, const char *insert);

/* The same; ERROR_SUCCESS, or why it was not written. */
DWORD log_report(DWORD message, const char *insert);

/* Makes the messages known to whoever reads the log, which needs the program that has them; and
 * takes that back. ERROR_SUCCESS or why not. */
DWORD log_register(const wchar_t *program);
void log_unregister(void);

#endif
