/* SPDX-License-Identifier: MIT */
#include "linux/deny.h"

#include "lib/error.h"
#include "linux/clock.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/filter.h>
#include <linux/magic.h>
#include <linux/membarrier.h>

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Bytes of the ring that an exit takes, its head too. */
#define EXIT_BYTES (sizeof(struct ring_event) + BPF_RINGBUF_HDR_SZ)

/* Exits of those that live take no more than that part of the ring, when the policy begins. */
#define PART_OF_RING 4

/* Further ticks, until a fork is to be seen that was under way when the policy began. */
#define TICKS 1

static _Atomic uint32_t *state_of(struct deny *deny)
{
    return (_Atomic uint32_t *)&deny->state;
}

/* ---- which way ---- */

static const struct {
    const char *name;
    enum bpf_prog_type type;
    enum bpf_attach_type attach;
    const char *function;
} ways[] = {
    [DENY_LSM] = {"LSM programs", BPF_PROG_TYPE_LSM, BPF_LSM_MAC, "bpf_lsm_task_alloc"},
    [DENY_MODIFY] = {"fmod_ret programs", BPF_PROG_TYPE_TRACING, BPF_MODIFY_RETURN,
                     "security_task_alloc"},
};

/* Returns 0, and notes in the map that it was run. A descriptor or -errno. */
static int load_probe(unsigned way, const struct btf *btf, int map)
{
    struct bpf_insn program[] = {
        {.code = BPF_LD | BPF_DW, /* BPF_IMM is 0 */
         .dst_reg = BPF_REG_1,
         .src_reg = BPF_PSEUDO_MAP_VALUE,
         .imm = map},
        {.code = 0},
        {.code = BPF_ST | BPF_W | BPF_MEM, .dst_reg = BPF_REG_1, .imm = 1},
        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
        {.code = BPF_JMP | BPF_EXIT},
    };
    LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = ways[way].attach);
    int function = btf ? btf__find_by_name_kind(btf, ways[way].function, BTF_KIND_FUNC) : -ENOENT;
    int fd;

    if (function < 0)
        return function;
    opts.attach_btf_id = (uint32_t)function;
    fd = bpf_prog_load(ways[way].type, "deny_probe", "GPL", program,
                       sizeof(program) / sizeof(program[0]), &opts);
    return fd < 0 ? -errno : fd;
}

static void *do_nothing(void *context)
{
    return context;
}

/* A kernel that was not booted with LSM programs attaches them, and never runs them. So a thread is
 * made, and whoever is asked about processes is asked about it. */
static int see_it_run(int map)
{
    uint32_t key = 0;
    uint32_t ran = 0;
    pthread_t thread;
    int err = pthread_create(&thread, NULL, do_nothing, NULL);

    if (err)
        return -err;
    pthread_join(thread, NULL);
    if (bpf_map_lookup_elem(map, &key, &ran) < 0)
        return -errno;
    return ran ? 0 : -ENOSYS;
}

static int try_way(unsigned way, const struct btf *btf)
{
    int map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "deny_probe", sizeof(uint32_t), sizeof(uint32_t),
                             1, NULL);
    int program;
    int link;
    int err;

    if (map < 0)
        return -errno;
    err = program = load_probe(way, btf, map);
    if (program < 0)
        goto close_map;
    link = bpf_raw_tracepoint_open(NULL, program);
    if (link < 0) {
        err = -errno;
        goto close_program;
    }
    err = see_it_run(map);
    close(link);
close_program:
    close(program);
close_map:
    close(map);
    return err;
}

static const char *reason(unsigned way, int err)
{
    if (err == -ENOSYS && way == DENY_LSM)
        return "not run: boot with `bpf` in lsm=";
    return strerror(-err);
}

enum deny_way deny_find_way(char *why, size_t size)
{
    struct btf *btf = btf__parse("/sys/kernel/btf/vmlinux", NULL);
    enum deny_way found = DENY_NONE;
    size_t used = 0;

    if (libbpf_get_error(btf))
        btf = NULL;
    why[0] = '\0';
    for (unsigned way = DENY_LSM; way <= DENY_MODIFY && found == DENY_NONE; way++) {
        int err = try_way(way, btf);

        if (err == 0)
            found = (enum deny_way)way;
        else if (used < size)
            used += (size_t)snprintf(why + used, size - used, "%s%s: %s", used ? "; " : "",
                                     ways[way].name, reason(way, err));
    }
    btf__free(btf);
    return found;
}

const char *deny_way_name(unsigned way)
{
    return way == DENY_LSM || way == DENY_MODIFY ? ways[way].name : "";
}

/* ---- what is wanted ---- */

/* The number by which the programs know a cgroup is that of its directory. */
static int find_cgroup(const char *path, uint64_t *id)
{
    struct statfs fs;
    struct stat st;

    if (statfs(path, &fs) < 0 || stat(path, &st) < 0)
        return rollcall_fail(-errno, "the exempt cgroup '%s': %s", path, strerror(errno));
    if (fs.f_type != CGROUP2_SUPER_MAGIC || !S_ISDIR(st.st_mode))
        return rollcall_fail(
            -EINVAL,
            "'%s' is no cgroup: use a directory of the cgroup file system, version "
            "2, like /sys/fs/cgroup/system.slice/ssh.service",
            path);
    *id = st.st_ino;
    return 0;
}

static uint64_t count_processes(void)
{
    DIR *dir = opendir("/proc");
    struct dirent *entry;
    uint64_t count = 0;

    while (dir && (entry = readdir(dir)))
        count += isdigit((unsigned char)entry->d_name[0]) != 0;
    if (dir)
        closedir(dir);
    return count;
}

static int check_room(uint64_t ring_size)
{
    uint64_t processes = count_processes();
    uint64_t enough = 4096;

    while (enough < processes * EXIT_BYTES * PART_OF_RING)
        enough *= 2;
    if (enough <= ring_size)
        return 0;
    return rollcall_fail(
        -ENOSPC,
        "a ring of %llu bytes has no room for the exits of the %llu processes that "
        "live, which the policy `deny` keeps: use one of %llu",
        (unsigned long long)ring_size, (unsigned long long)processes, (unsigned long long)enough);
}

int deny_configure(struct deny *deny, const struct rollcall_options *opts, uint64_t ring_size)
{
    uint64_t cgroup = 0;
    int err = opts->deny_exempt ? find_cgroup(opts->deny_exempt, &cgroup) : 0;

    if (err == 0)
        err = check_room(ring_size);
    if (err < 0)
        return err;
    deny->exempt_cgroup = cgroup;
    deny->grace_ns = opts->deny_grace_ms * 1000000ull;
    if (!deny->state)
        deny->state = DENY_WAITS;
    return 0;
}

/* ---- who reads ---- */

int deny_hold(const struct deny_programs *programs)
{
    LIBBPF_OPTS(bpf_test_run_opts, opts);

    return bpf_prog_test_run_opts(programs->hold, &opts) < 0 ? -errno : 0;
}

uint64_t deny_promised(int promised)
{
    uint32_t key = 0;
    uint64_t bytes = 0;

    return bpf_map_lookup_elem(promised, &key, &bytes) < 0 ? 0 : bytes;
}

void deny_let_go(struct deny *deny)
{
    deny->reader.pid = 0;
    atomic_store((_Atomic uint64_t *)&deny->reader_gone_ns, clock_boot_ns());
}

/* ---- when it holds ---- */

/* The programs let go when they come to refuse somebody, and perhaps nobody has come. */
bool deny_in_force(const struct deny *deny)
{
    uint64_t gone = atomic_load((const _Atomic uint64_t *)&deny->reader_gone_ns);

    return atomic_load((const _Atomic uint32_t *)&deny->state) == DENY_HOLDS &&
           (!gone || clock_boot_ns() <= gone + deny->grace_ns);
}

/* Promises all exits that are not. false: there was no room for some. */
static bool promise_exits(struct deny *deny, const struct deny_programs *programs)
{
    int fd = bpf_iter_create(programs->promise_exits);
    char buffer[64];
    ssize_t n;

    if (fd < 0)
        return false;
    atomic_store((_Atomic uint32_t *)&deny->wanting, 0);
    do
        n = read(fd, buffer, sizeof(buffer));
    while (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)));
    close(fd);
    return n == 0 && atomic_load((_Atomic uint32_t *)&deny->wanting) == 0;
}

/*
 * It is tried before anybody is refused, so that nobody is without need; then it holds, and those are
 * looked for that were admitted meanwhile. Whose fork was admitted before and is still under way is seen
 * by a later tick.
 */
void deny_tick(struct deny *deny, const struct deny_programs *programs)
{
    if (!promise_exits(deny, programs))
        return;
    if (atomic_load(state_of(deny)) == DENY_HOLDS) {
        deny->ticks -= deny->ticks ? 1 : 0;
        return;
    }
    deny->ticks = TICKS;
    atomic_store(state_of(deny), DENY_HOLDS);
    syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
    if (!promise_exits(deny, programs))
        atomic_store(state_of(deny), DENY_WAITS);
}

bool deny_is_due(const struct deny *deny)
{
    return atomic_load((const _Atomic uint32_t *)&deny->state) != DENY_HOLDS || deny->ticks > 0;
}
