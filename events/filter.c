/* SPDX-License-Identifier: MIT */
#include "events/filter.h"

#include "program/parse.h"
#include "program/system.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum key { KEY_PID, KEY_PPID, KEY_UID, KEY_COMM, KEY_EXE, KEY_TYPE, KEY_DESCENDANTS_OF, KEYS };

static const char *const key_names[KEYS] = {"pid", "ppid", "uid",           "comm",
                                            "exe", "type", "descendants-of"};

struct value {
    struct value *next;
    uint64_t number;
    char *pattern; /* of comm and exe */
};

struct filter {
    struct filter *next; /* the next term */
    enum key key;
    bool none; /* none of the values may fit */
    struct value *values;
};

static void free_term(struct filter *term)
{
    while (term->values) {
        struct value *value = term->values;

        term->values = value->next;
        free(value->pattern);
        free(value);
    }
    free(term);
}

/* Frees the terms before `end`, which were added after it. */
static void free_terms(struct filter *filter, const struct filter *end)
{
    while (filter != end) {
        struct filter *next = filter->next;

        free_term(filter);
        filter = next;
    }
}

void filter_free(struct filter *filter)
{
    free_terms(filter, NULL);
}

/* ---- reading an expression ---- */

static bool find_user(const char *text, uint64_t *uid)
{
    uint32_t number;

    if (parse_number(text, UINT32_MAX, uid))
        return true;
    if (!system_find_user(text, &number))
        return false;
    *uid = number;
    return true;
}

static bool find_type(const char *text, uint64_t *type)
{
    for (unsigned i = ROLLCALL_CREATE; i <= ROLLCALL_SYNCED; i++) {
        if (strcmp(text, rollcall_type_name(i)) == 0) {
            *type = i;
            return true;
        }
    }
    return false;
}

/* Understands one value of a key. NULL, or what it should be. */
static const char *read_value(enum key key, const char *text, struct value *value)
{
    switch (key) {
    case KEY_COMM:
    case KEY_EXE:
        value->pattern = strdup(text);
        return *text ? NULL : "a pattern";
    case KEY_UID:
        return find_user(text, &value->number) ? NULL : "a user's name or number";
    case KEY_TYPE:
        return find_type(text, &value->number) ? NULL : "create, exec, exit, exists or synced";
    case KEY_PPID: /* 0: what the kernel started itself */
        return parse_number(text, UINT32_MAX, &value->number) ? NULL : "a pid, or 0";
    default:
        return parse_number(text, UINT32_MAX, &value->number) && value->number ? NULL : "a pid";
    }
}

/* Copies one value, up to a comma or space, into `text`; returns where it ends, NULL: a quote is
 * not closed. */
static const char *copy_value(const char *from, char *text)
{
    char quote = '\0';

    for (; *from && (quote || (*from != ',' && !isspace((unsigned char)*from))); from++) {
        if (*from == quote)
            quote = '\0';
        else if (!quote && (*from == '\'' || *from == '"'))
            quote = *from;
        else
            *text++ = *from;
    }
    *text = '\0';
    return quote ? NULL : from;
}

__attribute__((format(printf, 2, 3))) static int wrong(char error[FILTER_ERROR_SIZE],
                                                       const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(error, FILTER_ERROR_SIZE, format, args);
    va_end(args);
    return -EINVAL;
}

static int add_value(struct filter *term, const char *text, char error[FILTER_ERROR_SIZE])
{
    struct value *value = calloc(1, sizeof(*value));
    const char *should;

    if (!value)
        return -ENOMEM;
    value->next = term->values;
    term->values = value;
    should = read_value(term->key, text, value);
    if (!should)
        return 0;
    return wrong(error, "'%s' is not what %s can be compared with: use %s", text,
                 key_names[term->key], should);
}

static int read_values(struct filter *term, const char **rest, char error[FILTER_ERROR_SIZE])
{
    char *text = malloc(strlen(*rest) + 1);
    int err = text ? 0 : -ENOMEM;

    while (err == 0) {
        const char *end = copy_value(*rest, text);

        if (!end) {
            err = wrong(error, "a quote is not closed in '%s'", *rest);
            break;
        }
        err = add_value(term, text, error);
        *rest = end + (*end == ',');
        if (*end != ',')
            break;
    }
    free(text);
    return err;
}

/* "key=" or "key!="; returns where the values begin, NULL: it is neither. */
static const char *read_key(const char *expression, struct filter *term)
{
    for (unsigned key = 0; key < KEYS; key++) {
        size_t n = strlen(key_names[key]);
        const char *rest = expression + n;

        if (strncmp(expression, key_names[key], n) != 0)
            continue;
        term->key = (enum key)key;
        term->none = *rest == '!';
        rest += term->none;
        if (*rest == '=')
            return rest + 1;
    }
    return NULL;
}

static int read_term(struct filter **filter, const char **rest, char error[FILTER_ERROR_SIZE])
{
    struct filter *term = calloc(1, sizeof(*term));
    const char *values;
    int err;

    if (!term)
        return -ENOMEM;
    values = read_key(*rest, term);
    if (!values) {
        free(term);
        return wrong(error,
                     "'%s' is not understood: use pid=, ppid=, uid=, comm=, exe=, type= or "
                     "descendants-of=, or != instead of =",
                     *rest);
    }
    *rest = values;
    err = read_values(term, rest, error);
    if (err == 0 && term->key == KEY_DESCENDANTS_OF &&
        (term->none || term->values->next || filter_ancestor(*filter)))
        err = wrong(error, "descendants-of takes one pid, once, and no !=");
    if (err < 0) {
        free_term(term);
        return err;
    }
    term->next = *filter;
    *filter = term;
    return 0;
}

int filter_add(struct filter **filter, const char *expression, char error[FILTER_ERROR_SIZE])
{
    const char *rest = expression + strspn(expression, " \t\n");
    struct filter *before = *filter;
    int err;

    if (!*rest)
        return wrong(error, "the filter is empty: use for example type=exec");
    while (*rest) {
        err = read_term(filter, &rest, error);
        if (err < 0) {
            free_terms(*filter, before);
            *filter = before;
            return err;
        }
        rest += strspn(rest, " \t\n");
    }
    return 0;
}

/* ---- asking ---- */

bool filter_needs_existing(const struct filter *filter)
{
    for (; filter; filter = filter->next)
        if (filter->key == KEY_EXE || filter->key == KEY_DESCENDANTS_OF)
            return true;
    return false;
}

uint32_t filter_ancestor(const struct filter *filter)
{
    for (; filter; filter = filter->next)
        if (filter->key == KEY_DESCENDANTS_OF)
            return (uint32_t)filter->values->number;
    return 0;
}

static bool fits(enum key key, const struct value *value, const struct rollcall_event *event,
                 const struct process *process)
{
    char comm[sizeof(event->comm) + 1] = {0};

    switch (key) {
    case KEY_PID:
        return event->pid == value->number;
    case KEY_PPID:
        return event->present & ROLLCALL_HAS_PARENT && event->ppid == value->number;
    case KEY_UID:
        return event->present & ROLLCALL_HAS_USER && event->uid == value->number;
    case KEY_COMM:
        memcpy(comm, event->comm, sizeof(event->comm));
        return value->pattern && system_glob(value->pattern, comm);
    case KEY_EXE:
        return value->pattern && process && process->exe &&
               system_glob(value->pattern, process->exe);
    case KEY_TYPE:
        return event->type == value->number;
    case KEY_DESCENDANTS_OF:
        return process && process->followed;
    default:
        return false;
    }
}

static bool term_holds(const struct filter *term, const struct rollcall_event *event,
                       const struct process *process)
{
    for (const struct value *value = term->values; value; value = value->next)
        if (fits(term->key, value, event, process))
            return !term->none;
    return term->none;
}

static bool may_be(const struct filter *filter, unsigned type)
{
    const struct rollcall_event event = {.type = (uint16_t)type};

    for (; filter; filter = filter->next)
        if (filter->key == KEY_TYPE && !term_holds(filter, &event, NULL))
            return false;
    return true;
}

unsigned filter_types(const struct filter *filter)
{
    unsigned types = 0;

    for (unsigned type = ROLLCALL_CREATE; type <= ROLLCALL_SYNCED; type++)
        if (may_be(filter, type))
            types |= 1u << type;
    return types | 1u << ROLLCALL_GAP;
}

bool filter_passes(const struct filter *filter, const struct rollcall_event *event,
                   const struct process *process)
{
    if (event->type == ROLLCALL_GAP)
        return true;
    for (; filter; filter = filter->next)
        if ((event->type != ROLLCALL_SYNCED || filter->key == KEY_TYPE) &&
            !term_holds(filter, event, process))
            return false;
    return true;
}
