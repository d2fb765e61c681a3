/* SPDX-License-Identifier: MIT */
/* What the service's Parameters key says. */
#ifndef WINDOWS_DRIVER_PARAMETERS_H
#define WINDOWS_DRIVER_PARAMETERS_H

#include "windows/driver/ntos.h"

#include <stdint.h>

struct parameters {
    uint32_t budget;     /* `Budget`: bytes for events that wait */
    uint32_t record_max; /* `RecordMax`: bytes of a record */
    uint32_t deny;       /* `Policy`: 0 gap, 1 deny */
};

/* A value that is not there, or is not allowed, is what it is by default. */
void parameters_read(WDFDRIVER driver, struct parameters *parameters);

#endif
