/* SPDX-License-Identifier: MIT */
#include "service/state.h"

#include "journal/lock.h"
#include "lib/error.h"
#include "service/files.h"
#include "service/job.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_SIZE 80u

/* To be freed; NULL: no memory. */
static char *path_of(const struct state *state, const char *name, const char *ending)
{
    char *path;

    if (asprintf(&path, "%s/%s%s", state->directory, name, ending) >= 0)
        return path;
    rollcall_fail(-ENOMEM, "out of memory");
    return NULL;
}

static int replace(const struct state *state, const char *name, const char *ending,
                   const char *text)
{
    char *path = path_of(state, name, ending);
    int err = path ? files_replace(path, text, strlen(text)) : -ENOMEM;

    if (path && err < 0)
        rollcall_fail(err, "cannot write '%s': %s", path, strerror(-err));
    free(path);
    return err;
}

/* NULL and *err 0: there is no such file. */
static FILE *open_file(const struct state *state, const char *name, const char *ending, int *err)
{
    char *path = path_of(state, name, ending);
    FILE *file = NULL;

    *err = -ENOMEM;
    if (path) {
        file = files_read(path, err);
        if (!file && *err == -ENOENT)
            *err = 0;
        else if (!file)
            rollcall_fail(*err, "cannot read '%s': %s", path, strerror(-*err));
    }
    free(path);
    return file;
}

/* ---- processes ---- */

/* Reads so many numbers that stand in a line. */
static bool read_numbers(const char *line, uint64_t *numbers, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char *end;

        line += strspn(line, " ");
        errno = 0;
        numbers[i] = strtoull(line, &end, 10);
        if (end == line || errno || *line == '-')
            return false;
        line = end;
    }
    return true;
}

static int read_processes(struct state *state)
{
    char line[LINE_SIZE];
    int err;
    FILE *file = open_file(state, "processes", "", &err);

    if (!file)
        return err;
    while (fgets(line, sizeof(line), file)) {
        uint64_t numbers[4];
        struct kin_root root;

        if (!read_numbers(line, numbers, 4) || numbers[0] > UINT32_MAX || numbers[1] > UINT32_MAX)
            continue;
        root = (struct kin_root){.pid = (uint32_t)numbers[0],
                                 .pid_ns = (uint32_t)numbers[1],
                                 .start_ns = numbers[2],
                                 .span_ns = numbers[3]};
        kin_roots_add(&state->known, &root);
    }
    fclose(file);
    return 0;
}

int state_add(struct state *state, const struct kin_root *root)
{
    char text[KIN_ROOTS_MAX * LINE_SIZE];
    size_t size = 0;
    int err;

    pthread_mutex_lock(&state->mutex);
    kin_roots_add(&state->known, root);
    for (size_t i = 0; i < state->known.count; i++) {
        const struct kin_root *one = &state->known.all[i];

        size += (size_t)snprintf(text + size, sizeof(text) - size,
                                 "%" PRIu32 " %" PRIu32 " %" PRIu64 " %" PRIu64 "\n", one->pid,
                                 one->pid_ns, one->start_ns, one->span_ns);
    }
    err = replace(state, "processes", "", text);
    pthread_mutex_unlock(&state->mutex);
    return err;
}

/* ---- all together ---- */

static int take_lock(struct state *state)
{
    char *path = path_of(state, "handle", ""); /* it adds the .lock */
    int err = path ? lock_take(path, &state->lock) : -ENOMEM;

    if (err == -EBUSY)
        rollcall_fail(err,
                      "another process runs handlers with '%s': stop that one first, or use "
                      "another directory",
                      state->directory);
    free(path);
    return err;
}

int state_open(struct state *state, const char *directory)
{
    struct kin_root self;
    int err;

    memset(state, 0, sizeof(*state));
    state->lock = LOCK_NONE;
    pthread_mutex_init(&state->mutex, NULL);
    state->directory = strdup(directory);
    if (!state->directory)
        return rollcall_fail(-ENOMEM, "out of memory");
    err = files_make_directory(directory);
    if (err < 0)
        rollcall_fail(err, "cannot make '%s': %s", directory, strerror(-err));
    if (err == 0)
        err = take_lock(state);
    if (err == 0)
        err = read_processes(state);
    if (err < 0)
        return err;
    job_self(&self);
    err = state_add(state, &self);
    state->before = state->known;
    return err;
}

void state_close(struct state *state)
{
    lock_release(state->lock);
    pthread_mutex_destroy(&state->mutex);
    free(state->directory);
}

/* ---- where handlers began ---- */

int state_set_begin(const struct state *state, const char *name, const struct begin *begin)
{
    char text[LINE_SIZE];

    snprintf(text, sizeof(text), "%" PRIu64 " %" PRIu64 "\n", begin->epoch, begin->seq);
    return replace(state, name, ".begin", text);
}

int state_get_begin(const struct state *state, const char *name, struct begin *begin)
{
    uint64_t numbers[2];
    char line[LINE_SIZE];
    int err;
    FILE *file = open_file(state, name, ".begin", &err);

    *begin = (struct begin){.epoch = 0};
    if (!file)
        return err;
    if (fgets(line, sizeof(line), file) && read_numbers(line, numbers, 2))
        *begin = (struct begin){.epoch = numbers[0], .seq = numbers[1]};
    else
        err = rollcall_fail(-EPROTO,
                            "'%s/%s.begin' is damaged: remove it, and the handler gets "
                            "all that its consumer still has",
                            state->directory, name);
    fclose(file);
    return err;
}
