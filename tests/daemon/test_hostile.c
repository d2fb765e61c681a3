/* SPDX-License-Identifier: MIT */
/* Clients that send what they like, never read, or come by the thousand: a good consumer beside them
 * has every event, and the daemon stays as it is. */
#include "linux/link.h"
#include "tests/core/random.h"
#include "tests/daemon/rig.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define HOSTILE     54330u /* a user who may see its own processes */
#define CONNECTIONS 1500

static uint64_t seed;
static unsigned milliseconds;

static const uint32_t codes[] = {
    ROLLCALL_CODE_ATTACH,  ROLLCALL_CODE_FETCH,     ROLLCALL_CODE_DRAIN,
    ROLLCALL_CODE_WAIT,    ROLLCALL_CODE_STATS,     ROLLCALL_CODE_ACKNOWLEDGE,
    ROLLCALL_CODE_DETACH,  ROLLCALL_CODE_CONFIGURE, ROLLCALL_CODE_RESUME,
    ROLLCALL_CODE_RELEASE, ROLLCALL_CODE_EXISTING,  ROLLCALL_CODE_REPORT};

/* Half right: so that something happens. */
static size_t make_packet(struct random *random, unsigned char *packet, size_t room)
{
    struct rollcall_message message = {
        .code = codes[random_below(random, sizeof(codes) / sizeof(codes[0]))],
        .tag = random_below(random, 1000),
        .room = random_one_in(random, 3) ? random_below(random, 64) : random_below(random, 300000)};
    static const uint32_t sizes[] = {8, 16, 24, 80};
    uint32_t size = sizes[random_below(random, 4)];
    struct rollcall_request head = {.version = ROLLCALL_PROTOCOL_VERSION, .size = size};

    memset(packet, 0, room);
    if (random_one_in(random, 2))
        for (size_t i = 0; i < room; i++)
            packet[i] = (unsigned char)random_below(random, 256);
    if (random_one_in(random, 10))
        return random_below(random, (uint32_t)room);
    memcpy(packet, &message, sizeof(message));
    memcpy(packet + sizeof(message), &head, sizeof(head));
    return sizeof(message) + size;
}

/* One connection: sends, and reads now and then, or never. */
static void talk(const struct rig *rig, struct random *random)
{
    unsigned char packet[512];
    static unsigned char answer[400000];
    unsigned reads = random_below(random, 3);
    int fd = link_connect(rig->socket);

    if (fd < 0)
        return;
    for (unsigned i = random_below(random, 400); i > 0; i--) {
        size_t size = make_packet(random, packet, sizeof(packet));

        if (send(fd, packet, size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN)
            break;
        if (reads && random_one_in(random, reads))
            recv(fd, answer, sizeof(answer), MSG_DONTWAIT);
    }
    close(fd);
}

static void talk_on(const struct rig *rig, uint64_t number)
{
    uint64_t end = rig_now_ms() + milliseconds;
    struct random random = {.state = seed + number};

    while (rig_now_ms() < end)
        talk(rig, &random);
}

/* Sends for ever and never reads: it is its own problem. */
static void flood(const struct rig *rig, uint64_t number)
{
    uint64_t end = rig_now_ms() + milliseconds;
    struct rollcall_request request;
    int fd = link_connect(rig->socket);

    (void)number;
    CHECK(fd >= 0);
    while (rig_now_ms() < end)
        if (link_send(fd, ROLLCALL_CODE_STATS, 1, 100000, &request, sizeof(request), 0) < 0)
            usleep(1000);
    close(fd);
}

/* As many as it gets, kept open. Others than root get few. */
static void crowd(const struct rig *rig, uint64_t number)
{
    const struct rlimit limit = {.rlim_cur = 4096, .rlim_max = 4096};
    struct rollcall_request request;
    unsigned answered = 0;

    (void)number;
    setrlimit(RLIMIT_NOFILE, &limit);
    CHECK(setgid(HOSTILE) == 0 && setuid(HOSTILE) == 0);
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        struct rollcall_engine_stats stats;
        int fd = link_connect(rig->socket);
        int got;

        if (fd == -EAGAIN)
            continue;
        CHECK(fd >= 0);
        got =
            link_ask(fd, ROLLCALL_CODE_STATS, 0, &request, sizeof(request), &stats, sizeof(stats));
        CHECK(got == sizeof(stats) || got == -EUSERS || got == -ECONNRESET);
        if (got == sizeof(stats))
            answered++;
        else
            close(fd);
    }
    CHECK(answered > 0 && answered <= 64);
}

static void as_user(const struct rig *rig, uint64_t number)
{
    CHECK(setgid(HOSTILE) == 0 && setuid(HOSTILE) == 0);
    talk_on(rig, number);
}

static pid_t start(const struct rig *rig, void (*what)(const struct rig *, uint64_t),
                   uint64_t number)
{
    pid_t pid = fork();

    CHECK(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        what(rig, number);
        _exit(0);
    }
    return pid;
}

static unsigned open_files(const struct rig *rig)
{
    char command[96];
    unsigned count = 0;
    FILE *out;

    snprintf(command, sizeof(command), "ls /proc/%d/fd | wc -l", (int)rig->daemon);
    out = popen(command, "r");                    // NOLINT(cert-env33-c)
    CHECK(out && fscanf(out, "%u", &count) == 1); // NOLINT(cert-err34-c)
    pclose(out);
    return count;
}

static void test(struct rig *rig)
{
    char config[128];
    const char *const with_config[] = {"--config", config, NULL};
    const struct load_options load_opts = {.workers = 1,
                                           .count = 100000,
                                           .mix = LOAD_METHODS_ALL,
                                           .program = rig_child(),
                                           .rate = 100};
    struct behaviour good = {.name = "good"};
    struct load load = {0};
    unsigned files;
    pid_t hostile[5];
    pid_t consumer;
    FILE *file;

    snprintf(config, sizeof(config), "%s/config", rig->directory);
    file = fopen(config, "w");
    CHECK(file && fputs("[read-own]\nusers = *\n", file) >= 0 && fclose(file) == 0);
    rig_start(rig, with_config);
    files = open_files(rig);
    CHECK_EQUAL(load_init(&load, &load_opts, NULL), 0);
    good.truth = load.truth;
    consumer = rig_consume(rig, 0, &good);
    CHECK_EQUAL(load_start(&load, &load_opts), 0);
    hostile[0] = start(rig, talk_on, 0);
    hostile[1] = start(rig, as_user, 1);
    hostile[2] = start(rig, as_user, 2);
    hostile[3] = start(rig, flood, 3);
    hostile[4] = start(rig, crowd, 4);
    for (unsigned i = 0; i < 5; i++)
        rig_await(hostile[i]);
    load.truth->stop = 1;
    CHECK_EQUAL(load_wait(&load), 0);
    rig_mark_end();
    rig_await(consumer);
    CHECK_EQUAL(rig->heard[0].lost, 0);
    /* All that they had is given back; the good one's connection may still be closing. */
    while (open_files(rig) > files)
        usleep(10000);
    load_end(&load);
    rig_stop(rig, SIGTERM);
}

int main(int argc, char **argv)
{
    milliseconds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 5000;
    seed = argc > 2 ? strtoul(argv[2], NULL, 10) : (uint64_t)getpid();
    printf("seed %llu\n", (unsigned long long)seed);
    fflush(stdout);
    return rig_main(test);
}
