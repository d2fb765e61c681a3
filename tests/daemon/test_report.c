/* SPDX-License-Identifier: MIT */
/* What the daemon tells of itself and of its consumers: how far behind each is, what it has pended and
 * lost, where it is fed from; and that who may see only its own learns of nothing else. */
#include "tests/daemon/rig.h"

#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define OWN   54341u
#define COUNT 4000u /* more than the daemon's memory holds */

struct found {
    struct rollcall_daemon_report daemon;
    struct rollcall_consumer_report consumers[16];
    size_t count;
};

static int note(const struct rollcall_consumer_report *consumer, void *context)
{
    struct found *found = context;

    CHECK(found->count < 16);
    found->consumers[found->count++] = *consumer;
    return 0;
}

static struct found ask(const struct rig *rig)
{
    struct rollcall_options opts = rig_options(rig, NULL);
    struct found found = {.count = 0};

    CHECK_EQUAL(rollcall_report(&opts, &found.daemon, sizeof(found.daemon), note, &found), 0);
    CHECK_EQUAL(found.daemon.consumers, found.count);
    return found;
}

static const struct rollcall_consumer_report *find(const struct found *found, const char *name)
{
    for (size_t i = 0; i < found->count; i++)
        if (found->consumers[i].name_size == strlen(name) &&
            memcmp(found->consumers[i].name, name, strlen(name)) == 0)
            return &found->consumers[i];
    rig_fail(__FILE__, __LINE__, "there is no consumer '%s'", name);
}

static struct rollcall *open_one(const struct rig *rig, const char *name)
{
    struct rollcall_options opts = rig_options(rig, name);
    struct rollcall *rc = NULL;

    CHECK_EQUAL(rollcall_open(&opts, &rc), 0);
    return rc;
}

static void make(struct load *load, uint32_t count)
{
    const struct load_options opts = {
        .workers = 2, .count = count, .mix = "vfork", .program = rig_child()};

    CHECK_EQUAL(load_init(load, &opts, NULL), 0);
    CHECK_EQUAL(load_start(load, &opts), 0);
    CHECK_EQUAL(load_wait(load), 0);
    load_end(load);
}

/* When nothing waits in the kernel, the daemon has all that there was. */
static struct found ask_at_rest(const struct rig *rig)
{
    struct found found;

    do {
        usleep(1000);
        found = ask(rig);
    } while (found.daemon.ring_used > 0);
    return found;
}

static void read_all(struct rollcall *rc, uint64_t until)
{
    struct rollcall_batch batch = {.last_seq = 0};

    while (batch.last_seq < until) {
        CHECK(rollcall_next(rc, -1, &batch) > 0);
        CHECK_EQUAL(rollcall_ack(rc, batch.last_seq), 0);
    }
}

/* Tells what it has acknowledged by a request that is pended, as there is nothing at the moment. */
static struct found wait_for_more(const struct rig *rig, struct rollcall *rc, const char *name)
{
    struct rollcall_batch batch;
    struct found found;

    do {
        if (rollcall_next(rc, 0, &batch) > 0)
            CHECK_EQUAL(rollcall_ack(rc, batch.last_seq), 0);
        found = ask(rig);
    } while (find(&found, name)->pended == 0);
    return found;
}

/* ---- all consumers ---- */

static void check_daemon(const struct rig *rig, const struct found *found)
{
    CHECK_EQUAL(found->daemon.pid, rig->daemon);
    CHECK_EQUAL(found->daemon.flags, 0);
    CHECK(found->daemon.last_seq - found->daemon.started_seq > (uint64_t)3 * COUNT);
    CHECK_EQUAL(found->daemon.memory_size, 1u << 20);
    CHECK(found->daemon.memory_used > 1u << 19 && found->daemon.memory_used <= 1u << 20);
    CHECK_EQUAL(found->daemon.ring_size, 512u << 10);
    CHECK(found->daemon.journal_bytes > (uint64_t)COUNT * 100);
    CHECK(found->daemon.commits > 0 && found->daemon.commit_ns > 0);
    CHECK_EQUAL(found->daemon.names, 2);
}

static void lag_of_two(struct rig *rig)
{
    struct rollcall *waits = open_one(rig, NULL);
    struct rollcall *rc = open_one(rig, "reads");
    const struct rollcall_consumer_report *one;
    struct load load = {0};
    struct found found;

    rollcall_close(open_one(rig, "absent"));
    make(&load, COUNT);
    found = ask_at_rest(rig);
    check_daemon(rig, &found);
    one = find(&found, "absent");
    CHECK_EQUAL(one->feed, ROLLCALL_FEED_NONE);
    CHECK_EQUAL(one->pid, 0);
    CHECK_EQUAL(one->uid, 0);
    CHECK_EQUAL(one->acked_seq, 0);
    CHECK(one->lag <= found.daemon.last_seq && one->lag + 1000 > found.daemon.last_seq);
    CHECK(one->lag_ns > 0);
    rollcall_close(rc);

    /* What it wants next is no longer in memory, until it has read that far. */
    rc = open_one(rig, "reads");
    found = ask(rig);
    one = find(&found, "reads");
    CHECK_EQUAL(one->feed, ROLLCALL_FEED_JOURNAL);
    CHECK_EQUAL(one->pid, getpid());
    CHECK(one->lag > (uint64_t)3 * COUNT);
    read_all(rc, found.daemon.last_seq);
    found = wait_for_more(rig, rc, "reads");
    one = find(&found, "reads");
    CHECK_EQUAL(one->feed, ROLLCALL_FEED_MEMORY);
    CHECK(one->lag < 1000);
    CHECK_EQUAL(one->pended, 1);
    CHECK_EQUAL(one->lost, found.daemon.lost[ROLLCALL_LOST_FULL]);
    rollcall_close(rc);
    rollcall_close(waits);
}

/* The kernel loses events while the daemon stands still: it tells how many, and so does the
 * consumer that was given the gaps. */
static void losses(struct rig *rig)
{
    struct found before = ask_at_rest(rig);
    struct rollcall *rc = open_one(rig, "reads");
    struct load load = {0};
    struct found found;

    CHECK(kill(rig->daemon, SIGSTOP) == 0);
    make(&load, 2500); /* more than the ring holds */
    CHECK(kill(rig->daemon, SIGCONT) == 0);
    ask_at_rest(rig);
    make(&load, 1); /* the first event that gets through again tells what was lost before it */
    found = ask_at_rest(rig);
    CHECK(found.daemon.lost[ROLLCALL_LOST_FULL] > before.daemon.lost[ROLLCALL_LOST_FULL]);
    read_all(rc, found.daemon.last_seq);
    found = ask(rig);
    CHECK_EQUAL(find(&found, "reads")->lost,
                found.daemon.lost[ROLLCALL_LOST_FULL] - before.daemon.lost[ROLLCALL_LOST_FULL]);
    rollcall_close(rc);
}

/* ---- only its own ---- */

static void sees_itself(const struct rig *rig)
{
    const struct rollcall_daemon_report nothing = {.size = sizeof(nothing),
                                                   .consumer_size =
                                                       sizeof(struct rollcall_consumer_report),
                                                   .consumers = 1,
                                                   .given = 1,
                                                   .flags = ROLLCALL_REPORT_OWN};
    struct rollcall *rc = open_one(rig, NULL);
    struct found found = ask(rig);

    CHECK(memcmp(&found.daemon, &nothing, sizeof(nothing)) == 0);
    CHECK_EQUAL(found.consumers[0].pid, getpid());
    CHECK_EQUAL(found.consumers[0].uid, OWN);
    CHECK_EQUAL(found.consumers[0].flags, ROLLCALL_REPORT_OWN);
    CHECK_EQUAL(found.consumers[0].lag, 0);
    CHECK_EQUAL(found.consumers[0].feed, 0);
    rollcall_close(rc);
}

static void only_own(struct rig *rig)
{
    struct rollcall *other = open_one(rig, "other");
    pid_t pid = fork();

    CHECK(pid >= 0);
    if (pid == 0) {
        CHECK(setgroups(0, NULL) == 0 && setgid(OWN) == 0 && setuid(OWN) == 0);
        sees_itself(rig);
        _exit(0);
    }
    rig_await(pid);
    rollcall_close(other);
}

static void write_config(const char *path)
{
    FILE *file = fopen(path, "w");

    CHECK(file);
    fprintf(file, "[daemon]\nmemory = 1M\nring-size = 512K\n[read-own]\nusers = %u\n", OWN);
    CHECK(fclose(file) == 0);
}

static void test(struct rig *rig)
{
    char config[128];
    const char *const with_config[] = {"--config", config, NULL};

    snprintf(config, sizeof(config), "%s/config", rig->directory);
    write_config(config);
    rig_start(rig, with_config);
    lag_of_two(rig);
    losses(rig);
    only_own(rig);
    rig_stop(rig, SIGTERM);
}

int main(void)
{
    return rig_main(test);
}
