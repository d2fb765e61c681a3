/* SPDX-License-Identifier: MIT */
/*
 * The driver and the recorder as the service control manager has them.
 *
 * Functions return 0, or a negative errno value and a text for rollcall_error().
 */
#ifndef WINDOWS_SERVICE_MANAGER_H
#define WINDOWS_SERVICE_MANAGER_H

#include <windows.h>

#include <stdbool.h>

struct manager_options {
    bool driver;             /* the driver too */
    DWORD driver_start;      /* SERVICE_BOOT_START, SERVICE_SYSTEM_START, SERVICE_DEMAND_START */
    const char *driver_file; /* NULL: rollcall.sys beside this program */
    bool automatic;          /* Windows starts the recorder when it starts */
    const char *const *arguments; /* of `rollcall service run`, NULL after the last */
};

/* Installs them, in the place of what is there. They are not started. */
int manager_install(const struct manager_options *options);

/* Stops and removes both, if they are there. The journal stays. */
int manager_uninstall(void);

/* Starts the recorder, and the driver before it. Returns when it reads from the driver. */
int manager_start(void);

/* Stops the recorder, and then the driver if that is said. */
int manager_stop(bool driver);

/* What a service does: a SERVICE_* state; 0: it is not installed. *pid: of a recorder that runs,
 * else 0. *error: what it ended with. */
int manager_query(const wchar_t *name, DWORD *state, DWORD *pid, DWORD *error);

#endif
