/* SPDX-License-Identifier: MIT */
/* Which way to the events a consumer takes. */
#include "lib/transport.h"
#include "linux/link.h"
#include "linux/pins.h"

#include <errno.h>
#include <unistd.h>

/* A durable consumer that is in the kernel stays where its events wait. */
static bool is_pinned(const char *name)
{
    char path[PINS_PATH_MAX];

    pins_path(path, name, "");
    return access(path, F_OK) == 0;
}

static bool daemon_is_there(const char *socket)
{
    int fd = link_connect(socket);

    if (fd >= 0)
        close(fd);
    return fd >= 0 || fd == -EACCES;
}

const struct transport *transport_choose(const struct rollcall_options *opts)
{
    if (opts->flags & ROLLCALL_DIRECT)
        return &transport_direct;
    if (opts->flags & ROLLCALL_DAEMON)
        return &transport_daemon;
    if (opts->name && is_pinned(opts->name))
        return &transport_direct;
    return daemon_is_there(opts->socket) ? &transport_daemon : &transport_direct;
}

/* With neither flag: what is in the kernel, if this user may know, and what the daemon has. */
int transport_names(const struct rollcall_options *opts,
                    int (*each)(const char *name, void *context), void *context)
{
    bool both = !(opts->flags & (ROLLCALL_DIRECT | ROLLCALL_DAEMON));
    bool has_daemon = both && daemon_is_there(opts->socket);
    int err = 0;

    if (!(opts->flags & ROLLCALL_DAEMON))
        err = transport_direct.names(opts, each, context);
    if (err > 0 || (err < 0 && !has_daemon))
        return err;
    if (has_daemon || opts->flags & ROLLCALL_DAEMON)
        err = transport_daemon.names(opts, each, context);
    return err;
}
