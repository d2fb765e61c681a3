/* SPDX-License-Identifier: MIT */
/* The service's side under the Windows driver: a process of its own, with one completion port. */
#ifndef WINDOWS_LAB_SERVICE_H
#define WINDOWS_LAB_SERVICE_H

#include "lab/account.h"

#include <windows.h>

#define SERVICE_ARGUMENT "--service"
#define SERVICE_MEMORY   "rollcall-lab"
/* Where it is held: it has set the one and waits for the other. */
#define SERVICE_HELD "rollcall-lab-held"
#define SERVICE_GO   "rollcall-lab-go"

/* What it shares with who starts it, and what outlives it; an account follows. */
struct service_memory {
    uint64_t bytes;
    uint32_t design; /* its number */
    uint32_t work_us;
    uint32_t held;            /* at work on the first event, 1: until it is told to go on */
    _Atomic uint32_t started; /* 1: it has sent its first requests */
    _Atomic uint32_t thread;  /* its only one */
    uint32_t reserved;
};

static inline struct lab_account *service_account(struct service_memory *memory)
{
    return (struct lab_account *)(void *)(memory + 1);
}

/* Runs until it is killed or the driver is gone; returns the exit status. */
int service_run(void);

#endif
