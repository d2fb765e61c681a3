/* SPDX-License-Identifier: MIT */
/* Pins that somebody has removed by hand: what is still in the kernel is found by what is left. */
#ifndef LINUX_RESTORE_H
#define LINUX_RESTORE_H

#include <stdbool.h>
#include <stddef.h>

/* A map of a capture. */
struct restore_map {
    const char *pin;
    const char *name; /* in the kernel */
};

/* Pins those of the consumer's maps again whose pins are missing, if its programs still have them. Without
 * the first `needed` of them the capture cannot go on. false: what waited is gone, or some of what is needed
 * to get at it: then nothing is left pinned. A consumer that has no pins at all was not there: true. The
 * lease is held. */
bool restore_pins(const char *consumer, const struct restore_map *maps, size_t needed,
                  size_t count);

#endif
