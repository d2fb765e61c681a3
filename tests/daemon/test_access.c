/* SPDX-License-Identifier: MIT */
/* Who may do what: nothing without a rule; a group all; everyone his own; and nobody learns of
 * what he may not see. */
#include "linux/link.h"
#include "tests/daemon/rig.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define STRANGER 54321u
#define MEMBER   54322u
#define GROUP    54399u
#define OWN      54323u
#define KEEPER   54324u
#define OTHER    54325u

/* Runs as another user, in a process of its own. */
static void as_user(struct rig *rig, uid_t uid, gid_t group, void (*what)(struct rig *rig))
{
    pid_t pid = fork();

    CHECK(pid >= 0);
    if (pid == 0) {
        CHECK(setgroups(group ? 1 : 0, &group) == 0);
        CHECK(setgid(uid) == 0 && setuid(uid) == 0);
        what(rig);
        _exit(0);
    }
    rig_await(pid);
}

/* Processes of a user: that many, each exits. */
static void make_processes(uid_t uid, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        pid_t pid = fork();

        CHECK(pid >= 0);
        if (pid == 0) {
            CHECK(setgid(uid) == 0 && setuid(uid) == 0);
            pid = fork();
            if (pid == 0)
                _exit(0);
            CHECK(pid > 0 && waitpid(pid, NULL, 0) == pid);
            _exit(0);
        }
        rig_await(pid);
    }
}

static int try_open(struct rig *rig, const char *name)
{
    struct rollcall_options opts = rig_options(rig, name);
    struct rollcall *rc = NULL;
    int err = rollcall_open(&opts, &rc);

    if (err == 0)
        rollcall_close(rc);
    return err;
}

static int no_name(const char *name, void *context)
{
    (void)name;
    (void)context;
    return 1;
}

static void gets_nothing(struct rig *rig)
{
    struct rollcall_options opts = rig_options(rig, "keeper");
    struct rollcall_stats stats;

    CHECK_EQUAL(try_open(rig, NULL), -EPERM);
    CHECK_EQUAL(try_open(rig, "mine"), -EPERM);
    CHECK_EQUAL(rollcall_inspect_at(&opts, &stats, sizeof(stats)), -EPERM);
    CHECK_EQUAL(rollcall_detach_at(&opts), -EPERM);
    CHECK_EQUAL(rollcall_names_at(&opts, no_name, NULL), -EPERM);
}

static void reads_all(struct rig *rig)
{
    struct rollcall_options opts = rig_options(rig, "keeper");
    struct rollcall_stats stats;

    CHECK_EQUAL(try_open(rig, NULL), 0);
    CHECK_EQUAL(try_open(rig, "mine"), -EPERM);
    CHECK_EQUAL(rollcall_inspect_at(&opts, &stats, sizeof(stats)), 0);
    CHECK_EQUAL(rollcall_detach_at(&opts), -EPERM);
}

static void keeps_a_name(struct rig *rig)
{
    CHECK_EQUAL(try_open(rig, "keeper"), 0);
    CHECK_EQUAL(try_open(rig, "roots"), -EPERM);
}

/* ---- only its own ---- */

static int ask(struct rig *rig, uint32_t code, void *request, size_t size, void *answer,
               size_t room)
{
    int fd = link_connect(rig->socket);
    int got;

    CHECK(fd >= 0);
    got = link_ask(fd, code, 0, request, size, answer, room);
    close(fd);
    return got;
}

static void learns_nothing_else(struct rig *rig)
{
    struct rollcall_configure configure = {.budget = 0};
    struct rollcall_resume resume = {.epoch = rig->heard[0].epoch, .acked_seq = 1};
    struct rollcall_request plain;
    struct {
        struct rollcall_engine_stats engine;
        struct rollcall_consumer_stats consumers[8];
    } stats;

    CHECK_EQUAL(ask(rig, ROLLCALL_CODE_STATS, &plain, sizeof(plain), &stats, sizeof(stats)),
                sizeof(stats.engine) + sizeof(stats.consumers[0]));
    CHECK_EQUAL(stats.engine.last_seq, 0);
    CHECK_EQUAL(stats.engine.used, 0);
    CHECK_EQUAL(stats.engine.consumers, 1);
    CHECK_EQUAL(stats.consumers[0].pid, getpid());
    CHECK_EQUAL(ask(rig, ROLLCALL_CODE_CONFIGURE, &configure, sizeof(configure), NULL, 0), -EPERM);
    CHECK_EQUAL(ask(rig, ROLLCALL_CODE_RESUME, &resume, sizeof(resume), &stats, sizeof(stats)),
                -EPERM);
}

/* A fetch stays pended, whatever others do; a wait would tell. */
static void is_not_woken(struct rig *rig)
{
    struct rollcall_attach attach = {.name_size = 0};
    struct rollcall_attached attached;
    struct rollcall_request plain;
    struct rollcall_ready ready;
    struct rollcall_fetch fetch = {.acked_seq = 0};
    static struct {
        struct rollcall_reply reply;
        unsigned char records[ROLLCALL_REPLY_MAX];
    } answer;
    int fd = link_connect(rig->socket);

    CHECK_EQUAL(
        link_ask(fd, ROLLCALL_CODE_ATTACH, 0, &attach, sizeof(attach), &attached, sizeof(attached)),
        sizeof(attached));
    CHECK_EQUAL(attached.acked_seq, 0);
    CHECK_EQUAL(attached.last_seq, 0);
    CHECK_EQUAL(link_ask(fd, ROLLCALL_CODE_WAIT, 0, &plain, sizeof(plain), &ready, sizeof(ready)),
                -EPERM);
    rig->heard[1].opened = true;
    /* The parent has made processes of others by now. */
    while (!rig->heard[1].stop)
        usleep(1000);
    CHECK_EQUAL(link_ask(fd, ROLLCALL_CODE_DRAIN, 0, &fetch, sizeof(fetch), &answer, 1024),
                -EMSGSIZE);
    CHECK_EQUAL(
        link_ask(fd, ROLLCALL_CODE_DRAIN, 0, &fetch, sizeof(fetch), &answer, sizeof(answer)),
        sizeof(answer.reply));
    CHECK_EQUAL(answer.reply.count, 0);
    CHECK_EQUAL(answer.reply.first_seq, 1);
    close(fd);
}

/* Its own events, numbered from 1 without a hole. */
static void sees_its_own(struct rig *rig)
{
    struct rollcall_options opts = rig_options(rig, NULL);
    struct rollcall_batch batch;
    struct rollcall *rc;
    uint64_t next = 1;
    unsigned exits = 0;

    CHECK_EQUAL(try_open(rig, "mine"), -EPERM);
    CHECK_EQUAL(rollcall_open(&opts, &rc), 0);
    rig->heard[0].opened = true;
    while (exits < 40) {
        const struct rollcall_event *event = NULL;

        CHECK(rollcall_next(rc, -1, &batch) >= 0);
        CHECK_EQUAL(batch.first_seq, next);
        while ((event = rollcall_batch_next(&batch, event))) {
            CHECK_EQUAL(event->seq, next++);
            CHECK(event->present & ROLLCALL_HAS_USER);
            CHECK_EQUAL(event->uid, OWN);
            exits += event->type == ROLLCALL_EXIT;
        }
        CHECK_EQUAL(rollcall_ack(rc, batch.last_seq), 0);
    }
    CHECK_EQUAL(rollcall_ack(rc, next), -EINVAL);
    rollcall_close(rc);
}

static pid_t start_as(struct rig *rig, uid_t uid, void (*what)(struct rig *rig),
                      struct heard *heard)
{
    pid_t pid = fork();

    CHECK(pid >= 0);
    if (pid == 0) {
        as_user(rig, uid, 0, what);
        _exit(0);
    }
    while (!heard->opened) {
        CHECK(waitpid(pid, NULL, WNOHANG) == 0);
        usleep(500);
    }
    return pid;
}

static void own_only(struct rig *rig)
{
    pid_t sees = start_as(rig, OWN, sees_its_own, &rig->heard[0]);
    pid_t sleeps = start_as(rig, OTHER, is_not_woken, &rig->heard[1]);
    uint64_t newest;

    make_processes(OWN, 10);
    make_processes(STRANGER, 10);
    make_processes(OWN, 10);
    newest = rig_newest(rig);
    CHECK(newest > 60);
    rig->heard[1].stop = true;
    rig_await(sleeps);
    rig_await(sees);
    as_user(rig, OWN, 0, learns_nothing_else);
}

/* ---- all ---- */

static void write_config(const char *path)
{
    FILE *file = fopen(path, "w");

    CHECK(file);
    fprintf(file,
            "[daemon]\nmemory = 2M\n"
            "[read-all]\ngroups = %u\n"
            "[read-own]\nusers = %u, %u\n"
            "[durable]\nusers = %u\n",
            GROUP, OWN, OTHER, KEEPER);
    CHECK(fclose(file) == 0);
}

static void test(struct rig *rig)
{
    char config[128];
    const char *const with_config[] = {"--config", config, NULL};
    struct stat socket;

    /* The default: root, and the socket says so too. */
    rig_start(rig, NULL);
    CHECK(stat(rig->socket, &socket) == 0);
    CHECK_EQUAL(socket.st_mode & 0777, 0600);
    as_user(rig, STRANGER, 0, gets_nothing);
    rig_stop(rig, SIGTERM);

    snprintf(config, sizeof(config), "%s/config", rig->directory);
    write_config(config);
    rig_start(rig, with_config);
    CHECK_EQUAL(try_open(rig, "roots"), 0);
    as_user(rig, KEEPER, 0, keeps_a_name);
    as_user(rig, KEEPER, 0, keeps_a_name);
    as_user(rig, STRANGER, 0, gets_nothing);
    as_user(rig, MEMBER, GROUP, reads_all);
    own_only(rig);
    rig_stop(rig, SIGTERM);
}

int main(void)
{
    return rig_main(test);
}
