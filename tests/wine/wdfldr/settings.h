/* SPDX-License-Identifier: MIT */
/* What a test sets before it starts the driver: values of HKLM\Software\rollcall-test. */
#ifndef WDFLDR_SETTINGS_H
#define WDFLDR_SETTINGS_H

#include <stdint.h>
#include <wchar.h>

struct settings {
    wchar_t report_path[260];
    uint32_t without_ex2;        /* 1: a system without PsSetCreateProcessNotifyRoutineEx2 etc. */
    uint32_t fail_allocation;    /* the n-th allocation of pool or of an object fails; 0: none */
    uint32_t existing_processes; /* how many were there before, from pid 100000 in steps of 4 */
    uint32_t start_threads;      /* how many threads raise processes while the driver starts */
    uint32_t start_processes;    /* how many each of them raises once it is told of them */
    uint32_t start_races;        /* how many processes of each kind in control.h */
};

extern struct settings settings;

/* Read when a driver binds. */
void settings_read(void);

#endif
