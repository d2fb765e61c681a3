/* SPDX-License-Identifier: MIT */
/* Takes datagrams as a syslog does: handlers-datagrams SOCKET COUNT writes so many, each as a line. */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    static char data[1 << 18];
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (argc != 3)
        errx(2, "usage: handlers-datagrams SOCKET COUNT");
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", argv[1]);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        err(1, "%s", argv[1]);
    for (long left = strtol(argv[2], NULL, 10); left > 0; left--) {
        ssize_t size = recv(fd, data, sizeof(data), 0);

        if (size < 0)
            err(1, "recv");
        printf("%.*s\n", (int)size, data);
    }
    return 0;
}
