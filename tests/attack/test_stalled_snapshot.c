/* SPDX-License-Identifier: MIT */
/*
 * A process whose arguments are a page of a file system that its user runs (FUSE), and that never gives
 * it: who reads them waits for ever. Root mounts it here, for the attacker; where users may mount such
 * a thing they need nobody for it.
 */
#include "tests/attack/attacker.h"
#include "tests/kernel/scenario.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define TELLING_MS 20000 /* longer than it takes to tell of all processes */
#define FILE_SIZE  65536

static char file[96]; /* the file system: it is this one file */
static char *own_arguments;

/* ---- the file system ---- */

struct request {
    struct fuse_in_header head;
    char body[FILE_SIZE + FUSE_MIN_READ_BUFFER];
};

static void answer(int fd, const struct request *request, int error, const void *body, size_t size)
{
    struct {
        struct fuse_out_header head;
        char body[256];
    } out = {.head = {.unique = request->head.unique, .error = error}};

    out.head.len = (uint32_t)(sizeof(out.head) + size);
    memcpy(out.body, body, size);
    need(write(fd, &out, out.head.len) == (ssize_t)out.head.len);
}

static void answer_attributes(int fd, const struct request *request)
{
    struct fuse_attr_out out = {
        .attr_valid = 3600,
        .attr = {.ino = 1,
                 .size = FILE_SIZE,
                 .mode = S_IFREG | 0644,
                 .nlink = 1,
                 .uid = ATTACKER,
                 .gid = ATTACKER},
    };

    answer(fd, request, 0, &out, sizeof(out));
}

/* Answers all but what the file contains. */
_Noreturn static void serve(int fd)
{
    static struct request request;
    struct fuse_init_out init = {.major = FUSE_KERNEL_VERSION, .minor = 31, .max_write = 4096};
    struct fuse_open_out opened = {.fh = 1};

    for (;;) {
        need(read(fd, &request, sizeof(request)) > 0);
        switch (request.head.opcode) {
        case FUSE_INIT:
            answer(fd, &request, 0, &init, sizeof(init));
            break;
        case FUSE_GETATTR:
            answer_attributes(fd, &request);
            break;
        case FUSE_OPEN:
            answer(fd, &request, 0, &opened, sizeof(opened));
            break;
        case FUSE_READ:
            shared->number++;
            break;
        default:
            answer(fd, &request, -ENOSYS, "", 0);
        }
    }
}

static int fuse_fd;

static void be_file_system(void)
{
    become_attacker();
    serve(fuse_fd);
}

/* Returns who serves it. */
static pid_t mount_file(void)
{
    char options[96];
    pid_t pid;

    snprintf(file, sizeof(file), "%s/file", attack_directory());
    close(open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    fuse_fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    snprintf(options, sizeof(options), "fd=%d,rootmode=%o,user_id=%u,group_id=%u", fuse_fd,
             S_IFREG | 0644, ATTACKER, ATTACKER);
    if (fuse_fd < 0 || mount("rollcall-test", file, "fuse", MS_NOSUID | MS_NODEV, options) < 0) {
        printf("skipped: no file system by a user (FUSE) can be mounted: %s\n", strerror(errno));
        exit(SKIPPED);
    }
    pid = start_child(be_file_system);
    close(fuse_fd);
    return pid;
}

/* ---- the attack ---- */

/* A page of the file in the place of its arguments. */
static void hide_arguments(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *begin = (void *)((uintptr_t)own_arguments & ~(page - 1));
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    struct stat st;

    /* The kernel asks for its size only then. */
    need(fd >= 0 && fstat(fd, &st) == 0 && st.st_size == FILE_SIZE);
    need(mmap(begin, page, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0) == begin);
    shared->ready = 1;
    for (;;)
        pause();
}

/* ---- who reads ---- */

static uint32_t hidden;

static void take(const struct rollcall_event *event, void *context)
{
    bool *told = context;
    struct rollcall_string text;

    if (event->type == ROLLCALL_SYNCED)
        _exit(*told ? 0 : 1);
    if (event->type != ROLLCALL_EXISTS || event->pid != hidden)
        return;
    need(rollcall_event_text(event, ROLLCALL_ARGS, &text) && text.size > 1);
    need(text.flags & ROLLCALL_TEXT_UNREADABLE && text.size == text.full_size);
    /* And nothing that was read of another process. */
    for (size_t i = 0; i < text.size; i++)
        need(text.data[i] == '\0');
    *told = true;
}

static void begin_to_read(void)
{
    const struct rollcall_options opts = {.struct_size = sizeof(opts), .flags = ROLLCALL_EXISTING};
    bool told = false;
    struct reader reader = {.rc = open_or_skip(&opts), .each = take, .context = &told};

    for (;;)
        read_some(&reader, 100);
}

static bool ends_in_time(pid_t pid, int *status)
{
    int64_t limit = now_ms() + TELLING_MS;

    while (now_ms() < limit) {
        if (waitpid(pid, status, WNOHANG) == pid)
            return true;
        usleep(10000);
    }
    return false;
}

static void test_arguments_that_never_come(void **state)
{
    int64_t limit = now_ms() + LIMIT_MS;
    pid_t server = mount_file();
    pid_t attacker = start_attack(hide_arguments);
    pid_t reader;
    int status = 0;
    bool ended;

    (void)state;
    while (!shared->ready)
        assert_true(now_ms() < limit && waitpid(attacker, NULL, WNOHANG) == 0);
    hidden = (uint32_t)attacker;
    reader = start_child(begin_to_read);
    ended = ends_in_time(reader, &status);
    /* Without the server nobody waits any more. */
    kill(server, SIGKILL);
    wait_for(server);
    kill(attacker, SIGKILL);
    wait_for(attacker);
    umount2(file, MNT_DETACH);
    if (!ended) {
        kill(reader, SIGKILL);
        wait_for(reader);
    }
    assert_true(ended);
    assert_int_equal(status, 0);
    assert_int_equal(shared->number, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_arguments_that_never_come, attack_begin),
    };

    own_arguments = argc > 0 ? argv[0] : NULL;
    return cmocka_run_group_tests(tests, attack_open, attack_close);
}
