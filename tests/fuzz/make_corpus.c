/* SPDX-License-Identifier: MIT */
/*
 * make-corpus DIRECTORY: makes the inputs from which the fuzz targets begin, from what the real
 * programs write about processes of its own: their records in the ring become inputs of
 * fuzz_decode, the events that are decoded from these become inputs of fuzz_event. Needs root.
 */
#include "linux/decode.h"
#include "linux/pins.h"
#include "tests/fuzz/decode_input.h"

#include <rollcall/rollcall.h>

#include <err.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define RING_SIZE  (16u << 20)
#define INPUT_MAX  (16u << 10)
#define LONG_SIZE  6000u /* arguments that need a record of their own */
#define PIDS_MAX   16u
#define FILES_EACH 24u

static const char *const kind_names[] = {"none", "event", "texts", "chunk", "mark"};

static char name[64];
static uint32_t pids[PIDS_MAX];
static size_t pid_count;

/* ---- processes ---- */

/* Executes it, waits until that is done, and remembers which process it is. Without a directory it
 * ends instead. */
static pid_t run(char *const argv[], const char *directory)
{
    static char *const environment[] = {NULL};
    int executed[2];
    char byte;
    pid_t pid;

    if (pipe2(executed, O_CLOEXEC) < 0 || (pid = fork()) < 0)
        err(1, "cannot make a process");
    if (pid == 0) {
        if (directory && chdir(directory) == 0)
            execve(argv[0], argv, environment);
        _exit(directory ? 127 : 3);
    }
    if (pid_count == PIDS_MAX)
        errx(1, "more processes than there is room for");
    close(executed[1]);
    if (read(executed[0], &byte, 1) != 0)
        err(1, "read");
    close(executed[0]);
    pids[pid_count++] = (uint32_t)pid;
    return pid;
}

static void run_to_end(char *const argv[], const char *directory)
{
    waitpid(run(argv, directory), NULL, 0);
}

/* Until the processes that were there before are in the ring. */
static void wait_for_existing(struct rollcall *rc)
{
    struct rollcall_batch batch;

    while (rollcall_next(rc, -1, &batch) > 0) {
        const struct rollcall_event *event = NULL;

        while ((event = rollcall_batch_next(&batch, event)))
            if (event->type == ROLLCALL_SYNCED)
                return;
    }
    errx(1, "%s", rollcall_error());
}

static void make_events(void)
{
    static char program[] = "/bin/true";
    static char bytes[] = "\xff\xc0\x80 \n\"\\\xf0\x9f\x98\x80";
    static char empty[] = "";
    static char much[LONG_SIZE];
    char *const none[] = {program, NULL};
    char *const odd[] = {program, empty, bytes, empty, NULL};
    char *const much_of_it[] = {program, much, bytes, NULL};

    memset(much, 'x', sizeof(much) - 1);
    run_to_end(none, NULL);
    run_to_end(none, "/");
    run_to_end(odd, "/usr/bin");
    run_to_end(much_of_it, "/proc/self/fd");
}

static bool is_ours(uint32_t pid)
{
    for (size_t i = 0; i < pid_count; i++)
        if (pids[i] == pid)
            return true;
    return false;
}

/* ---- files ---- */

static void write_file(const char *kind, const char *what, unsigned number, const void *bytes,
                       size_t size)
{
    char path[128];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%s-%u", kind, what, number);
    file = fopen(path, "we");
    if (!file || fwrite(bytes, 1, size, file) != size || fclose(file) != 0)
        err(1, "%s", path);
}

struct input {
    struct decode_input head;
    unsigned char ring[INPUT_MAX];
};

static void write_input(const struct input *input, const char *what, unsigned number)
{
    write_file("decode", what, number, input, sizeof(input->head) + input->head.used);
}

static void add_record(struct input *input, const struct ring_item *item, uint32_t bits)
{
    uint32_t length = item->size | bits;
    size_t space = ROLLCALL_ALIGN((size_t)item->size + BPF_RINGBUF_HDR_SZ);
    unsigned char *to = input->ring + input->head.used;

    if (space > sizeof(input->ring) - input->head.used)
        return;
    memset(to, 0, space);
    memcpy(to, &length, sizeof(length));
    memcpy(to + BPF_RINGBUF_HDR_SZ, item->data, item->size);
    input->head.used += space;
}

static void write_events(const struct input *input)
{
    static unsigned number;
    _Atomic uint64_t produced = input->head.used;
    struct ring ring = {.producer = &produced, .data = input->ring, .size = sizeof(input->ring)};
    struct decoder decoder = {.ring = &ring};
    struct event_buffer out = {0};

    while (decode_next(&decoder, produced, &out) == DECODE_MORE)
        ;
    for (size_t at = 0; at < out.size && number < FILES_EACH; number++) {
        const struct rollcall_event *event = (const void *)(out.data + at);

        write_file("event", rollcall_type_name(event->type), number, event, event->size);
        at += event->size;
    }
    free(out.data);
}

/* ---- from the ring ---- */

/* One record as an input of its own, and the same not ready yet. */
static void write_single(const struct ring_item *item, unsigned number)
{
    struct input input = {0};
    uint32_t kind;

    memcpy(&kind, item->data, sizeof(kind));
    add_record(&input, item, 0);
    if (kind == RING_EVENT || kind == RING_TEXTS)
        write_events(&input);
    write_input(&input, kind_names[kind], number);
}

/* What the losses before a record were is in its head. */
static void write_lossy(const struct ring_item *item)
{
    struct ring_event record;
    struct ring_item lossy = {.data = &record, .size = sizeof(record)};
    struct input input = {.head = {.position = 1u << 20, .seq = 7, .acked_seq = 8}};

    memcpy(&record, item->data, sizeof(record));
    record.head.kind = RING_EVENT;
    for (unsigned reason = 0; reason < ROLLCALL_REASONS; reason++) {
        record.head.lost[reason] = reason + 2;
        add_record(&input, &lossy, 0);
    }
    write_input(&input, "lossy", 0);
    input.head.seq = 0;
    write_events(&input);
}

static bool pick(const struct ring_item *item)
{
    const struct ring_event *record = item->data;
    const struct ring_chunk *chunk = item->data;

    if (record->head.kind == RING_CHUNK)
        return is_ours(chunk->tid);
    return record->head.kind == RING_MARK || is_ours(record->event.pid);
}

static void write_all(const struct ring *ring)
{
    struct input all = {0};
    struct input unfinished = {0};
    uint64_t position = ring_consumed(ring);
    struct ring_item item;
    unsigned number = 0;
    int look;

    while ((look = ring_look(ring, position, ring_produced(ring), &item)) > RING_END) {
        position = item.next;
        if (look != RING_RECORD || !pick(&item) || number == FILES_EACH)
            continue;
        add_record(&all, &item, 0);
        add_record(&unfinished, &item,
                   number % 3 == 1   ? BPF_RINGBUF_BUSY_BIT
                   : number % 3 == 2 ? BPF_RINGBUF_DISCARD_BIT
                                     : 0);
        if (number == 0)
            write_lossy(&item);
        write_single(&item, number++);
    }
    write_input(&all, "all", 0);
    write_input(&unfinished, "unfinished", 0);
}

static void read_ring(void)
{
    struct ring ring;
    int fd = pins_open(name, "ring");

    if (fd < 0 || ring_map(&ring, fd, RING_SIZE) < 0)
        errx(1, "cannot map the ring");
    write_all(&ring);
    ring_unmap(&ring);
    close(fd);
}

int main(int argc, char **argv)
{
    static char program[] = "/bin/sleep";
    static char seconds[] = "60";
    char *const sleeper[] = {program, seconds, NULL};
    const struct rollcall_options opts = {
        .struct_size = sizeof(opts), .name = name, .ring_size = RING_SIZE};
    struct rollcall *rc;
    pid_t existing;

    if (argc != 2 || chdir(argv[1]) < 0)
        err(2, "usage: make-corpus DIRECTORY");
    mkdir("decode", 0777);
    mkdir("event", 0777);
    snprintf(name, sizeof(name), "make-corpus-%d", (int)getpid());
    existing = run(sleeper, "/");
    if (rollcall_open(&opts, &rc) < 0)
        errx(1, "%s", rollcall_error());
    wait_for_existing(rc);
    make_events();
    rollcall_close(rc);
    read_ring();
    kill(existing, SIGKILL);
    waitpid(existing, NULL, 0);
    if (rollcall_detach(name) < 0)
        errx(1, "%s", rollcall_error());
    return 0;
}
