/* SPDX-License-Identifier: MIT */
#include "service/config.h"

#include "lib/error.h"
#include "program/complain.h"
#include "program/parse.h"
#include "program/system.h"
#include "service/files.h"
#include "service/system_log.h"
#include "service/words.h"

#include <rollcall/rollcall.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX (64u << 10) /* bytes of a file */

#define FOR(kind)    (1u << (kind))
#define FOR_PROGRAM  FOR(CONFIG_PROGRAM)
#define FOR_COMMAND  FOR(CONFIG_COMMAND)
#define FOR_LOG_FILE FOR(CONFIG_LOG_FILE)
#define FOR_ALL      (FOR(CONFIG_KINDS) - 1)

/* ---- single settings: NULL, or what the value should be ---- */

static const char *take_filter(struct config *config, const char *value)
{
    static _Thread_local char error[FILTER_ERROR_SIZE];

    snprintf(error, sizeof(error), "out of memory");
    return filter_add(&config->filter, value, error) < 0 ? error : NULL;
}

static const char *take_from(struct config *config, const char *value)
{
    config->from_oldest = strcmp(value, "oldest") == 0;
    return config->from_oldest || strcmp(value, "now") == 0 ? NULL : "it is now or oldest";
}

static const char *take_self(struct config *config, const char *value)
{
    config->self = strcmp(value, "yes") == 0;
    return config->self || strcmp(value, "no") == 0 ? NULL : "it is yes or no";
}

static const char *take_words(struct config *config, const char *value, enum config_kind kind)
{
    config->kind = kind;
    config->words = words_split(value);
    if (!config->words)
        return rollcall_error();
    return files_is_absolute(config->words[0]) ? NULL : "write the whole path of the program";
}

static const char *take_program(struct config *config, const char *value)
{
    return take_words(config, value, CONFIG_PROGRAM);
}

static const char *take_command(struct config *config, const char *value)
{
    return take_words(config, value, CONFIG_COMMAND);
}

/* Whether each % is one that is known. */
static bool is_pattern(const char *path)
{
    for (; *path; path++)
        if (*path == '%' && *++path != 'u' && *path != '%')
            return false;
    return true;
}

static const char *take_log(struct config *config, const char *value)
{
    static _Thread_local char should[128];

    config->log = strdup(value);
    if (!config->log)
        return "out of memory";
    config->kind = system_log_known(value) ? CONFIG_LOG_SYSTEM : CONFIG_LOG_FILE;
    snprintf(should, sizeof(should),
             "it is the whole path of a file, in which %%u may stand for the user, or %s",
             system_log_names());
    if (config->kind == CONFIG_LOG_SYSTEM || (files_is_absolute(value) && is_pattern(value)))
        return NULL;
    return should;
}

static const char *take_number(const char *value, unsigned least, unsigned most, unsigned *number)
{
    static _Thread_local char should[64];
    uint64_t got;

    snprintf(should, sizeof(should), "it is a number from %u to %u", least, most);
    if (!parse_number(value, most, &got) || got < least)
        return should;
    *number = (unsigned)got;
    return NULL;
}

static const char *take_window(struct config *config, const char *value)
{
    return take_number(value, 1, CONFIG_WINDOW_MAX, &config->window);
}

static const char *take_parallel(struct config *config, const char *value)
{
    return take_number(value, 1, CONFIG_PARALLEL_MAX, &config->parallel);
}

static const char *take_tries(struct config *config, const char *value)
{
    return take_number(value, 1, 1000, &config->tries);
}

static const char *take_timeout(struct config *config, const char *value)
{
    return parse_duration(value, &config->timeout_ns) && config->timeout_ns
               ? NULL
               : "it is a duration like 30s, 5m";
}

static const char *take_rotate_size(struct config *config, const char *value)
{
    return parse_size(value, &config->rotate_size) && config->rotate_size >= 4096
               ? NULL
               : "it is a size from 4K, like 100M";
}

static const char *take_rotate_keep(struct config *config, const char *value)
{
    return take_number(value, 0, 1000, &config->rotate_keep);
}

static const char *take_user(struct config *config, const char *value)
{
    config->user = account_find(value);
    return config->user ? NULL : rollcall_error();
}

static const struct setting {
    const char *name;
    const char *(*take)(struct config *config, const char *value);
    unsigned kinds; /* for which it means something */
} settings[] = {
    {"program", take_program, FOR_ALL},
    {"command", take_command, FOR_ALL},
    {"log", take_log, FOR_ALL},
    {"filter", take_filter, FOR_ALL},
    {"from", take_from, FOR_ALL},
    {"self", take_self, FOR_ALL},
    {"window", take_window, FOR_PROGRAM},
    {"timeout", take_timeout, FOR_PROGRAM | FOR_COMMAND},
    {"user", take_user, FOR_PROGRAM | FOR_COMMAND},
    {"parallel", take_parallel, FOR_COMMAND},
    {"tries", take_tries, FOR_COMMAND},
    {"rotate-size", take_rotate_size, FOR_LOG_FILE},
    {"rotate-keep", take_rotate_keep, FOR_LOG_FILE},
};
#define SETTINGS (sizeof(settings) / sizeof(settings[0]))
#define KINDS    3u /* of these say what the handler does */

/* ---- the file ---- */

struct reading {
    struct config *config;
    char *path;
    unsigned line;
    bool in_section;
    unsigned at[SETTINGS]; /* the line that has it; 0: none */
    bool wrong;
};

__attribute__((format(printf, 3, 4))) static void wrong(struct reading *reading, unsigned line,
                                                        const char *format, ...)
{
    char text[768];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (line)
        complain("%s:%u: %s", reading->path, line, text);
    else
        complain("%s: %s", reading->path, text);
    reading->wrong = true;
}

static size_t find_setting(const char *name)
{
    size_t i = 0;

    while (i < SETTINGS && strcmp(settings[i].name, name) != 0)
        i++;
    return i;
}

static void take_setting(struct reading *reading, const char *name, const char *value)
{
    size_t i = find_setting(name);
    const char *should;

    if (!reading->in_section)
        wrong(reading, reading->line, "%s: it does not stand in the section [handler]", name);
    else if (i == SETTINGS)
        wrong(reading, reading->line, "%s: there is no such setting", name);
    else if (reading->at[i] && settings[i].take != take_filter) /* its terms add up */
        wrong(reading, reading->line, "%s: line %u has it already", name, reading->at[i]);
    else if (i < KINDS && (reading->at[0] || reading->at[1] || reading->at[2]))
        wrong(reading, reading->line, "%s: a handler has one of program, command and log", name);
    else if ((should = settings[i].take(reading->config, value)))
        wrong(reading, reading->line, "%s = %s: %s", name, value, should);
    if (i < SETTINGS && !reading->at[i])
        reading->at[i] = reading->line;
}

/* Without the blanks around it. */
static char *trim(char *text)
{
    char *end;

    text += strspn(text, " \t");
    end = text + strlen(text);
    while (end > text && strchr(" \t\r", end[-1]))
        end--;
    *end = '\0';
    return text;
}

static void take_line(struct reading *reading, char *line)
{
    char *name = trim(line);
    char *value = strchr(name, '=');

    if (!*name || *name == '#' || *name == ';')
        return;
    if (*name == '[') {
        reading->in_section = strcmp(name, "[handler]") == 0;
        if (!reading->in_section)
            wrong(reading, reading->line, "%s: there is no such section", name);
    } else if (!value) {
        wrong(reading, reading->line, "'%s' is no line `name = value`", name);
    } else {
        *value = '\0';
        take_setting(reading, trim(name), trim(value + 1));
    }
}

static int take_lines(struct reading *reading, const char *text)
{
    while (*text) {
        size_t size = strcspn(text, "\n");
        char *line = strndup(text, size);

        if (!line)
            return -ENOMEM;
        reading->line++;
        take_line(reading, line);
        free(line);
        text += size + (text[size] == '\n');
    }
    return 0;
}

static char *read_text(struct reading *reading)
{
    int err = -ENOMEM;
    FILE *file = files_read(reading->path, &err);
    char *text = file ? malloc(TEXT_MAX + 1) : NULL;
    size_t size = text ? fread(text, 1, TEXT_MAX + 1, file) : 0;

    if (!text) {
        wrong(reading, 0, "%s", strerror(-err));
    } else if (ferror(file)) {
        wrong(reading, 0, "cannot be read: %s", strerror(errno));
    } else if (size > TEXT_MAX) {
        wrong(reading, 0, "has more than %u bytes", TEXT_MAX);
    } else {
        text[size] = '\0';
        if (strlen(text) < size)
            wrong(reading, 0, "is no text: it has a byte 0");
    }
    if (file)
        fclose(file);
    if (!reading->wrong)
        return text;
    free(text);
    return NULL;
}

/* ---- the whole ---- */

static void check_filter(struct reading *reading)
{
    struct config *config = reading->config;
    unsigned line = reading->at[find_setting("filter")];

    config->filter_exe = filter_needs_existing(config->filter);
    if (filter_ancestor(config->filter))
        wrong(reading, line, "filter: descendants-of= is not for handlers, which outlive a pid");
    else if (config->filter_exe && filter_types(config->filter) & ~system_exe_types())
        wrong(reading, line,
              "filter: exe= needs type=%s beside it: no other event tells the "
              "program, and what was told before a restart is not known",
              system_exe_types() & 1u << ROLLCALL_EXEC ? "exec" : "create");
}

static void check(struct reading *reading)
{
    struct config *config = reading->config;

    if (!reading->at[0] && !reading->at[1] && !reading->at[2]) {
        wrong(reading, 0, "says nothing to do: it needs program, command or log");
        return;
    }
    for (size_t i = KINDS; i < SETTINGS; i++)
        if (reading->at[i] && !(settings[i].kinds & FOR(config->kind)))
            wrong(reading, reading->at[i], "%s: it means nothing for this kind of handler",
                  settings[i].name);
    if (reading->at[find_setting("rotate-keep")] && !reading->at[find_setting("rotate-size")])
        wrong(reading, reading->at[find_setting("rotate-keep")],
              "rotate-keep: it needs rotate-size");
    check_filter(reading);
}

static void read_all(struct reading *reading)
{
    reading->config->text = read_text(reading);
    if (!reading->config->text)
        return;
    if (take_lines(reading, reading->config->text) < 0)
        wrong(reading, 0, "out of memory");
    if (!reading->wrong)
        check(reading);
}

/* The file's name is part of the consumer's. */
static bool check_name(struct reading *reading)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789_-";
    const char *name = reading->config->name;
    size_t most = ROLLCALL_NAME_MAX - strlen(CONFIG_PREFIX);

    if (*name && strlen(name) <= most && strspn(name, allowed) == strlen(name))
        return true;
    wrong(reading, 0,
          "the file's name before " CONFIG_ENDING " is the handler's: use 1 to %zu "
          "letters, digits, '_' and '-'",
          most);
    return false;
}

/* Who can change it can have us run anything. What cannot be looked at cannot be read either. */
static bool check_trust(struct reading *reading)
{
    int err;
    FILE *file = files_read(reading->path, &err);

    if (file)
        fclose(file);
    if (!file || files_is_trusted(reading->path))
        return true;
    wrong(reading, 0, "others can change it: let it belong to you or root, who alone may write it");
    return false;
}

struct config *config_read(const char *directory, const char *name)
{
    struct config *config = calloc(1, sizeof(*config));
    struct reading reading = {.config = config};
    struct config *read = NULL;

    if (config) {
        *config = (struct config){
            .window = 1000, .parallel = 4, .tries = 3, .rotate_keep = 5, .kind = CONFIG_KINDS};
        config->name = strdup(name);
    }
    if (!config || !config->name ||
        asprintf(&reading.path, "%s/%s" CONFIG_ENDING, directory, name) < 0) {
        complain("out of memory");
        config_free(config);
        return NULL;
    }
    if (check_name(&reading) && check_trust(&reading))
        read_all(&reading);
    if (!reading.wrong)
        read = config;
    else
        config_free(config);
    free(reading.path);
    return read;
}

void config_free(struct config *config)
{
    if (!config)
        return;
    filter_free(config->filter);
    account_free(config->user);
    words_free(config->words);
    free(config->log);
    free(config->text);
    free(config->name);
    free(config);
}
