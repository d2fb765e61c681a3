/* SPDX-License-Identifier: MIT */
/* Text from processes on a terminal: a shell gives the same bytes back, and nothing steers. */
#include "events/text.h"
#include "lib/utf8.h"
#include "tests/unit/sample_events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define NO_LIMIT    ((size_t)1 << 30)
#define TEXTS       1024
#define TEXT_ROOM   64

/* ---- what a shell makes of it ---- */

struct texts {
    char bytes[TEXTS][TEXT_ROOM];
    size_t sizes[TEXTS];
    size_t count;
};

static void add_text(struct texts *texts, const void *bytes, size_t size)
{
    assert_true(texts->count < TEXTS && size < TEXT_ROOM);
    memcpy(texts->bytes[texts->count], bytes, size);
    texts->sizes[texts->count++] = size;
}

/* A script that prints each text, ended by NUL. */
static void write_script(struct written *script, const struct texts *texts)
{
    written_begin(script);
    fputs("printf '%s\\0'", script->file);
    for (size_t i = 0; i < texts->count; i++) {
        fputc(' ', script->file);
        text_quote(script->file, texts->bytes[i], texts->sizes[i], NO_LIMIT);
    }
    fputc('\n', script->file);
    written_end(script);
}

/* The exit status of a bash that runs the script; what it prints goes to `out`. */
static int run_bash(const char *path, int out)
{
    pid_t pid = fork();
    int status;

    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(out, STDOUT_FILENO);
        execlp("bash", "bash", path, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Runs the script; returns how many bytes it printed. */
static size_t run_script(const char *script, char *out, size_t room)
{
    char path[] = "/tmp/rollcall-text-XXXXXX";
    FILE *printed = tmpfile();
    int fd = mkstemp(path);
    size_t got;
    int status;

    assert_true(printed && fd >= 0);
    assert_int_equal(write(fd, script, strlen(script)), strlen(script));
    close(fd);
    status = run_bash(path, fileno(printed));
    unlink(path);
    assert_int_equal(status, 0);
    rewind(printed);
    got = fread(out, 1, room, printed);
    fclose(printed);
    return got;
}

static void expect_same_from_shell(const struct texts *texts)
{
    size_t room = (size_t)TEXTS * TEXT_ROOM;
    char *out = malloc(room);
    struct written script;
    size_t size;
    size_t at = 0;

    assert_non_null(out);
    write_script(&script, texts);
    assert_int_equal(strlen(script.text), script.size);
    size = run_script(script.text, out, room);
    for (size_t i = 0; i < texts->count; i++) {
        size_t n = texts->sizes[i];

        if (at + n >= size || memcmp(out + at, texts->bytes[i], n) != 0 || out[at + n] != '\0')
            fail_msg("text %zu comes back as another one; the script is\n%s", i, script.text);
        at += n + 1;
    }
    assert_int_equal(at, size);
    written_free(&script);
    free(out);
}

static int setup(void **state)
{
    *state = calloc(1, sizeof(struct texts));
    if (run_bash("/dev/null", STDOUT_FILENO) == 0)
        return *state ? 0 : -1;
    print_message("skipped: there is no bash\n");
    exit(77);
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

/* All but NUL, which no argument can have. */
static void test_every_byte(void **state)
{
    struct texts *texts = *state;

    for (unsigned byte = 1; byte < 256; byte++) {
        char alone = (char)byte;
        char within[] = {'a', (char)byte, 'b'};
        char before_digits[] = {(char)byte, '0', '7', 'f'};

        add_text(texts, &alone, 1);
        add_text(texts, within, sizeof(within));
        add_text(texts, before_digits, sizeof(before_digits));
    }
    expect_same_from_shell(texts);
}

static void test_words(void **state)
{
    static const char *const words[] = {"",
                                        "plain",
                                        "--option=value",
                                        "/usr/bin/x_y-z.1,2:3%4@5+6^7",
                                        "two words",
                                        " ",
                                        "'",
                                        "''",
                                        "it's",
                                        "\"",
                                        "say \"so\"",
                                        "it's \"both\"",
                                        "\\",
                                        "a\\nb",
                                        "\\'",
                                        "$HOME `id` $(id) ${x} $'x'",
                                        "~",
                                        "~root",
                                        "!!",
                                        "a!b",
                                        "#comment",
                                        "*",
                                        "[a-z]?",
                                        "{a,b}",
                                        "a&b|c;d<e>f(g)",
                                        "line\nline\n",
                                        "\n",
                                        "\t\r\v\f\b\a\033",
                                        "\x1b[31mred\x1b[0m",
                                        "gr\xc3\xbc\xc3\x9f",
                                        "gr\xc3\xbc\xc3\x9f two",
                                        "\xf0\x9f\x98\x80",
                                        "\xf0\x9f\x98\x80\n",
                                        "\xc2\x9b[31m",
                                        "\xc2\xa0",
                                        "cut \xf0\x9f\x98",
                                        "\xff\x66\x30",
                                        "\x7f",
                                        "exe\xe2\x80\xaetxt.sh",
                                        "-n",
                                        "-e",
                                        "--",
                                        "a=b",
                                        "FOO=bar baz"};

    for (size_t i = 0; i < COUNT(words); i++)
        add_text(*state, words[i], strlen(words[i]));
    expect_same_from_shell(*state);
}

/* ---- how it looks ---- */

static void expect_quoted(const char *text, const char *expected)
{
    struct written out;
    size_t columns;

    written_begin(&out);
    columns = text_quote(out.file, text, strlen(text), NO_LIMIT);
    written_end(&out);
    assert_string_equal(out.text, expected);
    assert_int_equal(columns, text_columns(expected));
    written_free(&out);
}

static void test_looks(void **state)
{
    (void)state;
    expect_quoted("plain", "plain");
    expect_quoted("", "''");
    expect_quoted("two words", "'two words'");
    expect_quoted("a\\b", "'a\\b'");
    expect_quoted("a!b", "'a!b'"); /* the history of a shell that is typed into */
    expect_quoted("it's", "$'it\\'s'");
    expect_quoted("a\nb\\", "$'a\\nb\\\\'");
    expect_quoted("\x01\xff", "$'\\x01\\xff'");
    expect_quoted("gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f");
    expect_quoted("\xc2\x9b", "$'\\xc2\\x9b'");
}

static void test_what_turns_the_text(void **state)
{
    (void)state;
    for (unsigned code = 0x2000; code < 0x2100; code++) {
        char text[] = {'\xe2', (char)(0x80 | (code >> 6 & 0x3f)), (char)(0x80 | (code & 0x3f)), 0};
        bool turns = code == 0x200e || code == 0x200f || (code >= 0x2028 && code <= 0x202e) ||
                     (code >= 0x2066 && code <= 0x2069);
        char escaped[32];

        snprintf(escaped, sizeof(escaped), "$'\\xe2\\x%02x\\x%02x'", (unsigned char)text[1],
                 (unsigned char)text[2]);
        expect_quoted(text, turns ? escaped : text);
    }
}

/* No control character, of the second kind either, and nothing that is not UTF-8. */
static void expect_harmless(const char *text, size_t size)
{
    size_t n;

    assert_true(utf8_valid(text, size));
    for (size_t i = 0; i < size; i += n) {
        unsigned char c = (unsigned char)text[i];

        n = utf8_character(text + i, size - i);
        assert_true(c >= 0x20 && c != 0x7f);
        assert_false(c == 0xc2 && (unsigned char)text[i + 1] < 0xa0);
    }
}

static void expect_both_harmless(const char *text, size_t size, size_t room)
{
    struct written out;
    char *escaped;

    written_begin(&out);
    text_quote(out.file, text, size, room);
    written_end(&out);
    expect_harmless(out.text, out.size);
    written_free(&out);
    escaped = text_escaped(text, size);
    assert_non_null(escaped);
    expect_harmless(escaped, strlen(escaped));
    free(escaped);
}

static void test_nothing_steers(void **state)
{
    static const char *const attacks[] = {"\033[2J",   "\033]0;title\a", "a\rb",
                                          "\xc2\x9bJ", "x\x9b[2J",       "\x7f\b\b"};
    uint64_t seed = 88172645463325252ull;

    (void)state;
    for (size_t i = 0; i < COUNT(attacks); i++)
        for (size_t room = 0; room < 16; room++)
            expect_both_harmless(attacks[i], strlen(attacks[i]), room);
    for (int round = 0; round < 20000; round++) {
        char text[16];

        for (size_t i = 0; i < sizeof(text); i++) {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            text[i] = (char)(seed >> 32);
        }
        expect_both_harmless(text, sizeof(text), (size_t)round % 40);
    }
}

static void expect_escaped(const char *text, size_t size, const char *expected)
{
    char *escaped = text_escaped(text, size);

    assert_non_null(escaped);
    assert_string_equal(escaped, expected);
    free(escaped);
}

static void test_escape(void **state)
{
    (void)state;
    expect_escaped("it's \\plain", 11, "it's \\plain");
    expect_escaped("a\nb\x01", 4, "a\\nb\\x01");
    expect_escaped("a\0b", 3, "a\\x00b");
    expect_escaped("\xff\xc3\xbc", 3, "\\xff\xc3\xbc");
    expect_escaped("", 0, "");
}

/* ---- limits ---- */

static void test_room(void **state)
{
    static const char *const texts[] = {"plainplainplainplainplainplain", "two words and some more",
                                        "\xc3\xbc\xc3\xbc-\xc3\xbc 0123456789 0123456789"};

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        for (size_t room = 8; room < 18; room++) {
            struct written out;
            size_t columns;

            written_begin(&out);
            columns = text_quote(out.file, texts[i], strlen(texts[i]), room);
            written_end(&out);
            assert_int_equal(columns, text_columns(out.text));
            assert_true(columns <= room);
            assert_non_null(strstr(out.text, "..."));
            assert_true(utf8_valid(out.text, out.size));
            written_free(&out);
        }
    }
}

static void test_room_is_enough(void **state)
{
    struct written out;

    (void)state;
    written_begin(&out);
    assert_int_equal(text_quote(out.file, "0123456789", 10, 10), 10);
    written_end(&out);
    assert_string_equal(out.text, "0123456789");
    written_free(&out);
}

static void test_columns(void **state)
{
    (void)state;
    assert_int_equal(text_columns(""), 0);
    assert_int_equal(text_columns("abc"), 3);
    assert_int_equal(text_columns("gr\xc3\xbc\xc3\x9f"), 4);
    assert_int_equal(text_columns("\xf0\x9f\x98\x80"), 1);
}

/* ---- pieces ---- */

static void expect_pieces(const char *text, size_t size, const char *const *pieces, size_t count)
{
    size_t offset = 0;
    const char *piece = NULL;
    size_t piece_size = 0;

    for (size_t i = 0; i < count; i++) {
        assert_true(text_next(text, size, &offset, &piece, &piece_size));
        assert_int_equal(piece_size, strlen(pieces[i]));
        assert_memory_equal(piece, pieces[i], piece_size);
    }
    assert_false(text_next(text, size, &offset, &piece, &piece_size));
    assert_false(text_next(text, size, &offset, &piece, &piece_size));
}

static void test_next(void **state)
{
    static const char *const two[] = {"ls", "-l"};
    static const char *const holes[] = {"", "a", "", ""};

    (void)state;
    expect_pieces("", 0, NULL, 0);
    expect_pieces("ls\0-l\0", 6, two, 2);
    expect_pieces("ls\0-l", 5, two, 2);
    expect_pieces("ls\0-lx", 5, two, 2);
    expect_pieces("\0a\0\0\0", 5, holes, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_byte, setup, teardown),
        cmocka_unit_test_setup_teardown(test_words, setup, teardown),
        cmocka_unit_test(test_looks),
        cmocka_unit_test(test_what_turns_the_text),
        cmocka_unit_test(test_nothing_steers),
        cmocka_unit_test(test_escape),
        cmocka_unit_test(test_room),
        cmocka_unit_test(test_room_is_enough),
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_next),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
