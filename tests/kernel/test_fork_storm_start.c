/* SPDX-License-Identifier: MIT */
/*
 * Fifty times a capture begins in the middle of a fork storm, with the processes that are there
 * already: each process that is alive at `synced` was announced once, no process is announced
 * twice, and none has an exec or an exit without announcement.
 */
#include "tests/kernel/scenario.h"

#include <ctype.h>
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROUNDS     50
#define WORKERS    4
#define KEPT       50
#define COUNT_MAX  4000000u
#define NS_PER_S   1000000000ull
#define PF_EXITING 0x4u /* of the flags in /proc/PID/stat: it has begun to end */
#define SEEN_MAX   32768u

/* A process as /proc shows it: its start in ticks of the clock. */
struct seen {
    uint32_t pid;
    uint64_t start_ticks;
};

struct sync {
    uint64_t synced_ns; /* when it was; 0: not yet */
};

static void note_synced(const struct rollcall_event *event, void *context)
{
    struct sync *sync = context;

    if (event->type == ROLLCALL_SYNCED)
        sync->synced_ns = event->mono_ns;
}

/* The number that stands `index` fields behind the state. */
static uint64_t field(const char *text, unsigned index)
{
    while (index-- > 0)
        text += strcspn(text, " ") + 1;
    return strtoull(text, NULL, 10);
}

/* Reads pid's start from /proc. false: it is gone, or has begun to end. */
static bool look_at(uint32_t pid, struct seen *seen)
{
    char path[64];
    char text[1024];
    const char *state;
    size_t size;
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%u/stat", pid);
    file = fopen(path, "re");
    if (!file)
        return false;
    size = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[size] = '\0';
    state = strrchr(text, ')');
    if (!state)
        return false;
    state += strlen(") ");
    *seen = (struct seen){.pid = pid, .start_ticks = field(state, 19)};
    return *state != 'Z' && *state != 'X' && !(field(state, 6) & PF_EXITING);
}

/* A process with more privileges than ours may be hidden from what we run in the kernel. */
static bool is_ours_to_see(uint32_t pid)
{
    char path[64];
    char link[64];

    snprintf(path, sizeof(path), "/proc/%u/ns/pid", pid);
    if (readlink(path, link, sizeof(link)) >= 0 || (errno != EACCES && errno != EPERM))
        return true;
    printf("pid %u is not compared: no permission to look at it\n", pid);
    return false;
}

static size_t list_processes(struct seen *seen)
{
    DIR *directory = opendir("/proc");
    const struct dirent *entry;
    size_t count = 0;

    if (!directory)
        err(1, "/proc");
    while ((entry = readdir(directory)))
        if (isdigit((unsigned char)entry->d_name[0]) && count < SEEN_MAX)
            count += look_at((uint32_t)strtoul(entry->d_name, NULL, 10), &seen[count]);
    closedir(directory);
    return count;
}

static uint64_t ticks(uint64_t ns)
{
    return ns / (NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK));
}

/* How often the process was announced. */
static unsigned announcements(const struct check *check, const struct seen *seen)
{
    unsigned count = 0;
    const struct life *lives;
    size_t life_count;

    lives = check_lives(check, &life_count);
    for (size_t i = 0; i < life_count; i++)
        count += lives[i].pid == seen->pid && ticks(lives[i].start_ns) == seen->start_ticks &&
                 lives[i].announced;
    return count;
}

/* Started before `synced`, alive after it: alive at `synced`. Others are not compared. */
static unsigned compare(const struct check *check, const struct seen *seen, size_t count,
                        uint64_t synced_ns)
{
    unsigned compared = 0;

    for (size_t i = 0; i < count; i++) {
        unsigned times;

        if (seen[i].start_ticks >= ticks(synced_ns))
            continue;
        times = announcements(check, &seen[i]);
        if (times == 0 && !is_ours_to_see(seen[i].pid))
            continue;
        if (times != 1)
            errx(1, "pid %u (start %llu ticks) was announced %u times before `synced` at %llu ns",
                 seen[i].pid, (unsigned long long)seen[i].start_ticks, times,
                 (unsigned long long)synced_ns);
        compared++;
    }
    return compared;
}

static void count_kinds(const struct check *check, unsigned *exists, unsigned *creates)
{
    const struct life *lives;
    size_t count;

    lives = check_lives(check, &count);
    for (size_t i = 0; i < count; i++) {
        *exists += lives[i].announced == ROLLCALL_EXISTS;
        *creates += lives[i].announced == ROLLCALL_CREATE;
    }
}

static void run_round(struct seen *seen)
{
    const struct rollcall_options opts = {.struct_size = sizeof(opts), .flags = ROLLCALL_EXISTING};
    struct sync sync = {0};
    struct reader reader = {
        .rc = open_or_skip(&opts), .check = check_new(0), .each = note_synced, .context = &sync};
    int64_t limit = now_ms() + LIMIT_MS;
    unsigned exists = 0;
    unsigned creates = 0;
    unsigned compared;
    size_t count;

    while (!sync.synced_ns) {
        if (now_ms() > limit)
            errx(1, "`synced` did not come");
        read_some(&reader, 100);
    }
    count = list_processes(seen);
    read_until_exit(&reader, make_marker(), getpid());
    compared = compare(reader.check, seen, count, sync.synced_ns);
    finish_check(reader.check, NULL);
    count_kinds(reader.check, &exists, &creates);
    if (compared < WORKERS * KEPT)
        errx(1, "only %u processes were compared", compared);
    printf("%u exist, %u created, %u compared\n", exists, creates, compared);
    rollcall_close(reader.rc);
    check_free(reader.check);
}

static void wait_for_load(const struct load *load)
{
    int64_t limit = now_ms() + LIMIT_MS;

    while (truth_made(load->truth) < 2 * WORKERS * KEPT) {
        if (now_ms() > limit)
            errx(1, "the load does not begin");
        usleep(1000);
    }
}

int main(void)
{
    const struct load_options opts = {.workers = WORKERS,
                                      .count = COUNT_MAX,
                                      .mix = LOAD_METHODS_ALL,
                                      .program = LOAD_CHILD,
                                      .keep = KEPT};
    struct seen *seen = calloc(SEEN_MAX, sizeof(*seen));
    struct load load = {0};

    rollcall_close(open_or_skip(NULL));
    if (!seen || load_init(&load, &opts, NULL) < 0 || load_start(&load, &opts) < 0)
        errx(1, "load");
    wait_for_load(&load);
    for (int i = 0; i < ROUNDS; i++)
        run_round(seen);
    load_end(&load);
    free(seen);
    return 0;
}
