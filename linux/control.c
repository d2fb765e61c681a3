/* SPDX-License-Identifier: MIT */
#include "linux/control.h"

#include <linux/membarrier.h>

#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct control *control_map(int data)
{
    void *page = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, data, 0);

    return page == MAP_FAILED ? NULL : page;
}

void control_keep_exited(struct control *control)
{
    set_u32(&control->untidy, UNTIDY);
    if (get_u32(&control->keep_exited))
        return;
    set_u32(&control->keep_exited, 1);
    syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}
