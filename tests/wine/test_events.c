/* SPDX-License-Identifier: MIT */
/* Each field of each event: what the kernel gave, whole; and what it did not give is absent. */
#include "tests/wine/lib/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND      10000000ll           /* of a FILETIME */
#define UNIX_EPOCH  116444736000000000ll /* 1970 in it */
#define IMAGE       L"\\Device\\HarddiskVolume1\\dir\\one.exe"
#define IMAGE_UTF8  "\\Device\\HarddiskVolume1\\dir\\one.exe"
#define USER        "S-1-5-21-1-2-3-1001"
#define RANDOM_ONES 200

static struct stream stream;
static bool with_keys = true; /* the system has PsGetProcessStartKey() */

/* ---- what is expected ---- */

static int64_t filetime_now(void)
{
    FILETIME now;

    GetSystemTimeAsFileTime(&now);
    return (int64_t)now.dwHighDateTime << 32 | now.dwLowDateTime;
}

static uint64_t start_of(int64_t create_time)
{
    int64_t ns = (create_time - UNIX_EPOCH) * 100 - stream.attached.wall_offset_ns;

    return ns > 0 ? (uint64_t)ns : 0;
}

static struct rollcall_event expected_create(const struct process *process, const char *comm)
{
    struct rollcall_event event = {.version = ROLLCALL_EVENT_VERSION,
                                   .type = ROLLCALL_CREATE,
                                   .present = ROLLCALL_HAS_PARENT | ROLLCALL_HAS_CREATOR |
                                              ROLLCALL_HAS_SESSION,
                                   .start_ns = start_of(process->create_time),
                                   .pid = process->pid,
                                   .ppid = process->ppid,
                                   .creator_pid = process->creator_pid,
                                   .creator_tid = process->creator_tid,
                                   .session = process->session};

    if (with_keys) {
        event.present |= ROLLCALL_HAS_START_KEY;
        event.start_key = runtime_start_key(process->pid);
        CHECK(event.start_key != 0, "the test's own process");
    }
    snprintf(event.comm, sizeof(event.comm), "%s", comm);
    return event;
}

static struct rollcall_event expected_exit(const struct rollcall_event *create, uint32_t status)
{
    struct rollcall_event event = *create;

    event.type = ROLLCALL_EXIT;
    event.flags = ROLLCALL_NTSTATUS;
    event.present ^= ROLLCALL_HAS_CREATOR | ROLLCALL_HAS_STATUS;
    event.creator_pid = 0;
    event.creator_tid = 0;
    event.parent_start_ns = 0;
    event.status = status;
    return event;
}

#define SAME(field)                                                                                \
    CHECK(event->field == expected->field, "process %u, event %u, " #field ": %llx, not %llx",     \
          event->pid, event->type, (unsigned long long)event->field,                               \
          (unsigned long long)expected->field)

/* All but the number, the time and the size. */
static void expect_base(const struct rollcall_event *event, const struct rollcall_event *expected)
{
    SAME(version);
    SAME(type);
    SAME(flags);
    SAME(present);
    SAME(start_ns);
    SAME(pid);
    SAME(ppid);
    SAME(parent_start_ns);
    SAME(creator_pid);
    SAME(creator_tid);
    SAME(uid);
    SAME(gid);
    SAME(session);
    SAME(tty);
    SAME(ns_pid);
    SAME(pid_ns);
    SAME(start_key);
    SAME(status);
    SAME(reason);
    SAME(lost);
    CHECK(memcmp(event->comm, expected->comm, sizeof(event->comm)) == 0, "process %u: %.16s",
          event->pid, event->comm);
}

/* data: NULL if it must be absent. */
static void expect_text(const struct rollcall_event *event, enum rollcall_text_field field,
                        const char *data, size_t size, unsigned flags)
{
    struct rollcall_string text;
    bool there = rollcall_event_text(event, field, &text);

    CHECK(there == (data != NULL), "process %u, string %u: %d", event->pid, field, there);
    if (!there || data == NULL)
        return;
    CHECK(text.size == size && text.full_size == size && memcmp(text.data, data, size) == 0,
          "process %u, string %u: %zu bytes of %llu, not %zu", event->pid, field, text.size,
          (unsigned long long)text.full_size, size);
    CHECK(text.flags == flags, "process %u, string %u: flags %x, not %x", event->pid, field,
          text.flags, flags);
}

static void expect_string(const struct rollcall_event *event, enum rollcall_text_field field,
                          const char *string)
{
    expect_text(event, field, string, string != NULL ? strlen(string) : 0, 0);
}

/* By the rule: a pair is one character of four bytes, half a pair three bytes like any other. */
static size_t wtf8(const wchar_t *units, size_t count, char *out)
{
    size_t size = 0, i;

    for (i = 0; i < count; i++) {
        uint32_t c = units[i];

        if (c >= 0xd800 && c < 0xdc00 && i + 1 < count && units[i + 1] >= 0xdc00 &&
            units[i + 1] < 0xe000)
            c = 0x10000 + ((c - 0xd800) << 10) + (units[++i] - 0xdc00u);
        if (c < 0x80) {
            out[size++] = (char)c;
        } else if (c < 0x800) {
            out[size++] = (char)(0xc0 | c >> 6);
            out[size++] = (char)(0x80 | (c & 0x3f));
        } else if (c < 0x10000) {
            out[size++] = (char)(0xe0 | c >> 12);
            out[size++] = (char)(0x80 | (c >> 6 & 0x3f));
            out[size++] = (char)(0x80 | (c & 0x3f));
        } else {
            out[size++] = (char)(0xf0 | c >> 18);
            out[size++] = (char)(0x80 | (c >> 12 & 0x3f));
            out[size++] = (char)(0x80 | (c >> 6 & 0x3f));
            out[size++] = (char)(0x80 | (c & 0x3f));
        }
    }
    return size;
}

/* ---- raising ---- */

/* The one event that there is now. */
static const struct rollcall_event *only_event(enum rollcall_type type)
{
    const struct rollcall_event *event;

    stream_forget(&stream);
    stream_read(&stream);
    event = stream_next(&stream, NULL);
    if (stream.count != 1 || event->type != type)
        die("%zu events, the first of type %u, not one of type %u", stream.count,
            event != NULL ? event->type : 0u, type);
    return event;
}

static const struct rollcall_event *created(const struct process *process)
{
    uint32_t status = raise_create(process);

    CHECK(status == 0, "process %u is refused: %x", process->pid, status);
    return only_event(ROLLCALL_CREATE);
}

static struct process ordinary(uint32_t pid)
{
    return (struct process){.pid = pid,
                            .ppid = 4,
                            .creator_pid = 44,
                            .creator_tid = 48,
                            .session = 1,
                            .create_time = filetime_now(),
                            .image = IMAGE,
                            .command = L"one.exe"};
}

static void check_time(const struct rollcall_event *event)
{
    int64_t wall_ns = (int64_t)event->mono_ns + stream.attached.wall_offset_ns;
    int64_t now_ns = (filetime_now() - UNIX_EPOCH) * 100;

    CHECK(llabs(wall_ns - now_ns) < 5000000000ll, "%lld ns from now",
          (long long)(wall_ns - now_ns));
}

/* ---- the fields ---- */

static void create_and_exit(void)
{
    struct process process = {.pid = 1000,
                              .ppid = 4,
                              .creator_pid = 1234,
                              .creator_tid = 5678,
                              .session = 3,
                              .create_time = filetime_now() - SECOND,
                              .sub_authority = 4294967295u,
                              .image = L"\\Device\\HarddiskVolume1\\a-rather-long-name.exe",
                              .command = L"\"C:\\a-rather-long-name.exe\" one two"};
    const struct rollcall_event *event = created(&process);
    struct rollcall_event expected = expected_create(&process, "a-rather-long-n");
    uint64_t create_ns = event->mono_ns;

    expected.parent_start_ns = event->parent_start_ns; /* System's */
    CHECK(expected.parent_start_ns != 0, "System is there");
    expect_base(event, &expected);
    check_time(event);
    expect_string(event, ROLLCALL_EXE, "\\Device\\HarddiskVolume1\\a-rather-long-name.exe");
    expect_string(event, ROLLCALL_COMMAND, "\"C:\\a-rather-long-name.exe\" one two");
    expect_string(event, ROLLCALL_USER, "S-1-5-21-1-2-3-4294967295");
    expect_string(event, ROLLCALL_ARGS, NULL);
    expect_string(event, ROLLCALL_CWD, NULL);

    raise_exit(1000, 0xc0000005u);
    event = only_event(ROLLCALL_EXIT);
    expected = expected_exit(&expected, 0xc0000005u);
    expect_base(event, &expected);
    check_time(event);
    CHECK(event->mono_ns >= create_ns, "before its creation");
    expect_string(event, ROLLCALL_USER, "S-1-5-21-1-2-3-4294967295");
    expect_string(event, ROLLCALL_EXE, NULL);
    expect_string(event, ROLLCALL_COMMAND, NULL);
}

/* The driver's clock is precise: events of one thread do not share a time, or the lab and the bench
 * could not say how late they come. */
static void times_differ(void)
{
    const struct rollcall_event *event = NULL;
    uint64_t last_ns = 0;

    stream_forget(&stream);
    raise_bulk(1000, 100, CONTROL_CREATE_EACH | CONTROL_EXIT_EACH, 0);
    CHECK(stream_read(&stream) == 200, "all of them");
    while ((event = stream_next(&stream, event)) != NULL) {
        CHECK(event->mono_ns > last_ns, "%llu is not after %llu",
              (unsigned long long)event->mono_ns, (unsigned long long)last_ns);
        last_ns = event->mono_ns;
    }
    stream_forget(&stream);
}

static void statuses(void)
{
    static const uint32_t all[] = {0, 1, 259, 0x7fffffff, 0x80000000, 0xffffffff};
    size_t i;

    for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        struct process process = ordinary(1000);
        const struct rollcall_event *event = created(&process);
        struct rollcall_event expected = expected_create(&process, "one.exe");

        expected.parent_start_ns = event->parent_start_ns;
        expect_base(event, &expected);
        raise_exit(1000, all[i]);
        expected = expected_exit(&expected, all[i]);
        expect_base(only_event(ROLLCALL_EXIT), &expected);
    }
}

static void absent_fields(void)
{
    struct process process = ordinary(1004);
    const struct rollcall_event *event;
    struct rollcall_event expected;

    process.ppid = 777776; /* nobody */
    process.image = NULL;
    process.command = NULL;
    process.flags = CONTROL_NO_USER;
    event = created(&process);
    expected = expected_create(&process, "");
    expect_base(event, &expected);
    CHECK(event->size == sizeof(*event), "%u bytes", event->size);
    raise_exit(1004, 1);
    event = only_event(ROLLCALL_EXIT);
    expected = expected_exit(&expected, 1);
    expect_base(event, &expected);
    CHECK(event->size == sizeof(*event), "%u bytes", event->size);
}

static void empty_is_not_absent(void)
{
    struct process process = ordinary(1008);
    const struct rollcall_event *event;

    process.image = L"";
    process.command = L"";
    event = created(&process);
    expect_string(event, ROLLCALL_EXE, "");
    expect_string(event, ROLLCALL_COMMAND, "");
    raise_exit(1008, 0);
    only_event(ROLLCALL_EXIT);
}

static void inexact_image(void)
{
    struct process process = ordinary(1012);

    process.flags = CONTROL_INEXACT_IMAGE;
    expect_text(created(&process), ROLLCALL_EXE, IMAGE_UTF8, strlen(IMAGE_UTF8),
                ROLLCALL_TEXT_INEXACT);
    raise_exit(1012, 0);
    only_event(ROLLCALL_EXIT);
}

/* Created before the system's clock began, as far as the wall clock says. */
static void from_before_the_clock(void)
{
    struct process process = ordinary(1016);
    const struct rollcall_event *event;

    process.create_time = UNIX_EPOCH + SECOND;
    event = created(&process);
    CHECK(event->start_ns == 0, "%llu", (unsigned long long)event->start_ns);
    raise_exit(1016, 0);
    CHECK(only_event(ROLLCALL_EXIT)->start_ns == 0, "its exit");
}

/* ---- who it is ---- */

static void pid_reuse(void)
{
    struct process process = ordinary(1020);
    uint64_t keys[2], starts[2];
    int i;

    for (i = 0; i < 2; i++) {
        const struct rollcall_event *event = created(&process);

        keys[i] = event->start_key;
        starts[i] = event->start_ns;
        raise_exit(1020, 0);
        event = only_event(ROLLCALL_EXIT);
        CHECK(event->start_key == keys[i] && event->start_ns == starts[i], "exit %d", i);
        process.create_time += 1; /* 100 ns */
    }
    CHECK(starts[1] == starts[0] + 100, "%llu", (unsigned long long)(starts[1] - starts[0]));
    CHECK(!with_keys || keys[0] != keys[1], "%llx", (unsigned long long)keys[0]);
}

/* Who has the parent's pid now is the parent only if it is the older one. */
static void parents(void)
{
    struct process parent = ordinary(1100), child = ordinary(1104);
    uint64_t parent_start = created(&parent)->start_ns;

    child.ppid = 1100;
    child.create_time = parent.create_time + 10 * SECOND;
    CHECK(created(&child)->parent_start_ns == parent_start, "the parent is there");
    raise_exit(1104, 0);
    raise_exit(1100, 0);
    stream_read(&stream);
    CHECK(created(&child)->parent_start_ns == 0, "the parent is gone");
    CHECK(stream_next(&stream, NULL)->ppid == 1100, "but has a number");
    raise_exit(1104, 0);
    only_event(ROLLCALL_EXIT);

    parent.create_time = child.create_time + 1;
    created(&parent);
    CHECK(created(&child)->parent_start_ns == 0, "somebody younger has the parent's pid");
    raise_exit(1104, 0);
    raise_exit(1100, 0);
    stream_read(&stream);
}

static void creator_is_not_parent(void)
{
    struct process parent = ordinary(1200), creator = ordinary(1204), child = ordinary(1208);
    const struct rollcall_event *event;
    uint64_t parent_start;

    creator.create_time -= SECOND;
    created(&creator);
    parent_start = created(&parent)->start_ns;
    child.ppid = 1200;
    child.creator_pid = 1204;
    child.creator_tid = 99999;
    event = created(&child);
    CHECK(event->ppid == 1200 && event->parent_start_ns == parent_start, "%u", event->ppid);
    CHECK(event->creator_pid == 1204 && event->creator_tid == 99999, "%u", event->creator_pid);
    raise_exit(1208, 0);
    raise_exit(1204, 0);
    raise_exit(1200, 0);
    stream_read(&stream);
}

/* ---- texts ---- */

static void expect_texts(const wchar_t *image, size_t image_length, const wchar_t *command,
                         size_t command_length)
{
    static char exe[3 * CONTROL_TEXT_MAX], line[3 * CONTROL_TEXT_MAX];
    struct process process = ordinary(1300);
    const struct rollcall_event *event;

    process.image = image;
    process.image_length = image_length;
    process.command = command;
    process.command_length = command_length;
    event = created(&process);
    expect_text(event, ROLLCALL_EXE, exe, wtf8(image, image_length, exe), 0);
    expect_text(event, ROLLCALL_COMMAND, line, wtf8(command, command_length, line), 0);
    expect_string(event, ROLLCALL_USER, USER);
    raise_exit(1300, 0);
    only_event(ROLLCALL_EXIT);
}

static void fill(wchar_t *text, size_t length, wchar_t character)
{
    size_t i;

    for (i = 0; i < length; i++)
        text[i] = character;
}

static void largest_texts(void)
{
    static const size_t lengths[] = {1, 2, 3, 7, 8, 9, 32739, 32740, 32741, 32758, 32766, 32767};
    static const wchar_t characters[] = {L'x', 0xe4, 0x20ac, 0xd800};
    static wchar_t text[CONTROL_TEXT_MAX];
    size_t i, k;

    for (k = 0; k < sizeof(characters) / sizeof(characters[0]); k++) {
        fill(text, CONTROL_TEXT_MAX, characters[k]);
        for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
            expect_texts(IMAGE, wcslen(IMAGE), text, lengths[i]);
            expect_texts(text, lengths[i], L"one.exe", 7);
        }
        expect_texts(text, CONTROL_TEXT_MAX, text, CONTROL_TEXT_MAX);
    }
}

static void surrogates(void)
{
    static const struct {
        wchar_t text[6];
        size_t length;
    } all[] = {{{0xd83d, 0xde00}, 2},                 /* a pair */
               {{0xd83d}, 1},                         /* its first half, at the end */
               {{0xde00}, 1},                         /* its second half */
               {{0xde00, 0xd83d}, 2},                 /* in the wrong order */
               {{0xd83d, 0xd83d, 0xde00}, 3},         /* half of one, and one */
               {{0xd83d, 0xde00, 0xde00}, 3},         /* one, and half of one */
               {{0xd83d, L'x', 0xde00}, 3},           /* not together */
               {{0xdbff, 0xdfff, 0xd800, 0xdc00}, 4}, /* the last and the first */
               {{0xd7ff, 0xe000, 0xffff, 0xfffe}, 4}, /* beside them, and no characters */
               {{0, 0, L'x', 0}, 4},                  /* NULs */
               {{0x7f, 0x80, 0x7ff, 0x800}, 4}};      /* where the sizes change */
    size_t i;

    for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        expect_texts(all[i].text, all[i].length, all[i].text, all[i].length);
}

static wchar_t random_unit(void)
{
    switch (rand() % 6) {
    case 0:
        return (wchar_t)(0xd800 + rand() % 0x400);
    case 1:
        return (wchar_t)(0xdc00 + rand() % 0x400);
    case 2:
        return (wchar_t)(rand() * 32768 + rand());
    case 3:
        return (wchar_t)(rand() % 0x900);
    default:
        return (wchar_t)(rand() % 0x80);
    }
}

static void random_texts(void)
{
    static wchar_t texts[2][CONTROL_TEXT_MAX];
    unsigned seed = GetTickCount();
    size_t lengths[2], i;
    int round, k;

    printf("seed %u\n", seed);
    srand(seed);
    for (round = 0; round < RANDOM_ONES; round++) {
        for (k = 0; k < 2; k++) {
            lengths[k] = 1 + (size_t)rand() % (round % 8 == 0 ? CONTROL_TEXT_MAX : 100);
            for (i = 0; i < lengths[k]; i++)
                texts[k][i] = random_unit();
        }
        expect_texts(texts[0], lengths[0], texts[1], lengths[1]);
    }
}

/* Of every length around each limit: what is cut says so and is the beginning of the whole, what
 * is not cut is whole. */
static void expect_cut(const struct rollcall_event *event, enum rollcall_text_field field,
                       const char *whole, size_t size, bool *cut)
{
    struct rollcall_string text = {.data = ""};
    bool there = rollcall_event_text(event, field, &text);

    CHECK(there, "string %u is missing", field);
    CHECK(text.full_size == size, "%llu bytes, not %zu", (unsigned long long)text.full_size, size);
    CHECK(text.size <= size && memcmp(text.data, whole, text.size) == 0, "other text");
    CHECK(((text.flags & ROLLCALL_TEXT_CUT) != 0) == (text.size < size), "flags %x, %zu of %zu",
          text.flags, text.size, size);
    /* Not in the middle of a character. */
    CHECK(text.size == size || (whole[text.size] & 0xc0) != 0x80, "at %zu", text.size);
    *cut |= text.size < size;
}

static void record_max(void)
{
    static wchar_t command[2000];
    static char line[3 * 2000];
    struct process process = ordinary(1400);
    uint64_t cut_before = driver_stats().texts_cut, cuts = 0;
    size_t length, size;

    fill(command, 2000, 0x20ac);
    driver_configure(0, 1024);
    for (length = 200; length < 320; length++) {
        const struct rollcall_event *event;
        bool cut = false;

        process.command = command;
        process.command_length = length;
        event = created(&process);
        size = wtf8(command, length, line);
        CHECK(event->size <= 1024, "%u bytes", event->size);
        expect_cut(event, ROLLCALL_COMMAND, line, size, &cut);
        expect_cut(event, ROLLCALL_EXE, IMAGE_UTF8, strlen(IMAGE_UTF8), &cut);
        expect_cut(event, ROLLCALL_USER, USER, strlen(USER), &cut);
        CHECK(cut || event->size > 128 + 3 * 16 + size, "%u bytes", event->size);
        cuts += cut;
        raise_exit(1400, 0);
        only_event(ROLLCALL_EXIT);
    }
    CHECK(cuts > 20 && cuts < 100, "%llu of 120 were cut", (unsigned long long)cuts);
    CHECK(driver_stats().texts_cut == cut_before + cuts, "%llu of %llu are counted",
          (unsigned long long)(driver_stats().texts_cut - cut_before), (unsigned long long)cuts);
    driver_configure(0, ROLLCALL_RECORD_MAX);
}

/* ---- systems ---- */

static void subsystem_process(bool told)
{
    struct process process = ordinary(1500);
    const struct rollcall_event *event;
    struct rollcall_event expected;

    process.flags = CONTROL_SUBSYSTEM;
    process.image = NULL;
    process.command = NULL;
    if (!told) {
        CHECK(raise_create(&process) == 0, "refused");
        raise_exit(1500, 0);
        stream_forget(&stream);
        CHECK(stream_read(&stream) == 0, "%zu events", stream.count);
        return;
    }
    event = created(&process);
    expected = expected_create(&process, "");
    expected.parent_start_ns = event->parent_start_ns;
    expect_base(event, &expected);
    raise_exit(1500, 0);
    only_event(ROLLCALL_EXIT);
}

static void everything(void)
{
    stream_open(&stream, "", 0);
    create_and_exit();
    times_differ();
    statuses();
    absent_fields();
    empty_is_not_absent();
    inexact_image();
    from_before_the_clock();
    pid_reuse();
    parents();
    creator_is_not_parent();
    surrogates();
    subsystem_process(with_keys);
}

int main(void)
{
    test_begin("rollcall.sys");
    driver_begin();
    CHECK(runtime_facts().notify == 2, "%u", runtime_facts().notify);
    everything();
    largest_texts();
    random_texts();
    record_max();
    CHECK(driver_stats().lost[ROLLCALL_LOST_FAILED] == 0, "lost");
    stream_close(&stream);
    CHECK(driver_stop() == 0, "stop");

    with_keys = false;
    runtime_setting("WithoutEx2", 1);
    driver_begin();
    CHECK(runtime_facts().notify == 1, "%u", runtime_facts().notify);
    everything();
    stream_close(&stream);
    return test_end();
}
