/* SPDX-License-Identifier: MIT */
#include "service/handlers.h"

#include "lib/error.h"
#include "program/complain.h"
#include "service/config.h"
#include "service/files.h"
#include "service/handler.h"
#include "service/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HANDLERS_MAX 64u

struct handlers {
    const char *directory;
    struct rollcall_options way;
    struct state state;
    struct handler *all[HANDLERS_MAX];
    unsigned count;
};

struct configs {
    struct config *all[HANDLERS_MAX];
    unsigned count;
    bool wrong;
};

/* ---- reading ---- */

static void free_configs(struct configs *configs)
{
    for (unsigned i = 0; i < configs->count; i++)
        config_free(configs->all[i]);
}

static void read_configs(const char *directory, struct configs *configs)
{
    int err;
    char **names = files_names(directory, CONFIG_ENDING, &err);

    *configs = (struct configs){.wrong = !names};
    if (!names)
        complain("cannot read the directory '%s': %s", directory, strerror(-err));
    if (names && !files_is_trusted(directory)) {
        complain("others can change the directory '%s': let it belong to you or root, who alone "
                 "may write in it",
                 directory);
        configs->wrong = true;
    }
    for (unsigned i = 0; names && names[i]; i++) {
        struct config *config = NULL;

        if (i < HANDLERS_MAX)
            config = config_read(directory, names[i]);
        else if (i == HANDLERS_MAX)
            complain("'%s' has more than %u handlers", directory, HANDLERS_MAX);
        if (config)
            configs->all[configs->count++] = config;
        else
            configs->wrong = true;
    }
    files_names_free(names);
}

bool handlers_check(const char *directory, unsigned *count)
{
    struct configs configs;

    read_configs(directory, &configs);
    *count = configs.count;
    free_configs(&configs);
    return !configs.wrong;
}

/* ---- running ---- */

struct handlers *handlers_new(const char *directory, const char *state,
                              const struct rollcall_options *way)
{
    struct handlers *handlers = calloc(1, sizeof(*handlers));

    if (!handlers) {
        rollcall_fail(-ENOMEM, "out of memory");
        return NULL;
    }
    handlers->directory = directory;
    handlers->way = *way;
    if (state_open(&handlers->state, state) == 0)
        return handlers;
    state_close(&handlers->state);
    free(handlers);
    return NULL;
}

/* The file of a running handler as it is now; NULL: it has none any more. */
static struct config **find(struct configs *configs, const struct config *running)
{
    for (unsigned i = 0; i < configs->count; i++)
        if (configs->all[i] && strcmp(configs->all[i]->name, running->name) == 0)
            return &configs->all[i];
    return NULL;
}

/* All at once, so that their ends take together as long as the slowest. */
static void end_handlers(struct handler **ending, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        handler_ask_to_end(ending[i]);
    for (unsigned i = 0; i < count; i++)
        handler_join(ending[i]);
}

/* Ends those that are not in `configs` as they are, and takes out of `configs` those that are. */
static void end_others(struct handlers *handlers, struct configs *configs)
{
    struct handler *ending[HANDLERS_MAX];
    unsigned ended = 0;
    unsigned kept = 0;

    for (unsigned i = 0; i < handlers->count; i++) {
        const struct config *running = handler_config(handlers->all[i]);
        struct config **now = find(configs, running);

        if (now && strcmp((*now)->text, running->text) == 0) {
            config_free(*now);
            *now = NULL;
            handlers->all[kept++] = handlers->all[i];
        } else {
            ending[ended++] = handlers->all[i];
        }
    }
    handlers->count = kept;
    end_handlers(ending, ended);
}

int handlers_load(struct handlers *handlers)
{
    struct configs configs;
    int err = 0;

    read_configs(handlers->directory, &configs);
    if (configs.wrong) {
        free_configs(&configs);
        return rollcall_fail(-EINVAL, "nothing is changed until '%s' is right",
                             handlers->directory);
    }
    end_others(handlers, &configs);
    for (unsigned i = 0; i < configs.count; i++) {
        struct handler *handler;

        if (!configs.all[i])
            continue;
        handler = handler_start(configs.all[i], &handlers->way, &handlers->state);
        if (handler)
            handlers->all[handlers->count++] = handler;
        else
            err = -EAGAIN;
    }
    return err;
}

void handlers_free(struct handlers *handlers)
{
    if (!handlers)
        return;
    end_handlers(handlers->all, handlers->count);
    state_close(&handlers->state);
    free(handlers);
}
