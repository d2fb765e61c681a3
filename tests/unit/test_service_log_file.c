/* SPDX-License-Identifier: MIT */
/* Files of lines: users' names in paths, rotation, what is no file of ours, and half lines. */
#include "service/log_file.h"

#include <rollcall/rollcall.h>

#include <errno.h>
#include <fcntl.h>
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

static char directory[] = "/tmp/rollcall-log-XXXXXX";
static char path[128];

static int set_up(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/rollcall-log-XXXXXX");
    return mkdtemp(directory) ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[64];

    (void)state;
    snprintf(command, sizeof(command), "rm -r '%s'", directory);
    return system(command); // NOLINT(cert-env33-c)
}

static const char *in(const char *name)
{
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    return path;
}

static void expect_content(const char *name, const char *expected)
{
    char text[4096];
    FILE *file = fopen(in(name), "r");

    if (!file)
        fail_msg("there is no %s", name);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(text, expected);
}

static void write_content(const char *name, const char *content)
{
    FILE *file = fopen(in(name), "w");

    assert_non_null(file);
    fputs(content, file);
    fclose(file);
}

static void add(struct log_files *files, const char *user, const char *line)
{
    assert_int_equal(log_files_add(files, user, line, strlen(line)), 0);
}

/* ---- names ---- */

static void expect_path(const char *pattern, const char *user, const char *expected)
{
    char *made = log_file_path(pattern, user);

    assert_string_equal(made, expected);
    free(made);
}

static void test_names(void **state)
{
    (void)state;
    expect_path("/var/log/%u.json", "root", "/var/log/root.json");
    expect_path("/%u/%u-100%%", "a.b_c-1", "/a.b_c-1/a.b_c-1-100%");
    expect_path("/%u.json", "../../etc/passwd", "/%2e.%2f..%2fetc%2fpasswd.json");
    expect_path("/%u", "..", "/%2e.");
    expect_path("/%u", "a b\n", "/a%20b%0a");
    expect_path("/%u", "j\xc3\xb6rg", "/j\xc3\xb6rg");
    expect_path("/%u", "a\\b:c", "/a%5cb%3ac");
    expect_path("/%u", "+gaps", "/+gaps");
}

/* ---- writing ---- */

static void test_users(void **state)
{
    char pattern[64];
    struct log_files *files;
    struct stat st;

    (void)state;
    snprintf(pattern, sizeof(pattern), "%s/%%u.json", directory);
    files = log_files_new(pattern, 0, 5);
    add(files, "one", "1\n");
    add(files, "two", "2\n");
    add(files, "one", "3\n");
    assert_int_equal(access(in("one.json"), F_OK), -1);
    assert_int_equal(log_files_sync(files), 0);
    expect_content("one.json", "1\n3\n");
    expect_content("two.json", "2\n");
    assert_int_equal(stat(in("one.json"), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    log_files_free(files);
}

/* More users than files are open at a time. */
static void test_many_users(void **state)
{
    char pattern[64];
    char name[16];
    struct log_files *files;

    (void)state;
    snprintf(pattern, sizeof(pattern), "%s/%%u", directory);
    files = log_files_new(pattern, 0, 5);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 200; i++) {
            snprintf(name, sizeof(name), "%d", i);
            add(files, name, round ? "b\n" : "a\n");
        }
    }
    assert_int_equal(log_files_sync(files), 0);
    log_files_free(files);
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof(name), "%d", i);
        expect_content(name, "a\nb\n");
    }
}

static void test_rotation(void **state)
{
    char pattern[64];
    struct log_files *files;

    (void)state;
    snprintf(pattern, sizeof(pattern), "%s/log", directory);
    files = log_files_new(pattern, 10, 2);
    for (int i = 0; i < 7; i++) {
        char line[8];

        snprintf(line, sizeof(line), "%d234\n", i);
        add(files, "", line);
    }
    assert_int_equal(log_files_sync(files), 0);
    expect_content("log", "6234\n");
    expect_content("log.1", "4234\n5234\n");
    expect_content("log.2", "2234\n3234\n");
    assert_int_equal(access(in("log.3"), F_OK), -1);
    /* A line that is larger has a file of its own. */
    add(files, "", "longer than wanted\n");
    assert_int_equal(log_files_sync(files), 0);
    expect_content("log", "longer than wanted\n");
    log_files_free(files);
}

static void test_rotation_without_old_files(void **state)
{
    char pattern[64];
    struct log_files *files;

    (void)state;
    snprintf(pattern, sizeof(pattern), "%s/log", directory);
    files = log_files_new(pattern, 10, 0);
    for (int i = 0; i < 3; i++)
        add(files, "", "123456\n");
    assert_int_equal(log_files_sync(files), 0);
    expect_content("log", "123456\n");
    assert_int_equal(access(in("log.1"), F_OK), -1);
    log_files_free(files);
}

static void test_renamed_by_others(void **state)
{
    char pattern[64];
    char other[80];
    struct log_files *files;

    (void)state;
    snprintf(pattern, sizeof(pattern), "%s/log", directory);
    snprintf(other, sizeof(other), "%s.old", pattern);
    files = log_files_new(pattern, 0, 5);
    add(files, "", "1\n");
    assert_int_equal(log_files_sync(files), 0);
    assert_int_equal(rename(pattern, other), 0);
    add(files, "", "2\n");
    assert_int_equal(log_files_sync(files), 0);
    expect_content("log", "2\n");
    expect_content("log.old", "1\n");
    log_files_free(files);
}

/* A writer that was killed in the middle of a line. */
static void test_half_a_line(void **state)
{
    char pattern[64];
    struct log_files *files;

    (void)state;
    write_content("log", "1\n2\n{\"half");
    snprintf(pattern, sizeof(pattern), "%s/log", directory);
    files = log_files_new(pattern, 0, 5);
    add(files, "", "3\n");
    assert_int_equal(log_files_sync(files), 0);
    expect_content("log", "1\n2\n3\n");
    log_files_free(files);
}

/* ---- what is refused ---- */

static void expect_refused(const char *name, int error, const char *text)
{
    char pattern[128];
    struct log_files *files;

    snprintf(pattern, sizeof(pattern), "%s/%s", directory, name);
    files = log_files_new(pattern, 0, 5);
    add(files, "", "1\n");
    assert_int_equal(log_files_sync(files), error);
    assert_non_null(strstr(rollcall_error(), text));
    log_files_free(files);
}

static void test_refused(void **state)
{
    char byte;
    int reader;

    (void)state;
    write_content("target", "");
    assert_int_equal(symlink("target", in("link")), 0);
    assert_int_equal(mkfifo(in("pipe"), 0600), 0);
    reader = open(in("pipe"), O_RDONLY | O_NONBLOCK);
    assert_true(reader >= 0);
    expect_refused("link", -ELOOP, "it is a link");
    expect_refused("pipe", -EINVAL, "it is no plain file");
    assert_int_equal(read(reader, &byte, 1), 0);
    close(reader);
    expect_refused("no/where", -ENOENT, "No such file");
    expect_content("target", "");
}

/* On a full file system nothing of what was collected is left in the file. */
static void test_full(void **state)
{
    char command[160];
    char pattern[64];
    char line[8192];
    struct log_files *files;

    (void)state;
    snprintf(command, sizeof(command), "mount -t tmpfs -o size=16k none %s 2>/dev/null", directory);
    if (system(command) != 0) { // NOLINT(cert-env33-c)
        puts("no file system can be mounted: not tried");
        return;
    }
    memset(line, 'x', sizeof(line));
    line[sizeof(line) - 1] = '\n';
    snprintf(pattern, sizeof(pattern), "%s/log", directory);
    files = log_files_new(pattern, 0, 5);
    add(files, "", "1\n");
    assert_int_equal(log_files_sync(files), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(log_files_add(files, "", line, sizeof(line)), 0);
    assert_int_equal(log_files_sync(files), -ENOSPC);
    log_files_free(files);
    expect_content("log", "1\n");
    snprintf(command, sizeof(command), "umount %s", directory);
    assert_int_equal(system(command), 0); // NOLINT(cert-env33-c)
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        TEST(test_users),
        TEST(test_many_users),
        TEST(test_rotation),
        TEST(test_rotation_without_old_files),
        TEST(test_renamed_by_others),
        TEST(test_half_a_line),
        TEST(test_refused),
        TEST(test_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
