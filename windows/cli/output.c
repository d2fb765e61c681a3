/* SPDX-License-Identifier: MIT */
/* The stream's own buffer is where text is collected. */
#include "cli/output.h"

#include "program/signals.h"

#include <windows.h>

#include <errno.h>
#include <io.h>
#include <stdlib.h>
#include <string.h>

#define COLLECTED (1u << 20)

static bool wants_colour(void)
{
    const char *no_colour = getenv("NO_COLOR");

    return !(no_colour && *no_colour);
}

/* A console that understands the escapes for colours. */
static bool look_at_console(struct output *output)
{
    HANDLE handle = (HANDLE)_get_osfhandle(output->fd);
    CONSOLE_SCREEN_BUFFER_INFO info;
    DWORD mode;

    if (!GetConsoleMode(handle, &mode))
        return false;
    output->width = 80;
    if (GetConsoleScreenBufferInfo(handle, &info) && info.srWindow.Right > info.srWindow.Left)
        output->width = (unsigned)(info.srWindow.Right - info.srWindow.Left) + 1;
    return SetConsoleMode(handle, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING);
}

int output_open(struct output *output, int fd)
{
    int copy = _dup(fd);

    memset(output, 0, sizeof(*output));
    output->fd = fd;
    output->data = malloc(COLLECTED);
    output->text = copy < 0 ? NULL : _fdopen(copy, "wb");
    if (!output->text || !output->data) {
        if (!output->text && copy >= 0)
            _close(copy);
        output_close(output);
        memset(output, 0, sizeof(*output));
        return -ENOMEM;
    }
    setvbuf(output->text, output->data, _IOFBF, COLLECTED);
    output->colour = look_at_console(output) && wants_colour();
    return 0;
}

void output_close(struct output *output)
{
    if (output->text)
        fclose(output->text);
    free(output->data);
}

int output_flush(struct output *output)
{
    errno = 0;
    if (fflush(output->text) == 0 && !ferror(output->text))
        return 0;
    if (signals_stop())
        return -EINTR;
    /* The C library has EINVAL for a pipe whose reader has gone. */
    return errno == ENOSPC ? -ENOSPC : -EPIPE;
}
