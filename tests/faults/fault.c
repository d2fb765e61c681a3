/* SPDX-License-Identifier: MIT */
#include "tests/faults/fault.h"

#include "journal/journal.h"
#include "tests/load/check.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT_MS 120000

#define BPFFS "/sys/fs/bpf"

static uint64_t attached_ns; /* when the capture of the daemon began */

/* ---- the machine ---- */

void fault_own_mounts(void)
{
    if (unshare(CLONE_NEWNS) < 0)
        rig_skip("no mounts of one's own can be had here");
    CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
}

void fault_own_bpffs(void)
{
    fault_own_mounts();
    CHECK(umount2(BPFFS, MNT_DETACH) == 0 || errno == EINVAL);
    fault_mount_bpffs();
}

void fault_mount_bpffs(void)
{
    CHECK(mount("bpf", BPFFS, "bpf", 0, "mode=0700") == 0);
}

static void disk_path(const struct rig *rig, char path[128])
{
    snprintf(path, 128, "%s/disk", rig->directory);
}

void fault_small_disk(struct rig *rig, const char *size)
{
    char path[128];
    char options[64];

    disk_path(rig, path);
    snprintf(options, sizeof(options), "size=%s,mode=0700", size);
    CHECK(mkdir(path, 0700) == 0);
    CHECK(mount("none", path, "tmpfs", 0, options) == 0);
    snprintf(rig->journal, sizeof(rig->journal), "%s/disk/journal", rig->directory);
}

void fault_resize_disk(struct rig *rig, const char *size)
{
    char path[128];
    char options[64];

    disk_path(rig, path);
    snprintf(options, sizeof(options), "size=%s", size);
    CHECK(mount("none", path, "tmpfs", MS_REMOUNT, options) == 0);
}

void fault_need_guest(const char *reason)
{
    char text[160];

    if (getenv("ROLLCALL_TEST_GUEST"))
        return;
    snprintf(text, sizeof(text), "%s: only in a guest of tests/matrix", reason);
    rig_skip(text);
}

int fault_write(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    int err = 0;

    if (fd < 0)
        return -errno;
    if (write(fd, text, strlen(text)) < 0)
        err = -errno;
    close(fd);
    return err;
}

/* ---- the daemon ---- */

void fault_keep_log(struct rig *rig)
{
    snprintf(rig->log, sizeof(rig->log), "%s/log", rig->directory);
}

void fault_start(struct rig *rig, const char *const *arguments)
{
    struct rollcall_stats stats;

    fault_keep_log(rig);
    rig_start(rig, arguments);
    fault_stats(rig, &stats);
    attached_ns = stats.attached_ns;
}

void fault_forget_log(const struct rig *rig)
{
    CHECK(truncate(rig->log, 0) == 0);
}

unsigned fault_count(const struct rig *rig, const char *text)
{
    FILE *file = fopen(rig->log, "re");
    char *line = NULL;
    size_t room = 0;
    unsigned count = 0;

    CHECK(file);
    while (getline(&line, &room, file) > 0)
        count += strstr(line, text) != NULL;
    free(line);
    fclose(file);
    return count;
}

void fault_says(const struct rig *rig, const char *text)
{
    uint64_t end = rig_now_ms() + LIMIT_MS;

    while (fault_count(rig, text) == 0) {
        if (rig_now_ms() > end)
            rig_fail(__FILE__, __LINE__, "the log does not say '%s'", text);
        usleep(20000);
    }
}

void fault_stats(const struct rig *rig, struct rollcall_stats *stats)
{
    const struct rollcall_options opts = {
        .struct_size = sizeof(opts), .name = rig->name, .flags = ROLLCALL_DIRECT};

    CHECK_EQUAL(rollcall_inspect_at(&opts, stats, sizeof(*stats)), 0);
}

static struct journal *open_journal(const char *path)
{
    const struct journal_options reading = {.read_only = true};
    struct journal *journal;

    if (journal_open(path, &reading, &journal) < 0)
        rig_fail(__FILE__, __LINE__, "%s", rollcall_error());
    return journal;
}

uint64_t fault_stored(const struct rig *rig)
{
    struct journal *journal = open_journal(rig->journal);
    struct rollcall_stats stats;
    uint64_t seq = 0;

    fault_stats(rig, &stats);
    CHECK_EQUAL(journal_last_seq(journal, stats.epoch, &seq), 0);
    journal_close(journal);
    return seq;
}

void fault_settle(struct rig *rig)
{
    uint64_t end = rig_now_ms() + LIMIT_MS;
    uint64_t newest;
    struct rollcall_stats stats;

    newest = rig_newest(rig);
    do {
        CHECK(rig_now_ms() < end);
        usleep(20000);
        fault_stats(rig, &stats);
    } while (stats.acked_seq < newest);
}

/* ---- the load ---- */

pid_t fault_load(struct rig *rig, struct load *load, uint32_t count, const char *name)
{
    const struct truth *truth = rig_load(load, count);
    const struct behaviour behaviour = {.name = name, .truth = name ? truth : NULL};

    memset(&rig->heard[0], 0, sizeof(rig->heard[0]));
    return rig_consume(rig, 0, &behaviour);
}

void fault_finish(struct load *load, pid_t consumer)
{
    CHECK_EQUAL(load_wait(load), 0);
    rig_mark_end();
    rig_await(consumer);
}

static int feed(const struct journal_event *found, void *context)
{
    check_event(context, found->epoch, found->event);
    return 0;
}

void fault_check_journal(const char *path, const struct truth *truth)
{
    const struct journal_filter all = {0};
    struct journal *journal = open_journal(path);
    struct check *check = check_new(attached_ns);

    if (journal_query(journal, &all, feed, check) < 0)
        rig_fail(__FILE__, __LINE__, "%s", rollcall_error());
    if (check_finish(check, truth) > 0) {
        check_print(check, stderr);
        rig_fail(__FILE__, __LINE__, "the journal is not what happened");
    }
    check_free(check);
    journal_close(journal);
}

void fault_end_without_loss(struct rig *rig, struct load *load, pid_t consumer)
{
    fault_finish(load, consumer);
    CHECK_EQUAL(rig->heard[0].lost, 0);
    fault_settle(rig);
    rig_stop(rig, SIGTERM);
    fault_check_journal(rig->journal, load->truth);
    load_end(load);
}
