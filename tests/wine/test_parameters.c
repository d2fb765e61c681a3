/* SPDX-License-Identifier: MIT */
/* The service's parameters, and what the device is. */
#include "tests/wine/lib/stream.h"

#include <stdio.h>
#include <string.h>

#define SECURE_OPEN 0x100u /* FILE_DEVICE_SECURE_OPEN */

/* The driver starts with these, and uses those. */
static void used(DWORD budget, DWORD record_max, DWORD policy, uint64_t budget_used,
                 uint32_t record_max_used, uint32_t deny)
{
    struct rollcall_engine_stats stats;
    struct stream stream;

    driver_parameter("Budget", budget);
    driver_parameter("RecordMax", record_max);
    driver_parameter("Policy", policy);
    driver_begin();
    stream_open(&stream, "named", 0);
    stats = driver_stats();
    CHECK(stats.budget == budget_used, "%lu: %llu", budget, (unsigned long long)stats.budget);
    CHECK(stats.record_max == record_max_used, "%lu: %u", record_max, stats.record_max);
    CHECK(stream.attached.record_max == record_max_used, "%u", stream.attached.record_max);
    CHECK(stats.deny == deny, "%lu: %u", policy, stats.deny);
    stream_close(&stream);
    CHECK(driver_stop() == 0, "stop");
}

static void numbers(void)
{
    const uint32_t budget = ROLLCALL_BUDGET_DEFAULT, record = ROLLCALL_RECORD_MAX;

    /* A record takes at most a quarter of the budget. */
    used(65536, 1024, 0, 65536, 1024, 0);
    used(65536, 262144, 1, 65536, 16384, 1);
    used(1u << 30, 262143, 0, 1u << 30, 262143, 0);
    used(65535, 1023, 2, budget, record, 0);
    used((1u << 30) + 1, 262145, 0xffffffff, budget, record, 0);
    used(0, 0, 0, budget, record, 0);
    used(0xffffffff, 0xffffffff, 1, budget, record, 1);
}

/* Values of another type, or none. */
static void no_numbers(void)
{
    static const char *const names[] = {"Budget", "RecordMax", "Policy"};
    struct rollcall_engine_stats stats;
    HKEY key;
    size_t i;

    RegOpenKeyExA(HKEY_LOCAL_MACHINE, "System\\CurrentControlSet\\Services\\rollcall\\Parameters",
                  0, KEY_ALL_ACCESS, &key);
    for (i = 0; i < 3; i++)
        RegSetValueExA(key, names[i], 0, REG_SZ, (const BYTE *)"65536", 6);
    driver_begin();
    stats = driver_stats();
    CHECK(stats.budget == ROLLCALL_BUDGET_DEFAULT && stats.record_max == ROLLCALL_RECORD_MAX,
          "%llu, %u", (unsigned long long)stats.budget, stats.record_max);
    CHECK(driver_stop() == 0, "stop");
    for (i = 0; i < 3; i++)
        RegDeleteValueA(key, names[i]);
    driver_begin();
    stats = driver_stats();
    CHECK(stats.budget == ROLLCALL_BUDGET_DEFAULT && stats.record_max == ROLLCALL_RECORD_MAX,
          "%llu, %u", (unsigned long long)stats.budget, stats.record_max);
    CHECK(driver_stop() == 0, "stop");
    RegCloseKey(key);
    RegDeleteKeyA(HKEY_LOCAL_MACHINE, "System\\CurrentControlSet\\Services\\rollcall\\Parameters");
    driver_begin();
    CHECK(driver_stats().budget == ROLLCALL_BUDGET_DEFAULT, "without the key");
    CHECK(driver_stop() == 0, "stop");
}

static void device(void)
{
    struct control_facts facts;
    uint32_t without_ex2;

    for (without_ex2 = 0; without_ex2 < 2; without_ex2++) {
        runtime_setting("WithoutEx2", without_ex2);
        driver_begin();
        facts = runtime_facts();
        CHECK(facts.notify == 2 - without_ex2, "%u", facts.notify);
        CHECK(wcscmp((const wchar_t *)facts.sddl, L"D:P(A;;GA;;;SY)(A;;GA;;;BA)") == 0, "%ls",
              (const wchar_t *)facts.sddl);
        CHECK((facts.characteristics & SECURE_OPEN) != 0, "%x", facts.characteristics);
        CHECK(facts.exclusive == 0, "consumers share it");
        CHECK(driver_stop() == 0, "stop");
    }
    runtime_setting("WithoutEx2", 0);
}

/* Each start is a collection of its own, with a later epoch and numbers from 1 on. */
static void epochs(void)
{
    struct stream stream;
    uint64_t epoch = 0;
    int i;

    for (i = 0; i < 3; i++) {
        driver_begin();
        stream_open(&stream, "named", ROLLCALL_ATTACH_OLDEST);
        CHECK(stream.attached.continued == 0 && stream.attached.acked_seq == 0, "a new one");
        CHECK(stream.attached.epoch > epoch, "%llu, before %llu",
              (unsigned long long)stream.attached.epoch, (unsigned long long)epoch);
        CHECK(driver_stats().epoch == stream.attached.epoch, "%llu",
              (unsigned long long)driver_stats().epoch);
        epoch = stream.attached.epoch;
        stream_read(&stream);
        CHECK(stream_next(&stream, NULL)->seq == 1, "the first");
        stream_close(&stream);
        CHECK(driver_stop() == 0, "stop");
    }
}

int main(void)
{
    test_begin("rollcall.sys");
    numbers();
    no_numbers();
    device();
    epochs();
    return test_end();
}
