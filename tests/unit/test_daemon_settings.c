/* SPDX-License-Identifier: MIT */
/* The command line and the configuration file of rollcalld. */
#include "linux/daemon/settings.h"

#include "program/complain.h"
#include "program/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char complaint[1024];
static struct settings settings;

static void note(const char *text)
{
    snprintf(complaint, sizeof(complaint), "%s", text);
}

static int read_arguments(const char *first, const char *second, const char *third)
{
    const char *arguments[] = {"rollcalld", first, second, third, NULL};
    int count = 1;

    while (arguments[count])
        count++;
    settings_free(&settings);
    memset(&settings, 0, sizeof(settings));
    complaint[0] = '\0';
    complain_to(note);
    return settings_read(&settings, count, (char **)(uintptr_t)arguments);
}

static int read_config(const char *text, const char *option)
{
    char path[] = "/tmp/rollcalld-config-XXXXXX";
    char argument[64];
    int fd = mkstemp(path);
    int status;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    snprintf(argument, sizeof(argument), "--config=%s", path);
    status = read_arguments(argument, option, NULL);
    unlink(path);
    return status;
}

static void test_defaults(void **state)
{
    (void)state;
    assert_int_equal(read_arguments(NULL, NULL, NULL), EXIT_OK);
    assert_string_equal(settings.socket, "/run/rollcall/rollcalld.socket");
    assert_string_equal(settings.journal, "/var/lib/rollcall/journal.db");
    assert_string_equal(settings.capture.name, "rollcalld");
    assert_int_equal(settings.capture.flags, ROLLCALL_DIRECT);
    assert_int_equal(settings.memory, 32u << 20);
    assert_int_equal(settings.access.count, 0);
    assert_null(settings.metrics);
    assert_true(settings.confine);
}

static void test_command_line(void **state)
{
    (void)state;
    assert_int_equal(read_arguments("--keep-age=2h", "--memory", "1M"), EXIT_OK);
    assert_int_equal(settings.retention.keep_seconds, 7200);
    assert_int_equal(settings.memory, 1u << 20);
    assert_int_equal(read_arguments("--group=root", NULL, NULL), EXIT_OK);
    assert_int_equal(settings.access.count, 1);
    assert_int_equal(settings.access.rules[0].rights, RIGHT_OWN | RIGHT_ALL);
}

static void expect_usage(const char *first, const char *second, const char *text)
{
    assert_int_equal(read_arguments(first, second, NULL), EXIT_USAGE);
    assert_non_null(strstr(complaint, text));
}

static void test_wrong(void **state)
{
    (void)state;
    expect_usage("--memory=1023K", NULL, "--memory takes a size from 1M to 1G, not '1023K'");
    expect_usage("--memory=2G", NULL, "--memory takes");
    expect_usage("--args-max=129K", NULL, "--args-max takes");
    expect_usage("--ring-size=5000", NULL, "--ring-size takes");
    expect_usage("--latency=2s", NULL, "--latency takes");
    expect_usage("--keep-size=1K", NULL, "--keep-size takes");
    expect_usage("--socket", "", "--socket takes a path, not ''");
    expect_usage("--group=no-such-group", NULL, "there is no group 'no-such-group'");
    expect_usage("more", NULL, "'more' is too much");
    expect_usage("--confine=maybe", NULL, "--confine takes yes or no, not 'maybe'");
    expect_usage("--config=/nowhere", NULL, "cannot read '/nowhere'");
}

static void test_policy(void **state)
{
    (void)state;
    assert_int_equal(read_arguments("--on-full=gap", NULL, NULL), EXIT_OK);
    assert_int_equal(settings.capture.on_full, ROLLCALL_ON_FULL_GAP);
    assert_int_equal(
        read_arguments("--on-full=deny", "--deny-grace=90s", "--deny-exempt=/sys/fs/cgroup/x"),
        EXIT_OK);
    assert_int_equal(settings.capture.on_full, ROLLCALL_ON_FULL_DENY);
    assert_int_equal(settings.capture.deny_grace_ms, 90000);
    assert_string_equal(settings.capture.deny_exempt, "/sys/fs/cgroup/x");
    expect_usage("--on-full=drop", NULL, "--on-full takes gap or deny, not 'drop'");
    expect_usage("--on-full=deny", "--deny-grace=2d", "--deny-grace takes a duration");
    expect_usage("--deny-grace=2s", NULL, "are for `on-full = deny`");
    expect_usage("--deny-exempt=/x", "--on-full=gap", "are for `on-full = deny`");
}

/* Where metrics can be had; others than this machine's users only if that is said. */
static void test_metrics(void **state)
{
    static const char *const wrong[] = {
        "127.0.0.1",       "localhost:9127",   "127.0.0.1:",   "127.0.0.1:0",
        "127.0.0.1:65536", "127.0.0.1:1x",     ":9127",        "[::1:9127",
        "::1:9127",        "[127.0.0.1]:9127", "relative/path"};
    static const char *const local[] = {"127.0.0.1:9127", "127.9.9.9:1", "[::1]:65535", "/run/x"};
    static const char *const open[] = {"0.0.0.0:9127", "[::]:9127", "192.0.2.1:9127",
                                       "[::ffff:127.0.0.1]:9127"};

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        expect_usage("--metrics", wrong[i], "--metrics takes an address and a port");
    for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++) {
        assert_int_equal(read_arguments("--metrics", local[i], NULL), EXIT_OK);
        assert_string_equal(settings.metrics, local[i]);
    }
    for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++) {
        expect_usage("--metrics", open[i], "could be read from other machines");
        assert_int_equal(read_arguments("--metrics", open[i], "--metrics-anywhere=yes"), EXIT_OK);
    }
}

static void test_file(void **state)
{
    (void)state;
    assert_int_equal(read_config("# what\n[daemon]\nmemory = 2M\nkeep-size = 5M\n"
                                 "[read-own]\nusers = *\n[read-all]\ngroups = 7, 8\n"
                                 "[durable]\nusers = root 12\n",
                                 "--memory=3M"),
                     EXIT_OK);
    /* The command line has the last word. */
    assert_int_equal(settings.memory, 3u << 20);
    assert_int_equal(settings.retention.keep_bytes, 5u << 20);
    assert_int_equal(settings.access.count, 5);
    assert_true(settings.access.rules[0].any);
    assert_int_equal(settings.access.rules[0].rights, RIGHT_OWN);
    assert_true(settings.access.rules[1].group);
    assert_int_equal(settings.access.rules[2].id, 8);
    assert_int_equal(settings.access.rules[2].rights, RIGHT_OWN | RIGHT_ALL);
    assert_false(settings.access.rules[3].group);
    assert_int_equal(settings.access.rules[3].id, 0);
    assert_int_equal(settings.access.rules[4].rights, RIGHT_OWN | RIGHT_ALL | RIGHT_DURABLE);
}

static void expect_wrong_file(const char *text)
{
    assert_int_equal(read_config(text, NULL), EXIT_USAGE);
    assert_non_null(strstr(complaint, "line"));
}

static void test_wrong_file(void **state)
{
    (void)state;
    expect_wrong_file("[daemon]\nmemory = much\n");
    expect_wrong_file("[daemon]\nconfig = /etc/x\n");
    expect_wrong_file("[deamon]\nmemory = 2M\n");
    expect_wrong_file("[read-all]\nuser = root\n");
    expect_wrong_file("[read-all]\nusers = no-such-user\n");
    expect_wrong_file("[read-all]\nusers = -1\n");
    expect_wrong_file("[daemon]\nmemory\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),   cmocka_unit_test(test_command_line),
        cmocka_unit_test(test_wrong),      cmocka_unit_test(test_file),
        cmocka_unit_test(test_wrong_file), cmocka_unit_test(test_metrics),
        cmocka_unit_test(test_policy),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    settings_free(&settings);
    return failed;
}
