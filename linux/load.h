/* SPDX-License-Identifier: MIT */
/* The programs: loaded for this machine, and attached. */
#ifndef LINUX_LOAD_H
#define LINUX_LOAD_H

#include "linux/capture.h"

#include <stdbool.h>
#include <stdint.h>

/* Names the bytes of this build's programs. */
uint64_t load_build(void);

/* What the programs are loaded for: pinned maps to take over, or none; with `interrupted` the
 * hooks there were not whole, and what they missed is a gap before all that these report. */
struct takeover {
    struct control *control; /* NULL: none */
    bool interrupted;
    enum deny_way way;       /* of the new programs */
    const struct deny *deny; /* the settings of a new capture */
};

/* Whether the promises that were made are still true: else they begin anew. */
bool load_keeps_promises(const struct takeover *from);

/* The way in which the options' policy can be had: DENY_NONE for `gap`. 0 or a negative errno
 * (rollcall_fail). */
int load_choose_way(const struct rollcall_options *opts, enum deny_way *way);

/* Loads and attaches the programs, and gives the capture its descriptors of them and of the maps, in
 * place of those that it has. 0 or a negative errno (rollcall_fail). */
int load_programs(struct capture *capture, const struct rollcall_options *opts,
                  const struct takeover *from);

/* What the user is told of the kernel's error (rollcall_fail). Returns what to return. */
int load_failed(int err);

#endif
