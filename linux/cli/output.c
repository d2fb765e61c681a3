/* SPDX-License-Identifier: MIT */
#include "cli/output.h"

#include "linux/program/signal_fd.h"
#include "program/signals.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* A pipe that is ready to be written takes so much at once without blocking. */
#define PIECE 4096

static bool wants_colour(void)
{
    const char *no_colour = getenv("NO_COLOR");
    const char *terminal = getenv("TERM");

    return !(no_colour && *no_colour) && terminal && strcmp(terminal, "dumb") != 0;
}

int output_open(struct output *output, int fd)
{
    struct winsize size;

    memset(output, 0, sizeof(*output));
    output->fd = fd;
    output->text = open_memstream(&output->data, &output->size);
    if (!output->text)
        return -errno;
    if (isatty(fd)) {
        output->colour = wants_colour();
        output->width = ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
    }
    return 0;
}

void output_close(struct output *output)
{
    if (output->text)
        fclose(output->text);
    free(output->data);
}

/* Waits until the reader reads. */
static int wait_for_reader(int fd)
{
    struct pollfd fds[2] = {{.fd = fd, .events = POLLOUT}, {.fd = signals_fd(), .events = POLLIN}};

    while (poll(fds, 2, -1) < 0)
        if (errno != EINTR)
            return -errno;
    if (fds[0].revents & POLLOUT)
        return 0;
    if (fds[0].revents & (POLLERR | POLLHUP))
        return -EPIPE;
    return signals_stop() ? -EINTR : 0;
}

/* Whole lines if they fit, so that what is broken off by a signal ends with one. */
static size_t next_piece(const char *data, size_t size)
{
    const char *end;

    if (size <= PIECE)
        return size;
    end = memrchr(data, '\n', PIECE);
    return end ? (size_t)(end - data) + 1 : PIECE;
}

static int write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t n;
        int err = wait_for_reader(fd);

        if (err < 0)
            return err;
        n = write(fd, data, next_piece(data, size));
        if (n < 0 && errno == EINTR && signals_stop())
            return -EINTR;
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return -errno;
        if (n > 0) {
            data += n;
            size -= (size_t)n;
        }
    }
    return 0;
}

int output_flush(struct output *output)
{
    int err;

    if (fflush(output->text) != 0)
        return -ENOMEM;
    err = write_all(output->fd, output->data, output->size);
    if (fseeko(output->text, 0, SEEK_SET) < 0)
        return -errno;
    return err;
}
