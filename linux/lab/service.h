/* SPDX-License-Identifier: MIT */
/* The service's side, live: a process of its own. */
#ifndef LINUX_LAB_SERVICE_H
#define LINUX_LAB_SERVICE_H

#include "lab/account.h"

/* Takes answers and works on them until it is killed, or the host is gone. */
_Noreturn void service_run(const struct lab_design *design, struct lab_account *account,
                           uint32_t work_us, int socket, const struct rollcall_attached *attached);

#endif
