/* SPDX-License-Identifier: MIT */
/* What the tests of faults share, beside tests/daemon/rig.h. docs/faults.md is the table of what they
 * show; words.sh sees to it that it has the words of the log that they wait for. */
#ifndef TESTS_FAULTS_FAULT_H
#define TESTS_FAULTS_FAULT_H

#include "tests/daemon/rig.h"

/* Mounts of its own: what is mounted from now on goes with the test, and nobody else sees it. */
void fault_own_mounts(void);

/* The same, with a BPF file system that is empty. */
void fault_own_bpffs(void);
void fault_mount_bpffs(void);

/* A tmpfs of that size (as mount(8) takes it) with the journal on it. */
void fault_small_disk(struct rig *rig, const char *size);
void fault_resize_disk(struct rig *rig, const char *size);

/* Only where nobody else is disturbed: in a guest of tests/matrix. */
void fault_need_guest(const char *reason);

/* The daemon's log is for us from now on. */
void fault_keep_log(struct rig *rig);

/* The same, and starts the daemon. */
void fault_start(struct rig *rig, const char *const *arguments);

/* What the log has now is not looked at any more. */
void fault_forget_log(const struct rig *rig);

/* Waits until the log has this text. */
void fault_says(const struct rig *rig, const char *text);

/* How many lines of the log have this text. */
unsigned fault_count(const struct rig *rig, const char *text);

/* What the kernel knows of the daemon's capture. */
void fault_stats(const struct rig *rig, struct rollcall_stats *stats);

/* The last number of the daemon's epoch that the journal has. */
uint64_t fault_stored(const struct rig *rig);

/* Waits until all that the daemon has got up to now is acknowledged to the kernel. */
void fault_settle(struct rig *rig);

/* Writes a text to a file that is there, as those of /sys and /proc. 0 or -errno. */
int fault_write(const char *path, const char *text);

/* A load, started, and its consumer, which ends where the end is marked. One with a name begins with the
 * first event, and compares with the load what it gets. */
pid_t fault_load(struct rig *rig, struct load *load, uint32_t count, const char *name);

/* Waits for the load, marks the end, and waits for the consumer. */
void fault_finish(struct load *load, pid_t consumer);

/* The journal at this path holds exactly what happened, without a gap. */
void fault_check_journal(const char *path, const struct truth *truth);

/* Ends all: the consumer and the journal have exactly what happened. */
void fault_end_without_loss(struct rig *rig, struct load *load, pid_t consumer);

#endif
