/* SPDX-License-Identifier: MIT */
#include "lab/driver.h"

#include "lab/engine_driver.h"
#include "lab/signal_and_drain.h"

enum engine_status lab_driver_create(const struct lab_design *design,
                                     const struct engine_host *host, struct lab_driver **out)
{
    if (design->calls == LAB_SIGNAL || design->calls == LAB_SIGNAL_FIRST)
        return signal_and_drain_create(design, host, out);
    return engine_driver_create(design, host, out);
}
