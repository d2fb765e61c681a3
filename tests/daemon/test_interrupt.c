/* SPDX-License-Identifier: MIT */
/* rollcall_interrupt(): who waits comes back, who does not wait is told when there is nothing to read, each
 * time, once, and no event is missing for it; from threads and signal handlers, whatever is read from. */
#include "tests/daemon/rig.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

static uint32_t processes;
static struct rollcall *current;

static void on_alarm(int signal)
{
    (void)signal;
    rollcall_interrupt(current);
}

/* Reads on until there is nothing, and returns what rollcall_next() says then. */
static int next_but_events(struct rollcall *rc, int timeout_ms)
{
    struct rollcall_batch batch;
    int n;

    while ((n = rollcall_next(rc, timeout_ms, &batch)) > 0)
        CHECK_EQUAL(rollcall_ack(rc, batch.last_seq), 0);
    return n;
}

/* Before it waits: so the answer is at hand. Several are one. */
static void before(struct rollcall *rc)
{
    rollcall_interrupt(rc);
    rollcall_interrupt(rc);
    CHECK(next_but_events(rc, -1) == -EINTR);
    CHECK(next_but_events(rc, 0) == 0);
}

/* Who waits for the descriptor is told that, too. */
static void while_polled(struct rollcall *rc)
{
    struct pollfd wait = {.fd = rollcall_fd(rc), .events = POLLIN};
    int n = next_but_events(rc, 0);

    CHECK(n == 0);
    rollcall_interrupt(rc);
    while (n == 0) {
        CHECK(poll(&wait, 1, -1) == 1);
        n = next_but_events(rc, 0);
    }
    CHECK(n == -EINTR);
}

/* While it waits. The handler is one after which the kernel goes on with a system call if it can. */
static void by_signal(struct rollcall *rc)
{
    const struct itimerval soon = {.it_value = {.tv_usec = 20000}};
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};

    current = rc;
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
    CHECK(next_but_events(rc, -1) == -EINTR);
}

struct sender {
    struct rollcall *rc;
    uint32_t count;
    atomic_uint sent; /* and not yet seen: 0 or 1 */
    atomic_bool over;
};

static void *send_many(void *context)
{
    struct sender *sender = context;

    for (uint32_t i = 0; i < sender->count; i++) {
        while (sender->sent)
            sched_yield();
        sender->sent = 1;
        rollcall_interrupt(sender->rc);
    }
    while (sender->sent)
        sched_yield();
    sender->over = true;
    rollcall_interrupt(sender->rc);
    return NULL;
}

/* Each is seen, or the sender would not go on, and in the end there are no more than were sent. */
static void by_thread(struct rollcall *rc)
{
    const struct load_options opts = {
        .workers = 2, .count = processes, .mix = "vfork", .program = rig_child()};
    struct sender sender = {.rc = rc, .count = processes};
    struct load load = {0};
    pthread_t thread;
    uint64_t next = 0;
    uint32_t seen = 0;

    CHECK_EQUAL(load_init(&load, &opts, NULL), 0);
    CHECK_EQUAL(load_start(&load, &opts), 0);
    CHECK_EQUAL(pthread_create(&thread, NULL, send_many, &sender), 0);
    while (!sender.over) {
        struct rollcall_batch batch;
        int n = rollcall_next(rc, -1, &batch);

        if (n > 0) {
            CHECK(next == 0 || batch.first_seq == next);
            next = batch.last_seq + 1;
            CHECK_EQUAL(rollcall_ack(rc, batch.last_seq), 0);
        } else if (n == -EINTR) {
            seen++;
            sender.sent = 0;
        } else {
            CHECK(n == 0);
        }
    }
    pthread_join(thread, NULL);
    CHECK_EQUAL(load_wait(&load), 0);
    load_end(&load);
    CHECK(seen >= sender.count && seen <= sender.count + 1);
}

static void interrupt(const struct rig *rig, uint32_t flags)
{
    struct rollcall_options opts = rig_options(rig, NULL);
    struct rollcall *rc;

    opts.flags = flags;
    opts.socket = flags & ROLLCALL_DAEMON ? opts.socket : NULL;
    CHECK_EQUAL(rollcall_open(&opts, &rc), 0);
    by_thread(rc);
    next_but_events(rc, 0);
    before(rc);
    if (!(flags & ROLLCALL_SPIN)) {
        while_polled(rc);
        by_signal(rc);
    }
    rollcall_close(rc);
}

static void test(struct rig *rig)
{
    rig_start(rig, NULL);
    interrupt(rig, ROLLCALL_DIRECT);
    interrupt(rig, ROLLCALL_DAEMON);
    interrupt(rig, ROLLCALL_DIRECT | ROLLCALL_SPIN);
    interrupt(rig, ROLLCALL_DAEMON | ROLLCALL_SPIN);
    rig_stop(rig, SIGTERM);
}

int main(int argc, char **argv)
{
    processes = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1000;
    return rig_main(test);
}
