/* SPDX-License-Identifier: MIT */
/* A memory cgroup of the test's own, of version 2 or 1, whichever the machine has. */
#ifndef TESTS_FAULTS_GROUP_H
#define TESTS_FAULTS_GROUP_H

#include <stdint.h>

struct group {
    char path[96];
    int version;
};

/* Makes it, or skips the test. */
void group_make(struct group *group);

/* When all that was in it has ended. */
void group_remove(const struct group *group);

/* The file that takes who enters it. */
void group_procs(const struct group *group, char path[128]);

/* Bytes. 0 or -errno. */
int group_limit(const struct group *group, uint64_t bytes);

uint64_t group_used(const struct group *group);

/* How often the limit was in the way. */
uint64_t group_hits(const struct group *group);

#endif
