/* SPDX-License-Identifier: MIT */
/*
 * The few functions of user mode that the runtime stands on. <windows.h> cannot be included beside
 * the kernel's headers.
 */
#ifndef WDFLDR_WIN32_H
#define WDFLDR_WIN32_H

#include <stdint.h>

#define WIN32_INFINITE 0xFFFFFFFFu

typedef struct {
    void *state;
} SRWLOCK;
typedef struct {
    void *state;
} CONDITION_VARIABLE;

typedef unsigned long(WINAPI *thread_start)(void *context);

__declspec(dllimport) void WINAPI AcquireSRWLockExclusive(SRWLOCK *lock);
__declspec(dllimport) void WINAPI ReleaseSRWLockExclusive(SRWLOCK *lock);
__declspec(dllimport) int WINAPI
    SleepConditionVariableSRW(CONDITION_VARIABLE *variable, SRWLOCK *lock, unsigned long ms,
                              unsigned long flags);
__declspec(dllimport) void WINAPI WakeAllConditionVariable(CONDITION_VARIABLE *variable);
__declspec(dllimport) void WINAPI WakeConditionVariable(CONDITION_VARIABLE *variable);
__declspec(dllimport) unsigned long WINAPI GetCurrentThreadId(void);
__declspec(dllimport) unsigned long WINAPI GetCurrentProcessId(void);
__declspec(dllimport) int WINAPI SwitchToThread(void);
__declspec(dllimport) void WINAPI Sleep(unsigned long ms);
__declspec(dllimport) unsigned long WINAPI GetTickCount(void);
__declspec(dllimport) int WINAPI QueryPerformanceCounter(LARGE_INTEGER *count);
__declspec(dllimport) int WINAPI QueryPerformanceFrequency(LARGE_INTEGER *frequency);
__declspec(dllimport) HANDLE WINAPI
    CreateThread(void *security, size_t stack, thread_start start, void *context,
                 unsigned long flags, unsigned long *id);
__declspec(dllimport) int WINAPI CloseHandle(HANDLE handle);
__declspec(dllimport) unsigned long WINAPI TlsAlloc(void);
__declspec(dllimport) void *WINAPI TlsGetValue(unsigned long index);
__declspec(dllimport) int WINAPI TlsSetValue(unsigned long index, void *value);
__declspec(dllimport) HANDLE WINAPI GetProcessHeap(void);
__declspec(dllimport) void *WINAPI HeapAlloc(HANDLE heap, unsigned long flags, size_t size);
__declspec(dllimport) int WINAPI HeapFree(HANDLE heap, unsigned long flags, void *memory);
__declspec(dllimport) int WINAPI
    VirtualProtect(void *address, size_t size, unsigned long protection, unsigned long *old);
__declspec(dllimport) int WINAPI
    GetModuleHandleExW(unsigned long flags, const wchar_t *name, void **module);
__declspec(dllimport) void *WINAPI GetModuleHandleW(const wchar_t *name);
__declspec(dllimport) void *WINAPI GetProcAddress(void *module, const char *name);
__declspec(dllimport) HANDLE WINAPI
    OpenProcess(unsigned long access, int inherit, unsigned long pid);
__declspec(dllimport) int WINAPI
    GetProcessTimes(HANDLE process, LARGE_INTEGER *create, LARGE_INTEGER *exit,
                    LARGE_INTEGER *kernel, LARGE_INTEGER *user);
__declspec(dllimport) void WINAPI GetSystemTimeAsFileTime(LARGE_INTEGER *time);
__declspec(dllimport) HANDLE WINAPI
    CreateFileW(const wchar_t *name, unsigned long access, unsigned long share, void *security,
                unsigned long disposition, unsigned long flags, HANDLE template);
__declspec(dllimport) int WINAPI WriteFile(HANDLE file, const void *bytes, unsigned long size,
                                           unsigned long *written, void *overlapped);
__declspec(dllimport) long WINAPI
    RegOpenKeyExW(HANDLE key, const wchar_t *name, unsigned long options, unsigned long access,
                  HANDLE *opened);
__declspec(dllimport) long WINAPI
    RegQueryValueExW(HANDLE key, const wchar_t *name, unsigned long *reserved, unsigned long *type,
                     void *data, unsigned long *size);
__declspec(dllimport) long WINAPI RegCloseKey(HANDLE key);

#endif
