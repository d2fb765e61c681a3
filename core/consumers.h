/* SPDX-License-Identifier: MIT */
/* The consumers: who is there, and what must be kept for them. The lock is held. */
#ifndef CORE_CONSUMERS_H
#define CORE_CONSUMERS_H

#include "core/state.h"

/* The consumer that its owner calls so; NULL: it was closed. */
struct consumer *consumers_find(struct engine *engine, uint64_t id);

/* A durable one; NULL: there is none with this name. */
struct consumer *consumers_named(struct engine *engine, const char *name, uint32_t name_size);

/* Frees the place. */
void consumers_remove(struct engine *engine, struct consumer *consumer);

/* false: beyond what was delivered; nothing changed. */
bool consumers_acknowledge(struct engine *engine, struct consumer *consumer, uint64_t seq);

/* What the policy `deny` forbids to give up begins behind this number; LOG_ANY_SEQ when nobody
 * holds it. */
uint64_t consumers_deny_limit(const struct engine *engine);

/* How many records may have their room reserved: half of the budget, or nothing when nobody holds
 * the policy. The other half is for events. */
size_t consumers_reserve_max(const struct engine *engine);

/* Gives back what nobody needs any more. Gives the lock back in between when that is much. */
void consumers_settle(struct engine *engine);

#endif
