/* SPDX-License-Identifier: MIT */
/* The handlers that the service has beside the recorder. */
#ifndef WINDOWS_SERVICE_HANDLING_H
#define WINDOWS_SERVICE_HANDLING_H

#include "service/handlers.h"

/* Starts those that rollcall\handlers.d in the directory ProgramData has. What is wrong with them is said
 * (complain.h), and then none run: the recorder does not depend on them. NULL: there are none. */
struct handlers *handling_begin(void);

#endif
