/* SPDX-License-Identifier: MIT */
#include "linux/requirements.h"

#include "linux/deny.h"
#include "linux/exit_hook.h"

#include <rollcall/rollcall.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/capability.h>
#include <linux/magic.h>

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#define BTF            "/sys/kernel/btf/vmlinux"
#define BPFFS          "/sys/fs/bpf"
#define INITIAL_PID_NS 0xeffffffcu
#define MEMORY_WANTED  (256u << 10) /* KiB: the ring, mapped and locked, and the rest */
#define TRY_RING_SIZE  4096

/* ---- the list ---- */

struct checks {
    struct requirement *list;
    size_t count;
    size_t room;
};

/* A requirement that is met until something else is said. */
static struct requirement *add(struct checks *checks, const char *name)
{
    static struct requirement beyond;
    struct requirement *requirement =
        checks->count < checks->room ? &checks->list[checks->count++] : &beyond;

    memset(requirement, 0, sizeof(*requirement));
    requirement->state = REQUIREMENT_MET;
    requirement->name = name;
    return requirement;
}

__attribute__((format(printf, 2, 3))) static void found(struct requirement *requirement,
                                                        const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(requirement->found, sizeof(requirement->found), format, args);
    va_end(args);
}

__attribute__((format(printf, 3, 4))) static void
not_met(struct requirement *requirement, enum requirement_state state, const char *format, ...)
{
    va_list args;

    requirement->state = state;
    va_start(args, format);
    vsnprintf(requirement->remedy, sizeof(requirement->remedy), format, args);
    va_end(args);
}

/* The first line of a file that begins with `prefix`, without it. */
static bool read_line(const char *path, const char *prefix, char *text, size_t size)
{
    FILE *file = fopen(path, "re");
    bool done = false;
    char line[256];

    while (file && !done && fgets(line, sizeof(line), file)) {
        done = strncmp(line, prefix, strlen(prefix)) == 0;
        if (done) {
            line[strcspn(line, "\n")] = '\0';
            snprintf(text, size, "%s", line + strlen(prefix));
        }
    }
    if (file)
        fclose(file);
    return done;
}

/* ---- permission ---- */

static void check_rights(struct checks *checks)
{
    static const struct {
        unsigned bit;
        const char *name;
    } wanted[] = {
        {CAP_BPF, "CAP_BPF"}, {CAP_PERFMON, "CAP_PERFMON"}, {CAP_SYS_RESOURCE, "CAP_SYS_RESOURCE"}};
    struct requirement *requirement = add(checks, "permission");
    char text[64] = "0";
    uint64_t effective;
    char missing[128] = "";

    read_line("/proc/self/status", "CapEff:", text, sizeof(text));
    effective = strtoull(text, NULL, 16);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        size_t used = strlen(missing);

        if (!(effective >> wanted[i].bit & 1) && !(effective >> CAP_SYS_ADMIN & 1))
            snprintf(missing + used, sizeof(missing) - used, " %s", wanted[i].name);
    }
    if (!*missing) {
        found(requirement, "user %u, with the capabilities that are needed", geteuid());
        return;
    }
    found(requirement, "user %u, without%s", geteuid(), missing);
    not_met(requirement, REQUIREMENT_MISSING, "run it as root");
}

static void check_lockdown(struct checks *checks)
{
    struct requirement *requirement = add(checks, "kernel lockdown");
    char modes[64];

    if (!read_line("/sys/kernel/security/lockdown", "", modes, sizeof(modes))) {
        found(requirement, "none that can be seen");
        return;
    }
    found(requirement, "%s", modes);
    if (strstr(modes, "[confidentiality]"))
        not_met(requirement, REQUIREMENT_MISSING,
                "in this mode the kernel lets no program look into it: boot without "
                "lockdown=confidentiality");
}

/* ---- the kernel ---- */

static void check_btf(struct checks *checks, struct btf **btf)
{
    struct requirement *requirement = add(checks, "kernel type information");
    struct utsname name = {0};

    uname(&name);
    *btf = btf__parse(BTF, NULL);
    if (libbpf_get_error(*btf))
        *btf = NULL;
    found(requirement, "Linux %s, %s" BTF, name.release, *btf ? "" : "no readable ");
    if (!*btf)
        not_met(requirement, REQUIREMENT_MISSING,
                "use a kernel that is built with CONFIG_DEBUG_INFO_BTF=y, as those of the "
                "distributions are since 2020");
}

static void check_hooks(struct checks *checks, const struct btf *btf)
{
    static const char *const names[] = {
        "btf_trace_sched_process_fork", "btf_trace_sched_process_exec",
        "btf_trace_sched_process_exit", "btf_trace_sched_process_free"};
    struct requirement *requirement = add(checks, "process tracepoints");

    found(requirement,
          "sched_process_fork, sched_process_exec, sched_process_exit, sched_process_free");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (btf && btf__find_by_name_kind(btf, names[i], BTF_KIND_TYPEDEF) >= 0)
            continue;
        found(requirement, "no %s", names[i] + strlen("btf_trace_"));
        not_met(requirement, REQUIREMENT_MISSING,
                "use a kernel that is built with CONFIG_TRACEPOINTS=y and BTF");
    }
}

/* Whether the kernel's list of BPF helpers has it. */
static bool has_helper(const struct btf *btf, const char *name)
{
    int id = btf__find_by_name_kind(btf, "bpf_func_id", BTF_KIND_ENUM);
    const struct btf_type *type = id < 0 ? NULL : btf__type_by_id(btf, (uint32_t)id);
    const struct btf_enum *values = type ? btf_enum(type) : NULL;

    for (int i = 0; type && i < btf_vlen(type); i++)
        if (strcmp(btf__name_by_offset(btf, values[i].name_off), name) == 0)
            return true;
    return false;
}

static void check_helpers(struct checks *checks, const struct btf *btf)
{
    /* Since 5.8, 5.17, 5.18, 5.19. */
    static const char *const names[] = {"BPF_FUNC_ringbuf_reserve", "BPF_FUNC_loop",
                                        "BPF_FUNC_copy_from_user_task",
                                        "BPF_FUNC_ringbuf_reserve_dynptr"};
    struct requirement *requirement = add(checks, "what the programs call");

    found(requirement, "ring buffer, loops, reading other processes, dynamic pointers");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (btf && has_helper(btf, names[i]))
            continue;
        found(requirement, "no bpf_%s", names[i] + strlen("BPF_FUNC_"));
        not_met(requirement, REQUIREMENT_MISSING, "use Linux 5.19 or later");
    }
}

/* Nothing is missing without it. */
static void check_last_thread(struct checks *checks, const struct btf *btf)
{
    found(add(checks, "the end of a process"), "%s",
          exit_hook_names_last(btf) ? "the kernel says which thread is the last"
                                    : "its threads are counted: the kernel does not say which is "
                                      "the last");
}

static void check_programs(struct checks *checks, bool others_met)
{
    struct requirement *requirement = add(checks, "loading the programs");
    struct rollcall_options opts = {.struct_size = sizeof(opts), .ring_size = TRY_RING_SIZE};
    struct rollcall *rc;

    if (!others_met) {
        found(requirement, "not tried");
        not_met(requirement, REQUIREMENT_MISSING, "first do what is said above");
        return;
    }
    if (rollcall_open(&opts, &rc) == 0) {
        found(requirement, "the kernel takes them (tried, and removed again)");
        rollcall_close(rc);
        return;
    }
    found(requirement, "%.*s", (int)sizeof(requirement->found) - 1, rollcall_error());
    not_met(requirement, REQUIREMENT_MISSING,
            "in a container: give it the capabilities and a seccomp profile that allows bpf(2); "
            "else use a kernel of the distribution");
}

/* Nothing is missing without it, except that policy. */
static void check_deny(struct checks *checks, bool others_met)
{
    struct requirement *requirement = add(checks, "refusing processes");
    enum deny_way way;
    char why[160];

    if (!others_met) {
        found(requirement, "not tried");
        return;
    }
    way = deny_find_way(why, sizeof(why));
    if (way != DENY_NONE) {
        found(requirement, "`--on-full=deny` is possible, by %s", deny_way_name(way));
        return;
    }
    found(requirement, "`--on-full=deny` is not possible (%s)", why);
    not_met(requirement, REQUIREMENT_ADVISED,
            "nothing, unless you want that policy: then boot with lsm= and the list in "
            "/sys/kernel/security/lsm, and in it bpf");
}

static void check_jit(struct checks *checks)
{
    struct requirement *requirement = add(checks, "BPF compiler");
    char text[16];

    if (!read_line("/proc/sys/net/core/bpf_jit_enable", "", text, sizeof(text)) ||
        strcmp(text, "0") != 0) {
        found(requirement, "on");
        return;
    }
    found(requirement, "off: the programs are interpreted, which is slower");
    not_met(requirement, REQUIREMENT_ADVISED, "sysctl net.core.bpf_jit_enable=1");
}

/* ---- the machine ---- */

static void check_bpffs(struct checks *checks)
{
    struct requirement *requirement = add(checks, "BPF file system");
    struct statfs fs;

    if (statfs(BPFFS, &fs) == 0 && fs.f_type == BPF_FS_MAGIC) {
        found(requirement, "mounted on " BPFFS);
        return;
    }
    found(requirement, "not mounted on " BPFFS);
    not_met(requirement, REQUIREMENT_ADVISED,
            "nothing: `rollcall record` mounts it; or do it yourself: mount -t bpf bpf " BPFFS);
}

static void check_memory(struct checks *checks)
{
    struct requirement *requirement = add(checks, "memory");
    char text[64] = "";
    unsigned long long kib;

    read_line("/proc/meminfo", "MemAvailable:", text, sizeof(text));
    kib = strtoull(text, NULL, 10);
    found(requirement, "%llu MiB available; the ring takes 64 MiB unless you say otherwise",
          kib >> 10);
    if (kib < MEMORY_WANTED)
        not_met(requirement, REQUIREMENT_ADVISED, "use a smaller ring: --ring-size 16M");
}

static void check_pid_namespace(struct checks *checks)
{
    struct requirement *requirement = add(checks, "pid namespace");
    struct stat st = {0};

    if (stat("/proc/self/ns/pid", &st) < 0 || st.st_ino == INITIAL_PID_NS) {
        found(requirement, "the initial one");
        return;
    }
    found(requirement, "not the initial one");
    not_met(requirement, REQUIREMENT_ADVISED,
            "every new process is seen, but of those that are there already only the ones of this "
            "namespace: run it on the host, or in a container with --pid=host");
}

/* Without these it runs. */
static void check_limits(struct checks *checks, bool others_met)
{
    check_deny(checks, others_met);
    check_jit(checks);
    check_bpffs(checks);
    check_memory(checks);
    check_pid_namespace(checks);
}

size_t requirements_limits(struct requirement *list, size_t room)
{
    struct checks checks = {.list = list, .room = room};
    size_t count = 0;

    check_limits(&checks, true);
    for (size_t i = 0; i < checks.count; i++)
        if (list[i].state != REQUIREMENT_MET)
            list[count++] = list[i];
    return count;
}

size_t requirements_check(struct requirement *list, size_t room)
{
    struct checks checks = {.list = list, .room = room};
    struct btf *btf = NULL;
    bool met = true;

    check_rights(&checks);
    check_lockdown(&checks);
    check_btf(&checks, &btf);
    check_hooks(&checks, btf);
    check_helpers(&checks, btf);
    check_last_thread(&checks, btf);
    for (size_t i = 0; i < checks.count; i++)
        met = met && list[i].state != REQUIREMENT_MISSING;
    check_programs(&checks, met);
    check_limits(&checks, met);
    btf__free(btf);
    return checks.count;
}
