/* SPDX-License-Identifier: MIT */
/*
 * args-tool exec CASE PROGRAM: executes PROGRAM with the command line of that name.
 * args-tool check CASE PROGRAM FILE [BYTES]: whether the lines of JSON in FILE say just that; with
 * BYTES, that only so many of them were kept.
 */
#include "tests/commands/args_cases.h"

#include <err.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct bytes {
    char *data;
    size_t size;
};

static void append(struct bytes *bytes, const char *data, size_t size)
{
    bytes->data = realloc(bytes->data, bytes->size + size + 1);
    if (!bytes->data)
        err(2, "no memory");
    memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
}

static void append_hex(struct bytes *bytes, const char *hex, size_t size)
{
    for (size_t i = 0; i + 1 < size; i += 2) {
        const char digits[] = {hex[i], hex[i + 1], '\0'};
        char *end;
        char byte = (char)strtoul(digits, &end, 16);

        if (*end)
            errx(1, "'%s' is no hexadecimal number", digits);
        append(bytes, &byte, 1);
    }
}

/* One string, exactly: from its raw form if there is one. */
static void append_exact(struct bytes *bytes, const json_t *text, const json_t *raw)
{
    if (!json_is_string(text))
        errx(1, "a text that is no string");
    if (raw)
        append_hex(bytes, json_string_value(raw), json_string_length(raw));
    else
        append(bytes, json_string_value(text), json_string_length(text));
}

static struct bytes exact(const json_t *event, const char *name)
{
    const json_t *raw = json_object_get(json_object_get(event, "raw"), name);
    struct bytes bytes = {0};

    append(&bytes, "", 0);
    append_exact(&bytes, json_object_get(event, name), raw);
    return bytes;
}

static struct bytes exact_args(const json_t *event)
{
    const json_t *args = json_object_get(event, "args");
    const json_t *raw = json_object_get(json_object_get(event, "raw"), "args");
    struct bytes bytes = {0};

    append(&bytes, "", 0);
    if (!json_is_array(args) || (raw && json_array_size(raw) != json_array_size(args)))
        errx(1, "args, or what is raw of it, is not a list as long as it should be");
    for (size_t i = 0; i < json_array_size(args); i++) {
        append_exact(&bytes, json_array_get(args, i), json_array_get(raw, i));
        append(&bytes, "", 1);
    }
    return bytes;
}

static bool is_cut(const json_t *event)
{
    const json_t *names = json_object_get(event, "truncated");

    for (size_t i = 0; i < json_array_size(names); i++)
        if (strcmp(json_string_value(json_array_get(names, i)), "args") == 0)
            return true;
    return false;
}

static json_int_t full_size(const json_t *event)
{
    return json_integer_value(json_object_get(json_object_get(event, "full_size"), "args"));
}

/* kept: how many bytes there should be; what ends within a string has a NUL too much here. */
static void check_args(const json_t *event, const struct args *args, size_t kept)
{
    struct bytes found = exact_args(event);

    if (is_cut(event) != (kept < args->size))
        errx(1, "`truncated` is wrong");
    if (is_cut(event) && full_size(event) != (json_int_t)args->size)
        errx(1, "full_size is %lld and not %zu", (long long)full_size(event), args->size);
    if (found.size != kept && !(is_cut(event) && found.size == kept + 1))
        errx(1, "%zu bytes of arguments, not %zu", found.size, kept);
    if (memcmp(found.data, args->bytes, kept) != 0)
        errx(1, "the arguments are other ones");
    free(found.data);
}

static bool is_exec_of(const json_t *event, const char *program)
{
    const char *type = json_string_value(json_object_get(event, "type"));
    struct bytes exe;
    bool same;

    if (!type || strcmp(type, "exec") != 0)
        return false;
    exe = exact(event, "exe");
    same = exe.size == strlen(program) && memcmp(exe.data, program, exe.size) == 0;
    free(exe.data);
    return same;
}

/* Every line must be JSON, and one of them the exec of the program. */
static json_t *find_exec(const char *path, const char *program)
{
    FILE *file = fopen(path, "re");
    json_t *found = NULL;
    char *line = NULL;
    size_t room = 0;
    ssize_t size;

    if (!file)
        err(2, "%s", path);
    while ((size = getline(&line, &room, file)) > 0) {
        json_error_t error;
        json_t *event = json_loadb(line, (size_t)size, JSON_ALLOW_NUL, &error);

        if (!event)
            errx(1, "not JSON: %s", error.text);
        if (is_exec_of(event, program)) {
            json_decref(found);
            found = json_incref(event);
        }
        json_decref(event);
    }
    free(line);
    fclose(file);
    if (!found)
        errx(1, "no exec of %s in %s", program, path);
    return found;
}

static void check(const struct args *args, const char *program, const char *path, const char *bytes)
{
    json_t *event = find_exec(path, program);

    check_args(event, args, bytes ? strtoul(bytes, NULL, 10) : args->size);
    json_decref(event);
}

int main(int argc, char **argv)
{
    struct args args;

    if (argc < 4)
        errx(2, "usage: args-tool exec CASE PROGRAM | check CASE PROGRAM FILE [BYTES]");
    args_make(&args, argv[2]);
    if (strcmp(argv[1], "exec") == 0) {
        execv(argv[3], args.argv);
        err(2, "%s", argv[3]);
    }
    if (argc < 5)
        errx(2, "check needs a file");
    check(&args, argv[3], argv[4], argv[5]);
    args_free(&args);
    return 0;
}
