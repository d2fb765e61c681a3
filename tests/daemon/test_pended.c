/* SPDX-License-Identifier: MIT */
/* The requests themselves: many fetches pended at once are answered in the order of the numbers, and
 * what is malformed changes nothing. */
#include "linux/link.h"
#include "tests/daemon/rig.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PENDED 16u
#define ROOM   sizeof(answer)
#define OWN    54327u

static uint32_t processes;

static union {
    struct rollcall_reply reply;
    struct rollcall_attached attached;
    unsigned char bytes[sizeof(struct rollcall_reply) + ROLLCALL_REPLY_MAX];
} answer;

static void send_fetch(int fd, uint32_t tag, uint64_t acked_seq)
{
    struct rollcall_fetch fetch = {.acked_seq = acked_seq};

    CHECK_EQUAL(link_send(fd, ROLLCALL_CODE_FETCH, tag, ROOM, &fetch, sizeof(fetch), 0), 0);
}

static void receive(int fd, struct rollcall_answer *head)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    int got;

    while ((got = link_receive(fd, head, &answer, sizeof(answer))) == 0)
        CHECK(poll(&wait, 1, -1) >= 0);
    CHECK_EQUAL(got, 1);
}

static int attach(const struct rig *rig, struct rollcall_attached *attached)
{
    struct rollcall_attach request = {.name_size = 0};
    int fd = link_connect(rig->socket);

    CHECK(fd >= 0);
    CHECK_EQUAL(link_ask(fd, ROLLCALL_CODE_ATTACH, 0, &request, sizeof(request), attached,
                         sizeof(*attached)),
                sizeof(*attached));
    return fd;
}

/* Both threads answer; a client that relies on the order may. */
static void in_order(struct rig *rig)
{
    const struct load_options opts = {
        .workers = 2, .count = processes, .mix = LOAD_METHODS_ALL, .program = rig_child()};
    struct rollcall_attached attached;
    struct rollcall_answer head;
    struct load load = {0};
    int fd = attach(rig, &attached);
    uint64_t next = attached.acked_seq + 1;
    uint64_t until = next + 3ull * processes;
    uint32_t tag = 0;

    while (tag < PENDED)
        send_fetch(fd, tag++, 0);
    CHECK_EQUAL(load_init(&load, &opts, NULL), 0);
    CHECK_EQUAL(load_start(&load, &opts), 0);
    while (next < until) {
        receive(fd, &head);
        CHECK_EQUAL(head.error, 0);
        CHECK_EQUAL(head.tag, tag - PENDED);
        CHECK_EQUAL(answer.reply.first_seq, next);
        CHECK(answer.reply.count > 0);
        next = answer.reply.last_seq + 1;
        send_fetch(fd, tag++, answer.reply.last_seq);
    }
    CHECK_EQUAL(load_wait(&load), 0);
    load_end(&load);
    close(fd);
}

static void bad_requests(const struct rig *rig)
{
    struct rollcall_fetch fetch = {.acked_seq = UINT64_MAX};
    struct rollcall_acknowledge acknowledge = {.acked_seq = 1ull << 60};
    struct rollcall_attach request = {.name_size = 0};
    struct rollcall_attached attached;
    struct rollcall_answer head;
    int fd = link_connect(rig->socket);

    CHECK_EQUAL(link_ask(fd, ROLLCALL_CODE_FETCH, 0, &fetch, sizeof(fetch), &answer, ROOM),
                -ENOTCONN);
    CHECK_EQUAL(link_ask(fd, ROLLCALL_CODE_RELEASE, 0, &fetch, sizeof(fetch), &answer, ROOM),
                -EOPNOTSUPP);
    CHECK_EQUAL(link_ask(fd, ROLLCALL_CODE_ATTACH, ROLLCALL_ATTACH_DENY, &request, sizeof(request),
                         &attached, sizeof(attached)),
                -EOPNOTSUPP);
    CHECK_EQUAL(link_ask(fd, ROLLCALL_CODE_ATTACH, 0, &request, sizeof(request), &attached, 8),
                -EMSGSIZE);
    CHECK_EQUAL(link_ask(fd, ROLLCALL_CODE_ATTACH, 0, &request, sizeof(request), &attached,
                         sizeof(attached)),
                sizeof(attached));
    CHECK_EQUAL(link_ask(fd, ROLLCALL_CODE_ATTACH, 0, &request, sizeof(request), &attached,
                         sizeof(attached)),
                -EBUSY);
    CHECK_EQUAL(link_ask(fd, ROLLCALL_CODE_FETCH, 0, &fetch, sizeof(fetch), &answer, ROOM),
                -EINVAL);
    CHECK_EQUAL(
        link_ask(fd, ROLLCALL_CODE_ACKNOWLEDGE, 0, &acknowledge, sizeof(acknowledge), &answer, 0),
        -EINVAL);
    CHECK_EQUAL(link_ask(fd, ROLLCALL_CODE_ACKNOWLEDGE, 0, &acknowledge, sizeof(acknowledge) - 1,
                         &answer, 0),
                -EINVAL);
    /* Not even a head. */
    CHECK_EQUAL(send(fd, "?", 1, 0), 1);
    receive(fd, &head);
    CHECK_EQUAL(head.error, EINVAL);
    CHECK_EQUAL(head.tag, 0);
    close(fd);
}

/* A wait takes nothing; a drain never waits. */
static void waits_and_drains(const struct rig *rig)
{
    struct rollcall_attached attached;
    struct rollcall_request plain;
    struct rollcall_fetch fetch = {.acked_seq = 0};
    struct rollcall_answer head;
    int fd = attach(rig, &attached);

    CHECK_EQUAL(link_send(fd, ROLLCALL_CODE_WAIT, 7, 64, &plain, sizeof(plain), 0), 0);
    rig_mark_end();
    receive(fd, &head);
    CHECK_EQUAL(head.tag, 7);
    CHECK_EQUAL(head.size, sizeof(struct rollcall_ready));
    CHECK(link_ask(fd, ROLLCALL_CODE_DRAIN, 0, &fetch, sizeof(fetch), &answer, ROOM) >
          (int)sizeof(answer.reply));
    CHECK_EQUAL(answer.reply.first_seq, attached.acked_seq + 1);
    /* There is nothing behind the newest but what others do meanwhile. */
    while (answer.reply.count > 0)
        CHECK(link_ask(fd, ROLLCALL_CODE_DRAIN, 0, &fetch, sizeof(fetch), &answer, ROOM) > 0);
    close(fd);
}

/* Of a user without processes, so that nothing is answered meanwhile. */
static void pend_too_many(const struct rig *rig)
{
    struct rollcall_attached attached;
    struct rollcall_answer head;
    int fd;

    CHECK(setgid(OWN) == 0 && setuid(OWN) == 0);
    fd = attach(rig, &attached);
    for (uint32_t i = 0; i <= ROLLCALL_PENDED_MAX; i++)
        send_fetch(fd, i, 0);
    receive(fd, &head);
    CHECK_EQUAL(head.tag, ROLLCALL_PENDED_MAX);
    CHECK_EQUAL(head.error, ENOBUFS);
    close(fd);
    _exit(0);
}

static void too_many(const struct rig *rig)
{
    pid_t pid = fork();

    CHECK(pid >= 0);
    if (pid == 0)
        pend_too_many(rig);
    rig_await(pid);
}

/* A daemon that was killed may have given it more than this one has taken again so far. */
static void comes_back_ahead(struct rig *rig)
{
    struct rollcall_attached attached;
    struct rollcall_resume request;
    struct rollcall_answer head;
    struct load load = {0};
    int fd = attach(rig, &attached);

    close(fd);
    request = (struct rollcall_resume){.epoch = attached.epoch,
                                       .acked_seq = attached.last_seq + processes};
    fd = link_connect(rig->socket);
    CHECK_EQUAL(link_ask(fd, ROLLCALL_CODE_RESUME, 0, &request, sizeof(request), &attached,
                         sizeof(attached)),
                sizeof(attached));
    CHECK_EQUAL(attached.acked_seq, request.acked_seq);
    send_fetch(fd, 7, request.acked_seq);
    rig_load(&load, processes);
    receive(fd, &head);
    CHECK_EQUAL(head.error, 0);
    CHECK_EQUAL(answer.reply.first_seq, request.acked_seq + 1);
    CHECK(answer.reply.count > 0);
    CHECK_EQUAL(load_wait(&load), 0);
    load_end(&load);
    close(fd);
}

static void test(struct rig *rig)
{
    rig_start_for_own(rig, OWN);
    bad_requests(rig);
    comes_back_ahead(rig);
    waits_and_drains(rig);
    too_many(rig);
    in_order(rig);
    rig_stop(rig, SIGTERM);
}

int main(int argc, char **argv)
{
    processes = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 2000;
    return rig_main(test);
}
