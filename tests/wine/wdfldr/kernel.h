/* SPDX-License-Identifier: MIT */
/* The kernel's functions that the driver gets from here, in place of Wine's. */
#ifndef WDFLDR_KERNEL_H
#define WDFLDR_KERNEL_H

#include "tests/wine/control.h"
#include "tests/wine/wdfldr/runtime.h"

/* locks.c */
KIRQL NTAPI kernel_acquire_spin_lock(PKSPIN_LOCK lock);
VOID NTAPI kernel_release_spin_lock(PKSPIN_LOCK lock, KIRQL irql);
VOID NTAPI kernel_acquire_spin_lock_at_dpc(PKSPIN_LOCK lock);
VOID NTAPI kernel_release_spin_lock_from_dpc(PKSPIN_LOCK lock);
KIRQL NTAPI kernel_raise_irql(KIRQL irql);
VOID NTAPI kernel_lower_irql(KIRQL irql);
KIRQL NTAPI kernel_get_irql(VOID);
VOID NTAPI kernel_enter_critical_region(VOID);
VOID NTAPI kernel_leave_critical_region(VOID);

/* pool.c */
PVOID NTAPI kernel_allocate_pool(POOL_TYPE type, SIZE_T size, ULONG tag);
PVOID NTAPI kernel_allocate_pool2(ULONG64 flags, SIZE_T size, ULONG tag);
VOID NTAPI kernel_free_pool_tag(PVOID memory, ULONG tag);
VOID NTAPI kernel_free_pool(PVOID memory);
void pool_facts(struct control_facts *facts);

/* process.c */
void process_imports(void);
void process_begin(void); /* before the driver's entry */
uint32_t process_create(const struct control_process *what, struct control_result *result);
void process_exit(uint32_t pid, uint32_t status, struct control_result *result);
uint32_t process_notify_kind(void);

/* kernel.c: adds a function that the driver may import or look up; NULL: that it must not find. */
void import_add(const char *name, void *function);
void *import_find(const char *name);

#endif
