/* SPDX-License-Identifier: MIT */
/*
 * One process writes a journal. The lock is taken on a file of its own beside the journal: a lock
 * on the journal itself would need a descriptor of it, and closing any of those drops all locks
 * that SQLite has on the journal. It vanishes with the process. The file, with the writer's pid
 * in it, stays: removing it while another process opens it would let two have the lock.
 */
#ifndef JOURNAL_LOCK_H
#define JOURNAL_LOCK_H

#include <stdint.h>

#define LOCK_NONE ((intptr_t)-1)

/* Takes the lock. -EBUSY and the errors of opening a file, each with its text. */
int lock_take(const char *path, intptr_t *lock);

/* LOCK_NONE is allowed. */
void lock_release(intptr_t lock);

#endif
