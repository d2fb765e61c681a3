/* SPDX-License-Identifier: MIT */
/* Which requests are refused: all that are not exactly as they must be. */
#include "core/request.h"
#include "tests/core/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Each in turn: as it must be, and with one thing wrong. */
union any {
    struct rollcall_request head;
    struct rollcall_attach attach;
    struct rollcall_fetch fetch;
    struct rollcall_acknowledge acknowledge;
    struct rollcall_configure configure;
    struct rollcall_detach_request detach;
    unsigned char bytes[sizeof(struct rollcall_attach) + 8];
};

typedef bool check(const void *bytes, size_t size);

static bool plain(const void *bytes, size_t size)
{
    return request_plain(bytes, size);
}

static bool attach(const void *bytes, size_t size)
{
    struct rollcall_attach out;

    return request_attach(bytes, size, &out);
}

static bool fetch(const void *bytes, size_t size)
{
    struct rollcall_fetch out;

    return request_fetch(bytes, size, &out);
}

static bool acknowledge(const void *bytes, size_t size)
{
    struct rollcall_acknowledge out;

    return request_acknowledge(bytes, size, &out);
}

static bool configure(const void *bytes, size_t size)
{
    struct rollcall_configure out;

    return request_configure(bytes, size, &out);
}

static bool detach(const void *bytes, size_t size)
{
    struct rollcall_detach_request out;

    return request_detach(bytes, size, &out);
}

static void expect_head_checked(check *is_valid, const union any *request, unsigned flags)
{
    const size_t size = request->head.size;
    union any other = *request;

    assert_true(is_valid(&other, size));
    assert_false(is_valid(&other, size - 1));
    assert_false(is_valid(&other, size + 1));
    assert_false(is_valid(&other, 0));
    other.head.size--;
    assert_false(is_valid(&other, size));
    other = *request;
    other.head.version++;
    assert_false(is_valid(&other, size));
    for (unsigned bit = 1; bit < 1u << 16; bit <<= 1) {
        other = *request;
        other.head.flags = (uint16_t)bit;
        if (!(bit & flags))
            assert_false(is_valid(&other, size));
    }
}

static void test_heads(void **state)
{
    union any request = {0};

    (void)state;
    make_plain(&request.head);
    expect_head_checked(plain, &request, 0);
    make_attach(&request.attach, "a", 0);
    expect_head_checked(attach, &request, 7);
    make_fetch(&request.fetch, 1);
    expect_head_checked(fetch, &request, 0);
    make_acknowledge(&request.acknowledge, 1);
    expect_head_checked(acknowledge, &request, 0);
    make_configure(&request.configure, 0, 0);
    expect_head_checked(configure, &request, 3);
    make_detach(&request.detach, "a");
    expect_head_checked(detach, &request, 0);
}

/* ---- names ---- */

static const char long_name[] = "abcdefghijklmnopqrstuvwxyz_ABCDEFGHIJKLMNOPQRSTUVWXYZ-0123456789";

static void test_names(void **state)
{
    static const char *const wrong[] = {"a b", "a/b", "a.b",  ":",    "@",   "[",
                                        "`",   "{",   "\x7f", "\xe4", "\x01"};
    struct rollcall_attach request;

    (void)state;
    make_attach(&request, long_name, 0);
    assert_int_equal(request.name_size, ROLLCALL_CONSUMER_NAME);
    assert_true(attach(&request, sizeof(request)));
    request.name_size++;
    assert_false(attach(&request, sizeof(request)));
    request.name_size = UINT32_MAX;
    assert_false(attach(&request, sizeof(request)));
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        make_attach(&request, wrong[i], 0);
        assert_false(attach(&request, sizeof(request)));
    }
}

/* The name has nothing behind it, and no byte of 0 in it. */
static void test_size_of_name(void **state)
{
    struct rollcall_detach_request request;

    (void)state;
    make_detach(&request, "name");
    assert_true(detach(&request, sizeof(request)));
    request.name_size = 3;
    assert_false(detach(&request, sizeof(request)));
    request.name_size = 5;
    assert_false(detach(&request, sizeof(request)));
    request.name_size = 4;
    request.name[ROLLCALL_CONSUMER_NAME - 1] = 'a';
    assert_false(detach(&request, sizeof(request)));
}

static void test_names_that_there_must_be(void **state)
{
    struct rollcall_detach_request detaching;
    struct rollcall_attach attaching;

    (void)state;
    make_detach(&detaching, "");
    assert_false(detach(&detaching, sizeof(detaching)));
    make_attach(&attaching, "", ROLLCALL_ATTACH_OLDEST | ROLLCALL_ATTACH_DENY);
    assert_true(attach(&attaching, sizeof(attaching)));
    make_attach(&attaching, "", ROLLCALL_ATTACH_CONTINUE);
    assert_false(attach(&attaching, sizeof(attaching)));
    make_attach(&attaching, "a", ROLLCALL_ATTACH_CONTINUE);
    assert_true(attach(&attaching, sizeof(attaching)));
}

/* ---- the other fields ---- */

static void test_reserved(void **state)
{
    struct rollcall_configure configuring;
    struct rollcall_detach_request detaching;
    struct rollcall_attach attaching;

    (void)state;
    make_attach(&attaching, "a", 0);
    attaching.reserved = 1;
    assert_false(attach(&attaching, sizeof(attaching)));
    make_detach(&detaching, "a");
    detaching.reserved = 1;
    assert_false(detach(&detaching, sizeof(detaching)));
    make_configure(&configuring, ROLLCALL_BUDGET_MIN, 0);
    configuring.reserved = 1;
    assert_false(configure(&configuring, sizeof(configuring)));
}

static bool configures(uint64_t budget, uint32_t record_max)
{
    struct rollcall_configure request;

    make_configure(&request, budget, record_max);
    return configure(&request, sizeof(request));
}

static void test_limits(void **state)
{
    (void)state;
    assert_true(configures(ROLLCALL_BUDGET_MIN, 0));
    assert_false(configures(ROLLCALL_BUDGET_MIN - 1, 0));
    assert_true(configures(ROLLCALL_BUDGET_MAX, 0));
    assert_false(configures(ROLLCALL_BUDGET_MAX + 1ull, 0));
    assert_true(configures(0, ROLLCALL_RECORD_MIN));
    assert_false(configures(0, ROLLCALL_RECORD_MIN - 1));
    assert_true(configures(0, ROLLCALL_RECORD_MAX));
    assert_false(configures(0, ROLLCALL_RECORD_MAX + 1));
    assert_true(configures(ROLLCALL_BUDGET_MIN, ROLLCALL_RECORD_MIN));
}

/* A value without its flag. */
static void test_values_that_are_not_set(void **state)
{
    struct rollcall_configure request;

    (void)state;
    make_configure(&request, 0, ROLLCALL_RECORD_MIN);
    request.budget = ROLLCALL_BUDGET_MIN;
    assert_false(configure(&request, sizeof(request)));
    make_configure(&request, ROLLCALL_BUDGET_MIN, 0);
    request.record_max = ROLLCALL_RECORD_MIN;
    assert_false(configure(&request, sizeof(request)));
    request.request.flags = ROLLCALL_CONFIGURE_RECORD;
    request.budget = 0;
    request.record_max = 0;
    assert_false(configure(&request, sizeof(request)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heads),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_size_of_name),
        cmocka_unit_test(test_names_that_there_must_be),
        cmocka_unit_test(test_reserved),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_values_that_are_not_set),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
