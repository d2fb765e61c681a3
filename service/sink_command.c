/* SPDX-License-Identifier: MIT */
/* A process for each event, so many at once. */
#include "service/said.h"
#include "service/sink.h"

#include "lib/error.h"
#include "program/system.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VARIABLES 10u
#define VALUE_MAX 4096u /* bytes of a text in the environment */
#define READS_MAX 16    /* of what a process has left in a pipe */

/* An event that is being worked on: by a process, or between two tries. */
struct work {
    char *line; /* NULL: this one is free */
    size_t size;
    size_t sent;
    uint64_t id; /* in `pending` */
    uint64_t seq;
    char *environment[VARIABLES + 1];
    unsigned tries; /* begun */
    struct backoff backoff;
    uint64_t retry_ns;
    uint64_t started_ns;
    bool late;           /* it was killed for that */
    struct said said[2]; /* by enum job_stream */
};

struct command {
    struct work works[CONFIG_PARALLEL_MAX];
    struct job *jobs[CONFIG_PARALLEL_MAX]; /* of the work with this index; NULL: none runs */
    unsigned busy;
    bool finishing;
};

static struct command *own(const struct sink *sink)
{
    return sink->own;
}

/* ---- what the process gets ---- */

static char *variable(const char *name, const char *value, size_t size)
{
    char *text;
    size_t length = size < VALUE_MAX ? size : VALUE_MAX;

    /* Bytes that could not be read stand as 0. */
    length = strnlen(value, length);
    return asprintf(&text, "ROLLCALL_%s=%.*s", name, (int)length, value) < 0 ? NULL : text;
}

static char *number(const char *name, uint64_t value)
{
    char text[24];

    return variable(name, text, (size_t)snprintf(text, sizeof(text), "%" PRIu64, value));
}

/* What the event does not tell is not set. false: no memory. */
static bool make_environment(struct work *work, const struct given *given, const char *name)
{
    const struct rollcall_event *event = given->event;
    const char *type = rollcall_type_name(event->type);
    bool of_process = event->type != ROLLCALL_GAP && event->type != ROLLCALL_SYNCED;
    struct rollcall_string exe;
    struct rollcall_string user;
    char *all[VARIABLES + 1] = {NULL};
    unsigned count = 0;

    all[count++] = variable("HANDLER", name, strlen(name));
    all[count++] = number("EPOCH", given->epoch);
    all[count++] = number("SEQ", event->seq);
    all[count++] = variable("TYPE", type, strlen(type));
    if (of_process)
        all[count++] = number("PID", event->pid);
    if (of_process && event->present & ROLLCALL_HAS_PARENT)
        all[count++] = number("PPID", event->ppid);
    if (of_process && event->present & ROLLCALL_HAS_USER)
        all[count++] = number("UID", event->uid);
    if (of_process)
        all[count++] = variable("COMM", event->comm, sizeof(event->comm));
    if (rollcall_event_text(event, ROLLCALL_EXE, &exe))
        all[count++] = variable("EXE", exe.data, exe.size);
    if (rollcall_event_text(event, ROLLCALL_USER, &user))
        all[count++] = variable("USER", user.data, user.size);
    if (event->type == ROLLCALL_GAP)
        all[count++] = number("LOST", event->lost);
    memcpy(work->environment, all, sizeof(all));
    for (unsigned i = 0; i < count; i++)
        if (!work->environment[i])
            return false;
    return true;
}

static void clear(struct work *work)
{
    for (unsigned i = 0; i <= VARIABLES; i++)
        free(work->environment[i]);
    free(work->line);
    memset(work, 0, sizeof(*work));
}

/* ---- beginning and end ---- */

static int command_open(struct sink *sink)
{
    sink->own = calloc(1, sizeof(struct command));
    return sink->own ? 0 : rollcall_fail(-ENOMEM, "out of memory");
}

static void command_close(struct sink *sink)
{
    struct command *command = own(sink);

    for (unsigned i = 0; i < CONFIG_PARALLEL_MAX; i++) {
        job_free(command->jobs[i]);
        clear(&command->works[i]);
    }
    free(command);
}

static bool command_has_room(const struct sink *sink)
{
    const struct command *command = own(sink);

    return !command->finishing && command->busy < sink->config->parallel &&
           pending_count(&sink->pending) < sink->config->window;
}

/* ---- one event ---- */

static void finish_work(struct sink *sink, struct work *work)
{
    pending_finish(&sink->pending, work->id);
    clear(work);
    own(sink)->busy--;
}

/* It has not worked: once more later, or it is given up. */
static void fail(struct sink *sink, struct work *work, const char *why)
{
    if (work->tries < sink->config->tries) {
        work->retry_ns = system_mono_ns() + backoff_next(&work->backoff);
        return;
    }
    sink->failed++;
    sink_say(sink, "event %" PRIu64 " is given up after %u tries: %s", work->seq, work->tries, why);
    finish_work(sink, work);
}

static void start(struct sink *sink, unsigned i)
{
    struct command *command = own(sink);
    struct work *work = &command->works[i];

    work->tries++;
    work->late = false;
    work->sent = 0;
    work->started_ns = system_mono_ns();
    if (job_start(&command->jobs[i], sink->config->words, work->environment, sink->config->user) <
        0)
        fail(sink, work, rollcall_error());
}

static int command_give(struct sink *sink, const struct given *given)
{
    struct command *command = own(sink);
    struct work *work;
    unsigned i = 0;

    while (command->works[i].line)
        i++;
    work = &command->works[i];
    work->line = sink_line(given, &work->size);
    if (!work->line)
        return -ENOMEM;
    command->busy++;
    if (!make_environment(work, given, sink->config->name))
        return rollcall_fail(-ENOMEM, "out of memory");
    work->seq = given->event->seq;
    work->id =
        pending_add(&sink->pending, given->epoch, work->seq, rollcall_event_last_seq(given->event));
    start(sink, i);
    return 0;
}

static void send_line(struct work *work, struct job *job)
{
    while (work->sent < work->size) {
        int n = job_write(job, work->line + work->sent, work->size - work->sent);

        if (n == 0)
            return;
        /* It need not read what it is given. */
        work->sent = n < 0 ? work->size : work->sent + (size_t)n;
    }
    job_close_input(job);
}

/* Of one that has ended all, as far as what it has started does not write on. */
static void read_said(struct sink *sink, struct work *work, struct job *job, bool ended)
{
    for (int stream = JOB_OUTPUT; stream <= JOB_ERRORS; stream++) {
        struct said *said = &work->said[stream];
        unsigned left = ended ? READS_MAX : 1;

        while (left-- > 0 && said_read(said, sink->config->name, job, (enum job_stream)stream) > 0)
            continue;
        if (ended)
            said_end(said, sink->config->name);
    }
}

static void end_work(struct sink *sink, unsigned i, const struct job_end *end)
{
    struct command *command = own(sink);
    char text[SINK_END_SIZE];

    job_free(command->jobs[i]);
    command->jobs[i] = NULL;
    if (end->by_signal || end->status != 0)
        fail(sink, &command->works[i],
             command->works[i].late ? "it took longer than its `timeout`"
                                    : sink_end_text(text, end));
    else
        finish_work(sink, &command->works[i]);
}

static bool is_late(const struct sink *sink, const struct work *work)
{
    return sink->config->timeout_ns &&
           system_mono_ns() - work->started_ns > sink->config->timeout_ns;
}

static void turn_work(struct sink *sink, unsigned i)
{
    struct command *command = own(sink);
    struct work *work = &command->works[i];
    struct job *job = command->jobs[i];
    struct job_end end;
    bool ended;

    if (!job && work->line && !command->finishing && system_mono_ns() >= work->retry_ns)
        start(sink, i);
    if (!job)
        return;
    ended = job_ended(job, &end);
    send_line(work, job);
    read_said(sink, work, job, ended);
    if (ended) {
        end_work(sink, i, &end);
    } else if (is_late(sink, work)) {
        job_kill(job);
        work->late = true;
        work->started_ns = system_mono_ns(); /* so is what takes that long to die */
    }
}

static int command_turn(struct sink *sink)
{
    for (unsigned i = 0; i < sink->config->parallel; i++)
        turn_work(sink, i);
    return 0;
}

static bool command_finish(struct sink *sink)
{
    struct command *command = own(sink);

    command->finishing = true;
    for (unsigned i = 0; i < sink->config->parallel; i++)
        if (command->jobs[i])
            return false;
    return true;
}

static uint64_t command_wait(const struct sink *sink, struct job_wait *wait)
{
    const struct command *command = own(sink);
    uint64_t due = UINT64_MAX;

    wait->jobs = command->jobs;
    wait->count = sink->config->parallel;
    for (unsigned i = 0; i < sink->config->parallel; i++) {
        const struct work *work = &command->works[i];
        uint64_t then = work->retry_ns;

        if (!work->line)
            continue;
        if (command->jobs[i])
            then = sink->config->timeout_ns ? work->started_ns + sink->config->timeout_ns + 1
                                            : UINT64_MAX;
        due = then < due ? then : due;
    }
    return due;
}

const struct sink_class sink_command = {
    .open = command_open,
    .close = command_close,
    .has_room = command_has_room,
    .give = command_give,
    .turn = command_turn,
    .finish = command_finish,
    .wait = command_wait,
};
