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
void process_begin(void);                 /* before the driver's entry */
uint64_t process_start_key(uint32_t pid); /* 0: there is none */
/* Those that live. Returns how many there are. */
size_t process_pids(uint32_t *pids, size_t room);

/* process_calls.c */
void process_imports(void);

/* notify.c */
struct process_facts {
    uint32_t notify;           /* as control_facts has it */
    uint32_t creations, exits; /* that the notify routine was called with */
};

void notify_imports(void);
void notify_begin(void); /* before the driver's entry */
uint32_t process_create(const struct control_process *what, struct control_result *result);
void process_exit(uint32_t pid, uint32_t status, struct control_result *result);
/* The beginnings of both, as others can see them: in the list, but not told; told, but listed. */
void process_appear(const struct control_process *what);
void process_tell_exit(uint32_t pid, uint32_t status, struct control_result *result);
void process_ending(uint32_t pid); /* has an exit status, no more */
void process_vanish(uint32_t pid); /* the end of process_exit() */
bool process_notified(void);       /* a notify routine is registered */
void process_facts_get(struct process_facts *facts);

/* races.c: processes that come and go while the driver starts, as the settings say. */
void races_begin(void); /* before the driver's entry */
void races_end(void);   /* all have been raised */
/* The driver asks for the list; looks a process up, before and after; asks for an image's name. */
void races_list(void);
void races_look(uint32_t pid);
void races_looked(uint32_t pid);
void races_name(uint32_t pid);
void races_told(void);        /* this thread is about to call the notify routine */
uint32_t races_raising(void); /* how many threads still raise, or races are open */

/* kernel.c: adds a function that the driver may import or look up; NULL: that it must not find. */
void import_add(const char *name, void *function);
void *import_find(const char *name);

#endif
