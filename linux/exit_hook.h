/* SPDX-License-Identifier: MIT */
/* What the kernel tells the exit hook. */
#ifndef LINUX_EXIT_HOOK_H
#define LINUX_EXIT_HOOK_H

#include <stdbool.h>

struct btf;

/* Whether sched_process_exit says if the thread is the process's last one (since Linux 6.16). btf:
 * the kernel's type information; NULL: not known, false. */
bool exit_hook_names_last(const struct btf *btf);

#endif
