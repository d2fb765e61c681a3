/* SPDX-License-Identifier: MIT */
/*
 * One process writes a journal. The lock is taken on a file of its own beside the journal: a lock
 * on the journal itself would need a descriptor of it, and closing any of those drops all locks
 * that SQLite has on the journal. It vanishes with the process. The file, with the writer's pid
 * in it, stays: removing it while another process opens it would let two have the lock.
 */
#ifndef JOURNAL_LOCK_H
#define JOURNAL_LOCK_H

/* Gets a descriptor that holds the lock until it is closed. -EBUSY and the errors of open(2). */
int lock_take(const char *path, int *lock);

#endif
