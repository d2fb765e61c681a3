/* SPDX-License-Identifier: MIT */
#include "cli/capture_options.h"

#include "cli/command.h"
#include "program/complain.h"
#include "program/parse.h"

#include <string.h>

static int take_latency(const char *value, struct rollcall_options *opts)
{
    uint64_t ns;

    if (strcmp(value, "spin") == 0) {
        opts->flags |= ROLLCALL_SPIN;
        return EXIT_OK;
    }
    if (!parse_duration(value, &ns) || ns < 1000 || ns > 1000000000)
        return complain_usage("--latency takes a duration from 1us to 1s, or `spin`, not '%s'",
                              value);
    opts->latency_us = (uint32_t)(ns / 1000);
    return EXIT_OK;
}

int capture_option(int option, const char *value, struct rollcall_options *opts)
{
    uint64_t size;

    switch (option) {
    case OPTION_RING_SIZE:
        if (!parse_size(value, &size) || size < 4096 || size > 1u << 30 || size & (size - 1))
            return complain_usage("--ring-size takes a power of two from 4K to 1G, not '%s'",
                                  value);
        opts->ring_size = size;
        return EXIT_OK;
    case OPTION_ARGS_MAX:
        if (!parse_size(value, &size) || size == 0 || size > 8u << 20)
            return complain_usage("--args-max takes a size from 1 to 8M, not '%s'", value);
        opts->args_max = (uint32_t)size;
        return EXIT_OK;
    case OPTION_DIRECT:
        opts->flags = (opts->flags & ~(unsigned)ROLLCALL_DAEMON) | ROLLCALL_DIRECT;
        return EXIT_OK;
    case OPTION_DAEMON:
        opts->flags = (opts->flags & ~(unsigned)ROLLCALL_DIRECT) | ROLLCALL_DAEMON;
        opts->socket = value;
        return EXIT_OK;
    default:
        return take_latency(value, opts);
    }
}
