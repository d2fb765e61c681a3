/* SPDX-License-Identifier: MIT */
/*
 * Gives up what is not needed any more when everything is open: all capabilities but CAP_BPF, for good, and
 * system calls.
 *
 * What is left is a process of user root without root's powers, which can use the maps and
 * programs that it has, and can load no other, start no program and get nothing back. The kernel's
 * answer to what it may not do is ENOSYS, as if it were an older kernel: the C library then takes
 * another way, which it does not after EPERM; and a call that was forgotten here fails where it is
 * made, and does not end a process that many wait for.
 */
#ifndef LINUX_DAEMON_CONFINE_H
#define LINUX_DAEMON_CONFINE_H

/* Before there is a second thread: each has its own capabilities and filter, which children inherit. 0
 * or a negative errno (rollcall_fail). */
int confine(void);

#endif
