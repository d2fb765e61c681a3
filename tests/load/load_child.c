/* SPDX-License-Identifier: MIT */
/* The program that the load executes: exits with the status that it is given; without one it
 * lives until it is killed, or its parent is. */
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc < 2) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        pause();
    }
    if (argc != 2)
        return 125;
    _exit((int)strtol(argv[1], NULL, 10));
}
