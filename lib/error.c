/* SPDX-License-Identifier: MIT */
#include "lib/error.h"

#include <rollcall/rollcall.h>

#include <stdarg.h>
#include <stdio.h>

static _Thread_local char last_error[1024];

int rollcall_fail(int error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(last_error, sizeof(last_error), format, args);
    va_end(args);
    return error;
}

const char *rollcall_error(void)
{
    return last_error[0] ? last_error : "no error";
}
