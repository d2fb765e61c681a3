/* SPDX-License-Identifier: MIT */
/*
 * Processes of different real-time priorities, on two processors, preempt each other while they
 * fork, execute and end, nested and several at a time. Each of them is written down by who
 * created it. Where the kernel skips a run of a program (it can since Linux 7.0), the process is
 * announced late by a later one, or what is missing is counted; else nothing is missing.
 */
#include "tests/kernel/part.h"
#include "tests/kernel/scenario.h"

#include <err.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#define PROCESSES  3000u
#define PROCESSORS 2
#define SEATS      4 /* stormers on each processor */
#define STORMERS   (PROCESSORS * SEATS)
#define FAMILY     3 /* the most processes that one creation makes */
#define DEPTH      4 /* from a process of the storm up to this one, at most */
#define PAUSE_NS   1500000
#define COUNTED_MS 30000  /* some looks that are a second apart */
#define STORM_MS   600000 /* longer than it takes wherever it works */

/* How a process is made, and what it does. */
enum way { FORK, FORK_EXEC, VFORK_EXEC, NEST, WAYS };

/* One process of the storm, as its creator knows it; or what was heard of one. */
struct born {
    uint32_t parent;
    uint32_t pid;
    uint32_t execs;
    uint32_t status;
    bool exited;
};

struct storm {
    uint32_t wanted;
    _Atomic uint32_t count;
    struct born born[];
};

static const struct {
    int policy;
    int priority;
} ranks[SEATS] = {{SCHED_OTHER, 0}, {SCHED_RR, 1}, {SCHED_RR, 5}, {SCHED_FIFO, 10}};

static struct storm *storm;
static size_t storm_size;
static uint64_t seed;

static uint32_t any(uint32_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 32) % below;
}

/* ---- the storm ---- */

static bool take_rank(uint32_t rank)
{
    const struct sched_param param = {.sched_priority = ranks[rank].priority};

    return sched_setscheduler(0, ranks[rank].policy, &param) == 0;
}

/* The parent's record of a child, when it has ended. Returns its status. */
static uint32_t write_down(pid_t pid, uint32_t execs)
{
    uint32_t status = (uint32_t)wait_for(pid);
    uint32_t at = storm->count++;

    storm->born[at] = (struct born){.parent = (uint32_t)getpid(),
                                    .pid = (uint32_t)pid,
                                    .execs = execs,
                                    .status = status,
                                    .exited = true};
    return status;
}

_Noreturn static void execute(const char *status)
{
    execl(LOAD_CHILD, LOAD_CHILD, status, NULL);
    _exit(127);
}

/* Its own function, so that the child, which returns into it, finds the stack as it was. */
static pid_t make_by_vfork(const char *status)
{
    /* vfork is what is tested. NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.vfork) */
    pid_t pid = vfork();

    if (pid == 0) {
        execl(LOAD_CHILD, LOAD_CHILD, status, NULL);
        _exit(127);
    }
    return pid;
}

static pid_t make(enum way way);

/* Two children at a time, each with this process's new rank. */
_Noreturn static void nest(const char *status)
{
    enum way ways[2];
    pid_t pids[2];

    seed ^= (uint64_t)getpid() << 32;
    take_rank(any(SEATS));
    for (int i = 0; i < 2; i++) {
        ways[i] = (enum way)any(NEST);
        pids[i] = make(ways[i]);
    }
    for (int i = 0; i < 2; i++)
        write_down(pids[i], ways[i] != FORK);
    execute(status);
}

static pid_t make(enum way way)
{
    char status[12];
    pid_t pid;

    snprintf(status, sizeof(status), "%u", any(100));
    pid = way == VFORK_EXEC ? make_by_vfork(status) : fork();
    if (pid < 0)
        err(1, "fork");
    if (pid > 0)
        return pid;
    if (way == NEST)
        nest(status);
    if (way == FORK_EXEC)
        execute(status);
    _exit(1);
}

/* Those with a higher rank sleep between, and wake up in the middle of what the others do. */
_Noreturn static void be_stormer(uint32_t number)
{
    uint32_t rank = number % SEATS;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    seed ^= (uint64_t)getpid() << 32;
    while (storm->count < storm->wanted) {
        const struct timespec pause = {.tv_nsec = any(PAUSE_NS)};
        enum way way = (enum way)any(WAYS);
        pid_t pid;

        take_rank(rank);
        if (rank > 0)
            nanosleep(&pause, NULL);
        pid = make(way);
        write_down(pid, way != FORK);
    }
    _exit(0);
}

static pid_t start_stormer(uint32_t number, const size_t *processors)
{
    pid_t pid = fork();
    cpu_set_t set;

    if (pid < 0)
        err(1, "fork");
    if (pid > 0)
        return pid;
    CPU_ZERO(&set);
    CPU_SET(processors[number / SEATS], &set);
    if (sched_setaffinity(0, sizeof(set), &set) < 0)
        err(1, "a processor of its own");
    be_stormer(number);
}

/* The first processors that this process may use: the same one twice if there is only one. */
static void find_processors(size_t *processors)
{
    cpu_set_t set;
    int found = 0;

    if (sched_getaffinity(0, sizeof(set), &set) < 0)
        err(1, "processors");
    for (size_t i = 0; i < CPU_SETSIZE && found < PROCESSORS; i++)
        if (CPU_ISSET(i, &set))
            processors[found++] = i;
    for (; found < PROCESSORS; found++)
        processors[found] = processors[0];
}

static void init_storm(void)
{
    uint32_t wanted = part_of(PROCESSES);

    storm_size = sizeof(*storm) + (wanted + STORMERS * (FAMILY + 1) + 1) * sizeof(struct born);
    storm = mmap(NULL, storm_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (storm == MAP_FAILED)
        err(1, "memory for the storm");
    storm->wanted = wanted;
}

static void skip_without_ranks(void)
{
    if (!take_rank(SEATS - 1)) {
        printf("skipped: no real-time priority: %s\n", strerror(errno));
        exit(SKIPPED);
    }
    take_rank(0);
}

/* Reads while it rages, and then up to a process that is created at its end. */
static void rage(struct reader *reader)
{
    size_t processors[PROCESSORS];
    pid_t stormers[STORMERS];
    int64_t limit = now_ms() + STORM_MS;
    pid_t marker;

    find_processors(processors);
    for (uint32_t i = 0; i < STORMERS; i++)
        stormers[i] = start_stormer(i, processors);
    while (storm->count < storm->wanted) {
        if (now_ms() > limit)
            errx(1, "%u processes in %d s", storm->count, STORM_MS / 1000);
        read_some(reader, 10);
    }
    for (uint32_t i = 0; i < STORMERS; i++)
        if (write_down(stormers[i], 0) != 0)
            errx(1, "a process of the storm failed");
    marker = fork();
    if (marker < 0)
        err(1, "fork");
    if (marker == 0)
        _exit(0);
    write_down(marker, 0);
    read_until_exit(reader, marker, getpid());
}

/* ---- the comparison ---- */

static int by_all(const void *a, const void *b)
{
    const struct born *x = a;
    const struct born *y = b;

    if (x->parent != y->parent)
        return x->parent < y->parent ? -1 : 1;
    if (x->pid != y->pid)
        return x->pid < y->pid ? -1 : 1;
    if (x->execs != y->execs)
        return x->execs < y->execs ? -1 : 1;
    return x->status < y->status ? -1 : x->status > y->status;
}

/* Whether this process is among those from which it descends. */
static bool is_ours(const struct check *check, const struct life *life)
{
    for (int i = 0; life && i < DEPTH; i++) {
        if (life->ppid == (uint32_t)getpid())
            return true;
        life = check_find(check, life->ppid, life->parent_start_ns);
    }
    return false;
}

/* What was heard of the storm, in the order of by_all(). */
static struct born *list_heard(const struct check *check, size_t *count)
{
    size_t life_count;
    const struct life *lives = check_lives(check, &life_count);
    struct born *heard = calloc(life_count + 1, sizeof(*heard));

    if (!heard)
        err(1, "no memory");
    *count = 0;
    for (size_t i = 0; i < life_count; i++)
        if (is_ours(check, &lives[i]))
            heard[(*count)++] = (struct born){.parent = lives[i].ppid,
                                              .pid = lives[i].pid,
                                              .execs = lives[i].execs,
                                              .status = lives[i].status,
                                              .exited = lives[i].exited};
    qsort(heard, *count, sizeof(*heard), by_all);
    return heard;
}

/* How many events of the process did not come. */
static uint32_t missing_of(const struct born *born, const struct born *heard)
{
    if (heard->execs > born->execs)
        errx(1, "pid %u: %u execs, the truth is %u", born->pid, heard->execs, born->execs);
    if (heard->exited && heard->status != born->status)
        errx(1, "pid %u: status 0x%x, the truth is 0x%x", born->pid, heard->status, born->status);
    return born->execs - heard->execs + !heard->exited;
}

/* How many events are missing of what was written down. There must be none beyond it. */
static uint64_t count_missing(const struct check *check)
{
    size_t heard_count;
    struct born *heard = list_heard(check, &heard_count);
    uint64_t missing = 0;
    size_t at = 0;

    qsort(storm->born, storm->count, sizeof(*storm->born), by_all);
    for (uint32_t i = 0; i < storm->count; i++) {
        const struct born *born = &storm->born[i];

        if (at < heard_count && heard[at].parent == born->parent && heard[at].pid == born->pid)
            missing += missing_of(born, &heard[at++]);
        else
            missing += 2 + born->execs;
    }
    if (at < heard_count)
        errx(1, "pid %u, child of %u, is none that was created", heard[at].pid, heard[at].parent);
    free(heard);
    return missing;
}

/* How many runs of its programs the kernel says that it has skipped, of those loaded after
 * `id`. */
static uint64_t count_skipped(uint32_t id)
{
    uint64_t skipped = 0;

    while (bpf_prog_get_next_id(id, &id) == 0) {
        struct bpf_prog_info info = {0};
        uint32_t size = sizeof(info);
        int fd = bpf_prog_get_fd_by_id(id);

        if (fd < 0)
            continue;
        if (bpf_obj_get_info_by_fd(fd, &info, &size) == 0 && strncmp(info.name, "on_", 3) == 0)
            skipped += info.recursion_misses;
        close(fd);
    }
    return skipped;
}

static uint32_t count_late(const struct check *check)
{
    size_t count;
    const struct life *lives = check_lives(check, &count);
    uint32_t late = 0;

    for (size_t i = 0; i < count; i++)
        late += lives[i].late && is_ours(check, &lives[i]);
    return late;
}

/* How many events may be missing by what was counted. Where the programs themselves skip forks, the
 * kernel counts none for them: of whose exit it skips, the creation is missing, too. */
static uint64_t counted(const struct check *check)
{
#ifdef LATE
    return LATE ? 2 * check_lost(check) : check_lost(check);
#else
    return check_lost(check);
#endif
}

/* What the kernel skipped is noticed when the reader next looks, and counted at the look after
 * that. */
static void expect_all(struct reader *reader, uint32_t newest_before)
{
    int64_t limit = now_ms() + COUNTED_MS;
    uint64_t missing = count_missing(reader->check);
    uint32_t late;

    while (missing > counted(reader->check) && now_ms() < limit) {
        read_some(reader, 500);
        missing = count_missing(reader->check);
    }
    late = count_late(reader->check);
    if (missing > counted(reader->check))
        errx(1, "%llu events are missing, and %llu were counted", (unsigned long long)missing,
             (unsigned long long)check_lost(reader->check));
#ifdef LATE
    if (LATE ? late < storm->wanted / 10 : late > count_skipped(newest_before))
        errx(1, "%u announced late", late);
#endif
    finish_check(reader->check, NULL);
    printf("%u processes, %llu runs skipped by the kernel, %u announced late, %llu events missing, "
           "%llu counted as lost\n",
           storm->count, (unsigned long long)count_skipped(newest_before), late,
           (unsigned long long)missing, (unsigned long long)check_lost(reader->check));
}

int main(void)
{
    struct reader reader = {0};
    uint32_t newest_before = 0;

    skip_without_ranks();
    while (bpf_prog_get_next_id(newest_before, &newest_before) == 0)
        ;
    reader.rc = open_or_skip(NULL);
    reader.check = check_new(attached_ns(reader.rc));
    check_allow_gaps(reader.check, ROLLCALL_LOST_SKIPPED);
    seed = (uint64_t)now_ms() | 1;
    init_storm();
    rage(&reader);
    expect_all(&reader, newest_before);
    check_free(reader.check);
    rollcall_close(reader.rc);
    munmap(storm, storm_size);
    return 0;
}
