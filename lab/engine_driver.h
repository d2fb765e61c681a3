/* SPDX-License-Identifier: MIT */
/* The designs that the engine can express: so what is compared is designs, not code. */
#ifndef LAB_ENGINE_DRIVER_H
#define LAB_ENGINE_DRIVER_H

#include "lab/driver.h"

enum engine_status engine_driver_create(const struct lab_design *design,
                                        const struct engine_host *host, struct lab_driver **out);

#endif
