/* SPDX-License-Identifier: MIT */
#include "cli/lines.h"

#include "events/text.h"
#include "program/system.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#define SECOND 1000000000ll

/* Columns before the last one: time, event, pid, ppid, user, comm. */
#define FIXED_COLUMNS  66u
#define DATE_COLUMNS   11u
#define INDENT_MAX     40
#define FIRST_NTSTATUS 0x40000000u /* below it exit codes; errors have both upper bits */
#define NO_LIMIT       ((size_t)1 << 30)

enum colour { NONE, DIM, GREEN, CYAN, YELLOW, RED };

static const char *const escapes[] = {"",         "\033[2m",  "\033[32m",
                                      "\033[36m", "\033[33m", "\033[1;31m"};

/* ---- words ---- */

#define SID_SIZE 185 /* the longest SID as text, and the end */

struct user {
    uint32_t uid;
    bool known;
    char name[32];
};

const char *lines_user(uint32_t uid)
{
    static struct user users[64];
    struct user *user = &users[uid % 64];

    if (user->known && user->uid == uid)
        return user->name;
    if (!system_user_name(uid, user->name, sizeof(user->name)))
        snprintf(user->name, sizeof(user->name), "%" PRIu32, uid);
    user->uid = uid;
    user->known = true;
    return user->name;
}

/* Looking one up can take a while, so the last ones are kept. */
const char *lines_account(const char *sid, size_t size)
{
    static struct account {
        char sid[SID_SIZE];
        char name[32];
    } accounts[16];
    struct account *account;
    char text[SID_SIZE];
    unsigned hash = 0;

    snprintf(text, sizeof(text), "%.*s", (int)(size < SID_SIZE ? size : SID_SIZE - 1), sid);
    for (const char *c = text; *c; c++)
        hash = 31 * hash + (unsigned char)*c;
    account = &accounts[hash % 16];
    if (strcmp(account->sid, text) == 0)
        return account->name;
    memcpy(account->sid, text, sizeof(text));
    /* The end of a SID is what tells users of one machine apart. */
    if (!system_account_name(text, account->name, sizeof(account->name)))
        snprintf(account->name, sizeof(account->name), "%s%s", size > 10 ? "*" : "",
                 text + (size > 10 ? strlen(text) - 9 : 0));
    return account->name;
}

const char *lines_signal(unsigned signal)
{
    /* Linux's numbers, wherever this runs: a journal may come from elsewhere. */
    static const char *const names[] = {
        NULL,   "HUP",  "INT",  "QUIT", "ILL",    "TRAP",   "ABRT",  "BUS",  "FPE",  "KILL", "USR1",
        "SEGV", "USR2", "PIPE", "ALRM", "TERM",   "STKFLT", "CHLD",  "CONT", "STOP", "TSTP", "TTIN",
        "TTOU", "URG",  "XCPU", "XFSZ", "VTALRM", "PROF",   "WINCH", "POLL", "PWR",  "SYS"};
    static char text[32];

    if (signal > 0 && signal < sizeof(names) / sizeof(names[0]))
        snprintf(text, sizeof(text), "SIG%s", names[signal]);
    else
        snprintf(text, sizeof(text), "signal %u", signal);
    return text;
}

const char *lines_duration(uint64_t ns)
{
    static char text[48];
    uint64_t seconds = ns / (uint64_t)SECOND;

    if (ns < 1000000)
        snprintf(text, sizeof(text), "%" PRIu64 " us", ns / 1000);
    else if (seconds < 1)
        snprintf(text, sizeof(text), "%.1f ms", (double)ns / 1e6);
    else if (seconds < 60)
        snprintf(text, sizeof(text), "%.2f s", (double)ns / 1e9);
    else if (seconds < 3600)
        snprintf(text, sizeof(text), "%" PRIu64 " min %" PRIu64 " s", seconds / 60, seconds % 60);
    else if (seconds < 86400)
        snprintf(text, sizeof(text), "%" PRIu64 " h %" PRIu64 " min", seconds / 3600,
                 seconds / 60 % 60);
    else
        snprintf(text, sizeof(text), "%" PRIu64 " d %" PRIu64 " h", seconds / 86400,
                 seconds / 3600 % 24);
    return text;
}

void lines_args(FILE *to, const char *args, size_t size, size_t room)
{
    size_t offset = 0;
    size_t used = 0;
    const char *piece;
    size_t piece_size;

    while (text_next(args, size, &offset, &piece, &piece_size)) {
        size_t reserved = offset < size ? 4 : 0; /* for " ..." */

        if (used > 0 && used + 4 + reserved > room) {
            fputs(" ...", to);
            return;
        }
        if (used > 0) {
            fputc(' ', to);
            used++;
        }
        used +=
            text_quote(to, piece, piece_size, room > used + reserved ? room - used - reserved : 0);
    }
}

/* ---- columns ---- */

static void paint(const struct lines *lines, enum colour colour)
{
    if (lines->output->colour)
        fputs(colour == NONE ? "\033[0m" : escapes[colour], lines->output->text);
}

static void head(struct lines *lines)
{
    if (lines->headed)
        return;
    lines->headed = true;
    paint(lines, DIM);
    fprintf(lines->output->text, "%-*s %-6s %7s %7s %-10s %-15s %s\n",
            lines->full_date ? 12 + (int)DATE_COLUMNS : 12, "TIME", "EVENT", "PID", "PPID", "USER",
            "COMM", "WHAT");
    paint(lines, NONE);
}

static void put_time(const struct lines *lines, int64_t ns)
{
    time_t seconds = (time_t)(ns / SECOND);
    struct tm moment;
    char text[32];

    localtime_r(&seconds, &moment);
    strftime(text, sizeof(text), lines->full_date ? "%Y-%m-%d %H:%M:%S" : "%H:%M:%S", &moment);
    fprintf(lines->output->text, "%s.%03d ", text, (int)(ns % SECOND / 1000000));
}

static enum colour colour_of(const struct rollcall_event *event)
{
    switch (event->type) {
    case ROLLCALL_CREATE:
        return GREEN;
    case ROLLCALL_EXEC:
        return CYAN;
    case ROLLCALL_EXIT:
        return event->status ? YELLOW : DIM;
    case ROLLCALL_GAP:
        return RED;
    default:
        return DIM;
    }
}

static void put_comm(FILE *to, const struct rollcall_event *event)
{
    size_t size = strnlen(event->comm, sizeof(event->comm));
    size_t columns = text_quote(to, event->comm, size, NO_LIMIT);

    for (; columns < 15; columns++)
        fputc(' ', to);
    fputc(' ', to);
}

static const char *user_of(const struct rollcall_event *event)
{
    struct rollcall_string sid;

    if (event->present & ROLLCALL_HAS_USER)
        return lines_user(event->uid);
    if (rollcall_event_text(event, ROLLCALL_USER, &sid))
        return lines_account(sid.data, sid.size);
    return "-";
}

static void put_identity(const struct lines *lines, const struct rollcall_event *event)
{
    FILE *to = lines->output->text;

    fprintf(to, "%7" PRIu32 " ", event->pid);
    if (event->present & ROLLCALL_HAS_PARENT)
        fprintf(to, "%7" PRIu32 " ", event->ppid);
    else
        fprintf(to, "%7s ", "-");
    fprintf(to, "%-10.10s ", user_of(event));
    put_comm(to, event);
}

/* ---- what happened ---- */

static void put_creator(FILE *to, const struct rollcall_event *event)
{
    struct rollcall_string text;
    bool has_command = rollcall_event_text(event, ROLLCALL_COMMAND, &text) ||
                       rollcall_event_text(event, ROLLCALL_EXE, &text);
    const char *separator = has_command ? " " : "";

    if (!(event->present & ROLLCALL_HAS_CREATOR))
        return;
    if (event->creator_pid != event->ppid)
        fprintf(to, "%sby %" PRIu32, separator, event->creator_pid);
    /* On Windows no thread has the process's number. */
    if (event->creator_tid != event->creator_pid && !has_command)
        fprintf(to, "%sby thread %" PRIu32, event->creator_pid != event->ppid ? " " : "",
                event->creator_tid);
}

static void put_cut(FILE *to, const struct rollcall_string *text)
{
    if (text->flags & ROLLCALL_TEXT_CUT && text->full_size)
        fprintf(to, " (of %" PRIu64 " bytes)", text->full_size);
    else if (text->flags & ROLLCALL_TEXT_CUT)
        fputs(" (cut)", to);
    if (text->flags & ROLLCALL_TEXT_UNREADABLE)
        fputs(" (partly unreadable)", to);
}

/* The command as it was given; the program too if its name is another one. */
static void put_command(FILE *to, const struct rollcall_event *event, size_t room)
{
    struct rollcall_string exe = {0};
    struct rollcall_string args = {0};
    bool has_exe = rollcall_event_text(event, ROLLCALL_EXE, &exe);
    bool has_args = rollcall_event_text(event, ROLLCALL_ARGS, &args);

    if (rollcall_event_text(event, ROLLCALL_COMMAND, &args)) {
        text_line(to, args.data, args.size, room);
        put_cut(to, &args);
        return;
    }
    if (!has_args || args.size == 0) {
        if (has_exe)
            text_quote(to, exe.data, exe.size, room);
        return;
    }
    lines_args(to, args.data, args.size, room);
    put_cut(to, &args);
}

static void put_end(FILE *to, const struct rollcall_event *event)
{
    unsigned signal = event->status & 0x7f;

    if (!(event->present & ROLLCALL_HAS_STATUS))
        fputs("ended", to);
    else if (event->flags & ROLLCALL_NTSTATUS)
        fprintf(to, event->status < FIRST_NTSTATUS ? "status %" PRIu32 : "NTSTATUS 0x%" PRIx32,
                event->status);
    else if (signal)
        fprintf(to, "%s%s", lines_signal(signal),
                event->flags & ROLLCALL_CORE_DUMPED ? " (core dumped)" : "");
    else
        fprintf(to, "status %u", event->status >> 8 & 0xff);
    if (event->start_ns && event->mono_ns >= event->start_ns)
        fprintf(to, " after %s", lines_duration(event->mono_ns - event->start_ns));
}

static void put_gap(FILE *to, const struct rollcall_event *event)
{
    static const char *const words[ROLLCALL_REASONS] = {
        "the ring was full", "the kernel refused memory", "the kernel skipped the programs",
        "the programs had been removed"};
    const char *why = event->reason < ROLLCALL_REASONS ? words[event->reason] : "unknown reason";

    if (event->flags & ROLLCALL_UNCOUNTED)
        fprintf(to, "an unknown number of events is missing here: %s", why);
    else
        fprintf(to, "%s%" PRIu64 " event%s missing here: %s",
                event->flags & ROLLCALL_AT_MOST ? "at most " : "", event->lost,
                event->lost == 1 ? " is" : "s are", why);
}

static void put_what(FILE *to, const struct rollcall_event *event, size_t room)
{
    switch (event->type) {
    case ROLLCALL_CREATE:
        put_command(to, event, room);
        put_creator(to, event);
        break;
    case ROLLCALL_EXEC:
    case ROLLCALL_EXISTS:
        put_command(to, event, room);
        break;
    case ROLLCALL_EXIT:
        put_end(to, event);
        break;
    default:
        break;
    }
    if (event->flags & ROLLCALL_LATE)
        fputs(" (noticed late)", to);
}

static size_t room_for(const struct lines *lines, unsigned indent)
{
    size_t before = FIXED_COLUMNS + (lines->full_date ? DATE_COLUMNS : 0u) + indent;

    if (!lines->output->width)
        return NO_LIMIT;
    return lines->output->width > before + 20 ? lines->output->width - before : 20;
}

void lines_event(struct lines *lines, const struct rollcall_event *event, int64_t wall_offset_ns,
                 unsigned depth)
{
    FILE *to = lines->output->text;
    unsigned indent = 2 * depth < INDENT_MAX ? 2 * depth : INDENT_MAX;

    head(lines);
    put_time(lines, (int64_t)event->mono_ns + wall_offset_ns);
    paint(lines, colour_of(event));
    fprintf(to, "%-6s ", rollcall_type_name(event->type));
    if (event->type == ROLLCALL_GAP) {
        put_gap(to, event);
    } else if (event->type == ROLLCALL_SYNCED) {
        fputs("these were there before; what follows is new", to);
    } else {
        put_identity(lines, event);
        fprintf(to, "%*s", (int)indent, "");
        put_what(to, event, room_for(lines, indent));
    }
    paint(lines, NONE);
    fputc('\n', to);
}
