/* SPDX-License-Identifier: MIT */
/*
 * How far the reader is, kept in the control page for its successor: a position in the ring,
 * the sequence number and the losses up to there, and what is acknowledged beyond.
 *
 * There are two places, and a store goes to the older one: first its version is set to 0, then
 * it is written, then it gets its version. Whatever instruction the writer is killed at, one of
 * the two is whole, and the one with the higher version is the last that was finished. That
 * store is the acknowledgement; giving the memory back to the ring only follows from it, and is
 * repeated by the successor.
 */
#ifndef LINUX_PLACE_H
#define LINUX_PLACE_H

#include "linux/bpf/layout.h"

/* The last place that was stored whole; all 0 if none was. */
void place_load(const struct control *control, struct place *place);

/* Stores `place`, whose version is set. */
void place_store(struct control *control, struct place *place);

#endif
