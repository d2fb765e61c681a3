/* SPDX-License-Identifier: MIT */
/* A process that ends at once. It needs nothing but the kernel: thousands of it are made. */
#include <windows.h>

void child_begin(void);

void child_begin(void)
{
    ExitProcess(0);
}
