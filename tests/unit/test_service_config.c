/* SPDX-License-Identifier: MIT */
/* Handlers' files: what is understood, and what is said of what is not. */
#include "service/config.h"

#include "program/complain.h"
#include "program/status.h"
#include "service/handlers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[] = "/tmp/rollcall-config-XXXXXX";
static char said[4096];

static void note(const char *text)
{
    snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s\n", text);
}

static const char *in_directory(const char *name)
{
    static char path[128];

    snprintf(path, sizeof(path), "%s/%s.conf", directory, name);
    return path;
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(in_directory(name), "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    said[0] = '\0';
    complain_to(note);
}

static struct config *read_text(const char *text)
{
    write_file("one", text);
    return config_read(directory, "one");
}

static struct config *read_right(const char *text)
{
    struct config *config = read_text(text);

    if (!config)
        fail_msg("%s", said);
    assert_string_equal(said, "");
    return config;
}

static void expect_wrong(const char *text, const char *message)
{
    struct config *config = read_text(text);

    if (config || !strstr(said, message))
        fail_msg("of\n%s\nis said:\n%s", text, said);
}

static void test_program(void **state)
{
    struct config *config = read_right("; what\n[handler]\nprogram = /bin/cat -u 'a b'\n");

    (void)state;
    assert_string_equal(config->name, "one");
    assert_int_equal(config->kind, CONFIG_PROGRAM);
    assert_string_equal(config->words[0], "/bin/cat");
    assert_string_equal(config->words[2], "a b");
    assert_null(config->words[3]);
    assert_null(config->filter);
    assert_null(config->user);
    assert_false(config->from_oldest);
    assert_false(config->self);
    assert_int_equal(config->window, 1000);
    assert_int_equal(config->timeout_ns, 0);
    config_free(config);
}

static void test_all(void **state)
{
    struct config *config =
        read_right("[handler]\nfilter = type=exec exe=/tmp/*\nfilter = uid=0\ncommand = /bin/true\n"
                   "parallel = 7\ntries=1\ntimeout = 1.5s\nfrom = oldest\nself = yes\n");

    (void)state;
    assert_int_equal(config->kind, CONFIG_COMMAND);
    assert_int_equal(config->parallel, 7);
    assert_int_equal(config->tries, 1);
    assert_int_equal(config->timeout_ns, 1500000000);
    assert_true(config->from_oldest);
    assert_true(config->self);
    assert_true(config->filter_exe);
    config_free(config);
    config = read_right("[handler]\nlog = /var/log/%u.json\nrotate-size = 1M\nrotate-keep = 0\n");
    assert_int_equal(config->kind, CONFIG_LOG_FILE);
    assert_int_equal(config->rotate_size, 1 << 20);
    assert_int_equal(config->rotate_keep, 0);
    config_free(config);
    config = read_right("[handler]\nlog = syslog\n");
    assert_int_equal(config->kind, CONFIG_LOG_SYSTEM);
    config_free(config);
}

static void test_wrong_values(void **state)
{
    (void)state;
    expect_wrong("[handler]\nprogram = bin/cat\n",
                 "one.conf:2: program = bin/cat: write the whole");
    expect_wrong("[handler]\nprogram = /a 'b\n", "one.conf:2: program = /a 'b: a quote is not");
    expect_wrong("[handler]\ncommand =\n", "there is no word");
    expect_wrong("[handler]\nlog = here\n", "it is the whole path of a file, in which %u may stand "
                                            "for the user, or syslog, journal");
    expect_wrong("[handler]\nlog = /%x\n", "it is the whole path");
    expect_wrong("[handler]\nlog = /100%\n", "it is the whole path");
    expect_wrong("[handler]\nlog = /a\nfilter = pod=7\n", "one.conf:3: filter = pod=7: 'pod=7' is");
    expect_wrong("[handler]\nlog = /a\nfrom = then\n", "it is now or oldest");
    expect_wrong("[handler]\nlog = /a\nself = maybe\n", "it is yes or no");
    expect_wrong("[handler]\nprogram = /a\nwindow = 0\n", "it is a number from 1 to 100000");
    expect_wrong("[handler]\nprogram = /a\nwindow = 100001\n", "it is a number from 1 to 100000");
    expect_wrong("[handler]\ncommand = /a\nparallel = 61\n", "it is a number from 1 to 60");
    expect_wrong("[handler]\ncommand = /a\ntries = x\n", "it is a number from 1 to 1000");
    expect_wrong("[handler]\ncommand = /a\ntimeout = soon\n", "it is a duration");
    expect_wrong("[handler]\nlog = /a\nrotate-size = 1\n", "it is a size from 4K");
    expect_wrong("[handler]\nprogram = /a\nuser = no-such-user\n",
                 geteuid() == 0 ? "there is no such user" : "only root");
}

static void test_wrong_files(void **state)
{
    (void)state;
    expect_wrong("", "one.conf: says nothing to do");
    expect_wrong("[handler]\n", "one.conf: says nothing to do");
    expect_wrong("program = /a\n", "one.conf:1: program: it does not stand in the section");
    expect_wrong("[other]\nprogram = /a\n", "one.conf:1: [other]: there is no such section");
    expect_wrong("[other]\nprogram = /a\n", "one.conf:2: program: it does not stand");
    expect_wrong("[handler]\nprogram = /a\nwhat = 1\n", "one.conf:3: what: there is no such");
    expect_wrong("[handler]\nprogram = /a\nlog = /b\n", "one.conf:3: log: a handler has one of");
    expect_wrong("[handler]\nprogram = /a\nwindow = 1\nwindow = 2\n", "one.conf:4: window: line 3");
    expect_wrong("[handler]\nprogram = /a\n -b\n", "one.conf:3: '-b' is no line");
    expect_wrong("[handler]\nprogram\n", "one.conf:2: 'program' is no line");
    expect_wrong("[handler]\nprogram = /a\nparallel = 1\n",
                 "one.conf:3: parallel: it means nothing");
    expect_wrong("[handler]\nlog = syslog\nrotate-size = 1M\n", "rotate-size: it means nothing");
    expect_wrong("[handler]\nlog = /a\nrotate-keep = 1\n", "rotate-keep: it needs rotate-size");
    expect_wrong("[handler]\nlog = /a\nfilter = descendants-of=7\n", "descendants-of= is not for");
    expect_wrong("[handler]\nlog = /a\nfilter = exe=/tmp/*\n", "exe= needs type=exec beside it");
    expect_wrong("[handler]\nlog = /a\nfilter = exe=/tmp/* type=exec,exit\n", "exe= needs type=");
}

/* All that is wrong is said, not only the first. */
static void test_all_is_said(void **state)
{
    (void)state;
    expect_wrong("[handler]\nwindow = 0\nwhat = 1\nprogram = a\n", "one.conf:2: window");
    assert_non_null(strstr(said, "one.conf:3: what"));
    assert_non_null(strstr(said, "one.conf:4: program"));
}

static void test_lines(void **state)
{
    char text[4096];
    struct config *config =
        read_right("\n# one\n ; two\n\t[handler]  \r\n  log=/a = b ; c \t\r\n\n");

    (void)state;
    assert_string_equal(config->log, "/a = b ; c");
    config_free(config);
    config = read_right("[handler]\nlog = /a"); /* no end of the last line */
    assert_string_equal(config->log, "/a");
    config_free(config);
    snprintf(text, sizeof(text), "[handler]\nprogram = /bin/cat %03000d\n", 0);
    config = read_right(text);
    assert_int_equal(strlen(config->words[1]), 3000);
    config_free(config);
}

/* Of files that are no handlers' at all. */
static void test_large(void **state)
{
    char *text = calloc(1, 70001);

    (void)state;
    memset(text, '\n', 70000);
    expect_wrong(text, "one.conf: has more than 65536 bytes");
    free(text);
    write_file("one", "[handler]\nlog = /a\n");
    assert_int_equal(truncate(in_directory("one"), 100), 0); /* adds bytes 0 */
    assert_null(config_read(directory, "one"));
    assert_non_null(strstr(said, "one.conf: is no text"));
}

static void test_trust(void **state)
{
    unsigned count;

    (void)state;
    write_file("one", "[handler]\nlog = /a\n");
    assert_int_equal(chmod(in_directory("one"), 0622), 0);
    assert_null(config_read(directory, "one"));
    assert_non_null(strstr(said, "one.conf: others can change it"));
    assert_int_equal(chmod(in_directory("one"), 0644), 0);
    assert_int_equal(chmod(directory, 0777), 0);
    assert_false(handlers_check(directory, &count));
    assert_non_null(strstr(said, "others can change the directory"));
    assert_int_equal(chmod(directory, 0755), 0);
    assert_true(handlers_check(directory, &count));
}

static void test_names(void **state)
{
    unsigned count;

    (void)state;
    write_file("one", "[handler]\nlog = /a\n");
    write_file("two", "[handler]\nlog = /a\n");
    assert_true(handlers_check(directory, &count));
    assert_int_equal(count, 2);
    write_file("no name", "[handler]\nlog = /a\n");
    assert_false(handlers_check(directory, &count));
    assert_non_null(strstr(said, "no name.conf: the file's name before .conf"));
    assert_false(handlers_check("/nowhere", &count));
    assert_non_null(strstr(said, "cannot read the directory '/nowhere'"));
}

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(directory) ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[64];

    (void)state;
    snprintf(command, sizeof(command), "rm -r '%s'", directory);
    return system(command); // NOLINT(cert-env33-c)
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_program),      cmocka_unit_test(test_all),
        cmocka_unit_test(test_wrong_values), cmocka_unit_test(test_wrong_files),
        cmocka_unit_test(test_all_is_said),  cmocka_unit_test(test_lines),
        cmocka_unit_test(test_large),        cmocka_unit_test(test_trust),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
