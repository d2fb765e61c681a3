/* SPDX-License-Identifier: MIT */
#include "windows/clock.h"

#include <windows.h>

uint64_t clock_mono_ns(void)
{
    LARGE_INTEGER frequency;
    LARGE_INTEGER count;
    uint64_t ticks;
    uint64_t second;

    QueryPerformanceFrequency(&frequency);
    QueryPerformanceCounter(&count);
    ticks = (uint64_t)count.QuadPart;
    second = (uint64_t)frequency.QuadPart;
    return ticks / second * 1000000000u + ticks % second * 1000000000u / second;
}

uint64_t clock_boot_ns(void)
{
    typedef void WINAPI query_time(ULONGLONG * time);
    HMODULE module = GetModuleHandleW(L"kernelbase.dll");
    ULONGLONG time = 0;
    union {
        FARPROC address;
        query_time *query;
    } found = {.address = module ? GetProcAddress(module, "QueryInterruptTimePrecise") : NULL};

    if (!found.address)
        return GetTickCount64() * 1000000;
    found.query(&time);
    return time * 100;
}
