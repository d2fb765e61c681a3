/* SPDX-License-Identifier: MIT */
/*
 * Handlers beside the recorder: a program, which dies once with events in hand, a command and a log
 * have each process that is raised and passes; what happens while the service is stopped or dead they get
 * afterwards.
 */
#include "tests/wine/service_tools.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_PID 200000u
#define COUNT     60u
#define DIES_AT   20u /* the line at which the program dies the first time */

static char data[MAX_PATH];  /* the service's directory */
static char place[MAX_PATH]; /* where they write */

static const char *in_place(const char *name)
{
    static char path[2 * MAX_PATH];

    snprintf(path, sizeof(path), "%s\\%s", place, name);
    return path;
}

/* ---- what handlers run: this program ---- */

static void append(const char *name, const char *text)
{
    FILE *file = fopen(in_place(name), "ab");

    if (!file)
        exit(9);
    fputs(text, file);
    fclose(file);
}

/* It has died before if there is a file that says so. */
static void die_once(unsigned line)
{
    FILE *died = fopen(in_place("died"), "rb");

    if (died) {
        fclose(died);
    } else if (line == DIES_AT) {
        append("died", "");
        exit(3);
    }
}

static int be_program(void)
{
    static char line[1 << 16];

    for (unsigned n = 1; fgets(line, sizeof(line), stdin); n++) {
        const char *seq = strstr(line, "\"seq\":");

        die_once(n);
        append("program", line);
        printf("%llu\n", seq ? strtoull(seq + 6, NULL, 10) : 0);
        fflush(stdout);
    }
    return 0;
}

static int be_command(void)
{
    char text[64];

    snprintf(text, sizeof(text), "\"pid\":%s,\n", getenv("ROLLCALL_PID"));
    append("command", text);
    return 0;
}

/* ---- the test ---- */

static void write_handler(const char *name, const char *text)
{
    char path[2 * MAX_PATH];
    FILE *file;

    snprintf(path, sizeof(path), "%s\\handlers.d\\%s.conf", data, name);
    file = fopen(path, "wb");
    if (!file)
        die("%s cannot be written", path);
    fprintf(file, "[handler]\nfilter = type=create\nfrom = oldest\n%s", text);
    fclose(file);
}

static void write_handlers(void)
{
    static char program[MAX_PATH];
    char text[4 * MAX_PATH];

    GetModuleFileNameA(NULL, program, MAX_PATH);
    snprintf(text, sizeof(text), "program = '%s' program '%s'\nwindow = 7\n", program, place);
    write_handler("program", text);
    /* One of each round: a process takes Wine a second. */
    snprintf(text, sizeof(text),
             "filter = pid=%u,%u,%u\ncommand = '%s' command '%s'\nparallel = 1\n", FIRST_PID,
             FIRST_PID + 4 * COUNT, FIRST_PID + 8 * COUNT, program, place);
    write_handler("command", text);
    snprintf(text, sizeof(text), "log = %s\n", in_place("log"));
    write_handler("log", text);
}

static void remove_in(const char *from, const char *const *names)
{
    char path[2 * MAX_PATH];

    for (; *names; names++) {
        snprintf(path, sizeof(path), "%s\\%s", from, *names);
        DeleteFileA(path);
    }
    RemoveDirectoryA(from);
}

/* What the handlers, the test and the service have left. */
static void remove_all(void)
{
    static const char *const written[] = {"program", "command", "log", "died", NULL};
    static const char *const files[] = {"program.conf", "command.conf", "log.conf", NULL};
    static const char *const kept[] = {"handle.lock",   "processes", "program.begin",
                                       "command.begin", "log.begin", NULL};
    static const char *const none[] = {NULL};
    char path[2 * MAX_PATH];

    remove_in(place, written);
    snprintf(path, sizeof(path), "%s\\handlers.d", data);
    remove_in(path, files);
    snprintf(path, sizeof(path), "%s\\handlers", data);
    remove_in(path, kept);
    remove_in(data, none);
}

/* Each pid, in steps of so many, stands there once at least, the first time in its order. */
static void expect_all(const char *name, uint32_t count, uint32_t step)
{
    static char text[1 << 20];
    FILE *file = fopen(in_place(name), "rb");
    const char *at = text;

    if (!file)
        die("there is no '%s'", in_place(name));
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    for (uint32_t i = 0; at && i < count; i += step) {
        char pid[32];

        snprintf(pid, sizeof(pid), "\"pid\":%u,", FIRST_PID + 4 * i);
        at = strstr(at, pid);
        CHECK(at, "'%s' has no %s after those before it", name, pid);
    }
}

static void raise_some(uint32_t first)
{
    for (uint32_t i = first; i < first + COUNT; i++) {
        CHECK(raise_pid(FIRST_PID + 4 * i) == 0, "process %u was refused", i);
        raise_exit(FIRST_PID + 4 * i, 0);
    }
}

static void expect_each(uint32_t count)
{
    static const char *const names[] = {"program", "command", "log"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char consumer[32];

        snprintf(consumer, sizeof(consumer), "handler-%s", names[i]);
        wait_until_read(consumer);
        expect_all(names[i], count, strcmp(names[i], "command") == 0 ? COUNT : 1);
    }
}

static void make_places(void)
{
    const char *build = getenv("ROLLCALL_BUILD");
    const char *all = getenv("ProgramData");
    char path[2 * MAX_PATH];

    if (!build || !all)
        die("ROLLCALL_BUILD is not set: run it with tests/wine/run.sh");
    snprintf(place, sizeof(place), "%s\\tests\\handlers", build);
    snprintf(data, sizeof(data), "%s\\rollcall", all);
    remove_all();
    snprintf(path, sizeof(path), "%s\\handlers.d", data);
    CreateDirectoryA(data, NULL);
    CreateDirectoryA(path, NULL);
    CreateDirectoryA(place, NULL);
}

static int test(void)
{
    DWORD error;

    test_begin("rollcall.sys");
    tools_begin();
    make_places();
    write_handlers();
    error = driver_start();
    CHECK(error == 0, "start: %lu", error);
    recorder_install(tools_journal("handlers"));
    rollcall_do("service start");
    raise_some(0);
    expect_each(COUNT);
    rollcall_do("service stop");
    raise_some(COUNT);
    rollcall_do("service start");
    expect_each(2 * COUNT);
    recorder_kill();
    raise_some(2 * COUNT);
    rollcall_do("service start");
    expect_each(3 * COUNT);
    rollcall_do("service stop");
    remove_all();
    return test_end();
}

int main(int argc, char **argv)
{
    if (argc == 3) {
        snprintf(place, sizeof(place), "%s", argv[2]);
        return strcmp(argv[1], "program") == 0 ? be_program() : be_command();
    }
    return test();
}
