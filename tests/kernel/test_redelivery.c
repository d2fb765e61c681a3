/* SPDX-License-Identifier: MIT */
/*
 * The reader of a durable consumer is killed fifty times at random moments during a load. Each
 * one writes what it got to a file before it acknowledges. What comes again is the same bytes
 * with the same (epoch, seq); all files together have everything, with no hole.
 */
#include "tests/kernel/part.h"
#include "tests/kernel/scenario.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define KILLS     50
#define COUNT_MAX 1000000u
#define SEQ_MAX   (16u << 20)
#define KILL_MS   80 /* a reader lives at most so long */

/* Before the records of each batch in the files. */
struct head {
    uint64_t epoch;
    uint64_t size;
};

/* What all files say: for each seq where its record is. */
struct delivered {
    const struct rollcall_event **events;
    uint64_t last_seq;
    uint64_t epoch;
    uint64_t again;
};

static char name[ROLLCALL_NAME_MAX];
static char directory[] = "/tmp/rollcall-redelivery-XXXXXX";
static pid_t main_pid;

static void path_of(char *path, size_t size, int number)
{
    snprintf(path, size, "%s/%d", directory, number);
}

/* Runs at every end of the main process, also after a failure. */
static void clean_up(void)
{
    char path[64];

    if (getpid() != main_pid)
        return;
    for (int i = 0; i <= KILLS; i++) {
        path_of(path, sizeof(path), i);
        unlink(path);
    }
    rmdir(directory);
    rollcall_detach(name);
}

/* ---- a reader ---- */

static void write_all(int fd, const void *data, size_t size)
{
    const char *rest = data;

    while (size > 0) {
        ssize_t n = write(fd, rest, size);

        if (n < 0)
            err(1, "write");
        rest += n;
        size -= (size_t)n;
    }
}

static bool has_exit_of(const struct rollcall_batch *batch, pid_t pid, pid_t parent)
{
    const struct rollcall_event *event = NULL;

    while ((event = rollcall_batch_next(batch, event)))
        if (event->type == ROLLCALL_EXIT && event->pid == (uint32_t)pid &&
            event->ppid == (uint32_t)parent)
            return true;
    return false;
}

/* Writes and acknowledges, now all of a batch and now a part, until it is killed or the exit of
 * `last` has come. */
_Noreturn static void be_reader(int number, pid_t last)
{
    const struct rollcall_options opts = {
        .struct_size = sizeof(opts), .name = name, .flags = ROLLCALL_CONTINUE};
    struct rollcall_batch batch;
    struct rollcall *rc = NULL;
    bool done = false;
    char path[64];
    int fd;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    path_of(path, sizeof(path), number);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || rollcall_open(&opts, &rc) < 0)
        errx(1, "reader %d: %s", number, rollcall_error());
    for (unsigned i = 0; !done; i++) {
        struct head head;

        if (rollcall_next(rc, -1, &batch) < 0)
            errx(1, "next: %s", rollcall_error());
        head = (struct head){.epoch = batch.epoch, .size = batch.size};
        write_all(fd, &head, sizeof(head));
        write_all(fd, batch.first, batch.size);
        done = last && has_exit_of(&batch, last, getppid());
        if (rollcall_ack(rc, i % 2 ? batch.last_seq
                                   : batch.first_seq + (batch.last_seq - batch.first_seq) / 2) < 0)
            errx(1, "ack: %s", rollcall_error());
    }
    rollcall_close(rc);
    _exit(0);
}

static pid_t start_reader(int number, pid_t last)
{
    pid_t pid = fork();

    if (pid < 0)
        err(1, "fork");
    if (pid == 0)
        be_reader(number, last);
    return pid;
}

static void kill_readers(void)
{
    int kills = (int)part_of(KILLS);

    for (int i = 0; i < kills; i++) {
        pid_t reader = start_reader(i, 0);
        struct timespec ts = {.tv_nsec = random() % (KILL_MS * 1000000L)};
        int status;

        nanosleep(&ts, NULL);
        kill(reader, SIGKILL);
        status = wait_for(reader);
        if (status != SIGKILL)
            errx(1, "reader %d ended by itself, status 0x%x", i, status);
    }
}

/* ---- what they have written ---- */

/* The same record again has the same bytes. */
static void take_event(struct delivered *delivered, const struct rollcall_event *event)
{
    const struct rollcall_event *before;

    if (event->seq == 0 || event->seq >= SEQ_MAX)
        errx(1, "seq %llu", (unsigned long long)event->seq);
    before = delivered->events[event->seq];
    if (before) {
        delivered->again++;
        if (before->size != event->size || memcmp(before, event, event->size) != 0)
            errx(1, "seq %llu has other bytes when it comes again", (unsigned long long)event->seq);
    }
    delivered->events[event->seq] = event;
    if (event->seq > delivered->last_seq)
        delivered->last_seq = event->seq;
}

static void take_batch(struct delivered *delivered, const struct head *head)
{
    const char *data = (const char *)(head + 1);
    size_t left = head->size;

    if (delivered->epoch && head->epoch != delivered->epoch)
        errx(1, "the epoch has changed");
    delivered->epoch = head->epoch;
    while (left > 0) {
        const void *at = data;

        if (!rollcall_event_valid(at, left))
            errx(1, "a record in a file is not well-formed");
        take_event(delivered, at);
        data += ((const struct rollcall_event *)at)->size;
        left -= ((const struct rollcall_event *)at)->size;
    }
}

/* The file stays mapped: the events point into it. Its last batch may not be whole: then the
 * reader was killed before it had acknowledged it. */
static void take_file(struct delivered *delivered, int number)
{
    struct stat st;
    char path[64];
    char *data;
    size_t at = 0;
    int fd;

    path_of(path, sizeof(path), number);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return;
    if (fd < 0 || fstat(fd, &st) < 0)
        err(1, "%s", path);
    if (st.st_size == 0)
        goto out;
    data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED)
        err(1, "%s", path);
    while ((size_t)st.st_size - at >= sizeof(struct head)) {
        const void *head = data + at;
        size_t size = sizeof(struct head) + ((const struct head *)head)->size;

        if ((size_t)st.st_size - at < size)
            break;
        take_batch(delivered, head);
        at += size;
    }
out:
    close(fd);
}

static void check_files(const struct truth *truth)
{
    struct delivered delivered = {.events = calloc(SEQ_MAX, sizeof(void *))};
    struct check *check = check_new(0);

    if (!delivered.events)
        err(1, "no memory");
    for (int i = 0; i <= KILLS; i++)
        take_file(&delivered, i);
    for (uint64_t seq = 1; seq <= delivered.last_seq; seq++)
        if (delivered.events[seq])
            check_event(check, delivered.epoch, delivered.events[seq]);
    finish_check(check, truth);
    printf("%llu events, %llu came again, %u processes of the load\n",
           (unsigned long long)delivered.last_seq, (unsigned long long)delivered.again,
           truth_made(truth));
    check_free(check);
    free(delivered.events);
}

int main(void)
{
    const struct load_options load_opts = {
        .workers = 2, .count = COUNT_MAX, .mix = LOAD_METHODS_ALL, .program = LOAD_CHILD};
    const struct rollcall_options opts = {.struct_size = sizeof(opts), .name = name};
    struct load load = {0};
    pid_t reader;

    snprintf(name, sizeof(name), "test-redelivery-%d", getpid());
    rollcall_close(open_or_skip(&opts));
    main_pid = getpid();
    if (!mkdtemp(directory))
        err(1, "%s", directory);
    atexit(clean_up);
    srandom((unsigned)now_ms());
    if (load_init(&load, &load_opts, NULL) < 0 || load_start(&load, &load_opts) < 0)
        errx(1, "load");
    kill_readers();
    load.truth->stop = 1;
    if (load_wait(&load) < 0)
        errx(1, "the load failed");
    reader = start_reader(KILLS, make_marker());
    if (wait_for(reader) != 0)
        errx(1, "the last reader failed");
    check_files(load.truth);
    load_end(&load);
    return 0;
}
