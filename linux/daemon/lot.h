/* SPDX-License-Identifier: MIT */
/* Events that are written into the journal together. */
#ifndef LINUX_DAEMON_LOT_H
#define LINUX_DAEMON_LOT_H

#include <rollcall/rollcall.h>

#include <stdbool.h>
#include <stddef.h>

/* Zero is an empty one. */
struct lot {
    unsigned char *data;
    size_t room;
    struct rollcall_batch batch; /* all of them, in `data` */
};

/* Copies the events of the batch behind those that are there. false: no memory, nothing is changed. */
bool lot_add(struct lot *lot, const struct rollcall_batch *batch);

/* Its memory is kept for others. */
void lot_clear(struct lot *lot);

void lot_free(struct lot *lot);

#endif
