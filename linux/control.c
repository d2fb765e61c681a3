/* SPDX-License-Identifier: MIT */
#include "linux/control.h"

#include "linux/pins.h"

#include <linux/membarrier.h>

#include <errno.h>
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

int control_open(const char *name, struct control **control)
{
    int data = pins_open(name, "control");
    int err = -ENOENT;

    if (data < 0)
        return data;
    *control = control_map(data);
    if (*control && get_u32(&(*control)->ready))
        return data;
    if (*control)
        munmap(*control, sizeof(**control));
    else
        err = -ENOMEM;
    *control = NULL;
    close(data);
    return err;
}
