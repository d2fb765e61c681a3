/* SPDX-License-Identifier: MIT */
/* A long-lived program: a line of JSON for each event, and answers. */
#include "service/answers.h"
#include "service/said.h"
#include "service/sink.h"

#include "lib/error.h"
#include "program/system.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define UNSENT_MAX (1u << 20) /* bytes that wait for the program to read */
#define READ_SIZE  4096
#define READS_MAX  16            /* in one turn: what a pipe holds */
#define CLOSED_NS  1000000000ull /* who has closed a pipe is given so long to end */

struct program {
    struct job *job;
    char *unsent;
    size_t sent; /* bytes of it that were written */
    size_t size;
    size_t room;
    struct answers answers;
    struct said said;
    bool said_all;     /* its stderr is closed */
    bool answered_all; /* its stdout */
    bool finishing;
    uint64_t closed_ns; /* when its stdout or stdin was; 0: both are open */
    uint64_t since_ns;  /* of the last answer, or the first event after none was outstanding */
};

static struct program *own(const struct sink *sink)
{
    return sink->own;
}

/* ---- beginning and end ---- */

static int program_open(struct sink *sink)
{
    struct program *program = calloc(1, sizeof(*program));
    struct kin_root identity;
    int err;

    if (!program)
        return rollcall_fail(-ENOMEM, "out of memory");
    err = job_start(&program->job, sink->config->words, NULL, sink->config->user);
    if (err < 0) {
        free(program);
        return err;
    }
    sink->own = program;
    sink_say(sink, "%s runs as process %u", sink->config->words[0], job_pid(program->job));
    job_identity(program->job, &identity);
    /* Without it a successor may take a few of its children for others'. */
    if (state_add(sink->state, &identity) < 0)
        sink_say(sink, "%s", rollcall_error());
    return 0;
}

static void program_close(struct sink *sink)
{
    struct program *program = own(sink);

    job_kill(program->job); /* its successor is not to find what it has left behind */
    job_free(program->job);
    free(program->unsent);
    free(program);
}

/* ---- giving ---- */

static bool program_has_room(const struct sink *sink)
{
    const struct program *program = own(sink);

    return !program->finishing && pending_count(&sink->pending) < sink->config->window &&
           program->size - program->sent < UNSENT_MAX;
}

static int keep_unsent(struct program *program, const char *line, size_t size)
{
    if (program->sent > 0)
        memmove(program->unsent, program->unsent + program->sent, program->size - program->sent);
    program->size -= program->sent;
    program->sent = 0;
    if (program->size + size > program->room) {
        size_t room = 2 * program->room + size;
        char *unsent = realloc(program->unsent, room);

        if (!unsent)
            return rollcall_fail(-ENOMEM, "out of memory");
        program->unsent = unsent;
        program->room = room;
    }
    memcpy(program->unsent + program->size, line, size);
    program->size += size;
    return 0;
}

static int program_give(struct sink *sink, const struct given *given)
{
    struct program *program = own(sink);
    size_t size;
    char *line = sink_line(given, &size);
    int err = line ? keep_unsent(program, line, size) : -ENOMEM;

    free(line);
    if (err < 0)
        return err;
    if (pending_count(&sink->pending) == 0)
        program->since_ns = system_mono_ns();
    pending_add(&sink->pending, given->epoch, given->event->seq,
                rollcall_event_last_seq(given->event));
    return 0;
}

/* ---- turns ---- */

static void note_closed(struct program *program)
{
    if (!program->closed_ns)
        program->closed_ns = system_mono_ns();
}

static void send_unsent(struct program *program)
{
    while (program->sent < program->size) {
        int n =
            job_write(program->job, program->unsent + program->sent, program->size - program->sent);

        if (n < 0)
            note_closed(program);
        if (n <= 0)
            return;
        program->sent += (size_t)n;
    }
}

static int take_answers(struct sink *sink, const char *bytes, size_t size)
{
    struct program *program = own(sink);

    while (size > 0) {
        struct answer answer;
        size_t used;
        int got = answers_take(&program->answers, bytes, size, &used, &answer);

        bytes += used;
        size -= used;
        if (got == 1)
            got = pending_answer(&sink->pending, answer.has_epoch, answer.epoch, answer.seq);
        if (got < 0)
            return got;
        if (got > 0) {
            program->since_ns = system_mono_ns();
            backoff_reset(sink->backoff);
        }
    }
    return 0;
}

static int read_answers(struct sink *sink)
{
    struct program *program = own(sink);
    char bytes[READ_SIZE];

    for (unsigned i = 0; i < READS_MAX && !program->answered_all; i++) {
        int n = job_read(program->job, JOB_OUTPUT, bytes, sizeof(bytes));
        int err = n > 0 ? take_answers(sink, bytes, (size_t)n) : 0;

        if (n == 0 || err < 0)
            return err;
        program->answered_all = n < 0;
    }
    if (program->answered_all)
        note_closed(program);
    return 0;
}

static int has_ended(const struct sink *sink, const struct job_end *end)
{
    char text[SINK_END_SIZE];

    return rollcall_fail(-ECHILD, "%s has ended with %s, %zu events are not answered",
                         sink->config->words[0], sink_end_text(text, end),
                         pending_count(&sink->pending));
}

static bool is_late(const struct sink *sink)
{
    return sink->config->timeout_ns && pending_count(&sink->pending) > 0 &&
           system_mono_ns() - own(sink)->since_ns > sink->config->timeout_ns;
}

/* What makes it useless; 0: nothing. */
static int trouble(const struct sink *sink, bool ended, const struct job_end *end)
{
    const struct program *program = own(sink);
    const char *path = sink->config->words[0];

    if (program->finishing)
        return 0;
    if (ended)
        return has_ended(sink, end);
    if (is_late(sink))
        return rollcall_fail(-ETIMEDOUT, "%s has not answered within its `timeout`", path);
    if (program->closed_ns && system_mono_ns() - program->closed_ns > CLOSED_NS)
        return rollcall_fail(-EPIPE, "%s has closed its stdin or its stdout", path);
    return 0;
}

/* Whether it has ended is asked before its answers are read, so that none is left behind. */
static int program_turn(struct sink *sink)
{
    struct program *program = own(sink);
    struct job_end end;
    bool ended = job_ended(program->job, &end);
    int err;

    send_unsent(program);
    err = read_answers(sink);
    if (!program->said_all)
        program->said_all =
            said_read(&program->said, sink->config->name, program->job, JOB_ERRORS) < 0;
    return err < 0 ? err : trouble(sink, ended, &end);
}

static bool program_finish(struct sink *sink)
{
    struct program *program = own(sink);
    struct job_end end;

    program->finishing = true;
    if (program->sent == program->size || program->closed_ns)
        job_close_input(program->job);
    return job_ended(program->job, &end) && program->answered_all;
}

static uint64_t program_wait(const struct sink *sink, struct job_wait *wait)
{
    const struct program *program = own(sink);
    uint64_t due = UINT64_MAX;

    wait->jobs = &program->job;
    wait->count = 1;
    if (sink->config->timeout_ns && pending_count(&sink->pending) > 0)
        due = program->since_ns + sink->config->timeout_ns + 1;
    if (program->closed_ns && program->closed_ns + CLOSED_NS < due)
        due = program->closed_ns + CLOSED_NS + 1;
    return due;
}

const struct sink_class sink_program = {
    .open = program_open,
    .close = program_close,
    .has_room = program_has_room,
    .give = program_give,
    .turn = program_turn,
    .finish = program_finish,
    .wait = program_wait,
};
