/* SPDX-License-Identifier: MIT */
#include "windows/service/directory.h"

#include "lib/error.h"
#include "windows/error.h"

#include <windows.h>

#include <aclapi.h>
#include <sddl.h>

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

static int failed(DWORD error)
{
    return rollcall_fail(-error_number(error), "making the directory of the journal: %s (%lu)",
                         error_text(error), (unsigned long)error);
}

static bool is_mine(PSID owner)
{
    union {
        TOKEN_USER user;
        char room[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
    } me;
    HANDLE token;
    DWORD size;
    bool known;

    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
        return false;
    known = GetTokenInformation(token, TokenUser, &me, sizeof(me), &size);
    CloseHandle(token);
    return known && EqualSid(owner, me.user.User.Sid);
}

bool directory_is_trusted(const wchar_t *path)
{
    PSECURITY_DESCRIPTOR descriptor;
    PSID owner;
    bool is;

    if (GetNamedSecurityInfoW((wchar_t *)(uintptr_t)path, SE_FILE_OBJECT,
                              OWNER_SECURITY_INFORMATION, &owner, NULL, NULL, NULL,
                              &descriptor) != ERROR_SUCCESS)
        return false;
    is = is_mine(owner) || IsWellKnownSid(owner, WinBuiltinAdministratorsSid) ||
         IsWellKnownSid(owner, WinLocalSystemSid);
    LocalFree(descriptor);
    return is;
}

/* Every user may make a directory there, and whoever has made it can change what is in it, or lead
 * who writes into it elsewhere. */
static int take_over(const wchar_t *path, PSECURITY_DESCRIPTOR security)
{
    DWORD attributes = GetFileAttributesW(path);

    if (attributes == INVALID_FILE_ATTRIBUTES)
        return failed(GetLastError());
    if (!(attributes & FILE_ATTRIBUTE_DIRECTORY) || attributes & FILE_ATTRIBUTE_REPARSE_POINT ||
        !directory_is_trusted(path))
        return rollcall_fail(-EPERM, "the directory of the journal was made by somebody else: "
                                     "remove it, or name another place with --journal");
    return SetFileSecurityW(path, DACL_SECURITY_INFORMATION, security) ? 0 : failed(GetLastError());
}

int directory_make(const wchar_t *path)
{
    SECURITY_ATTRIBUTES security = {.nLength = sizeof(security)};
    int err = 0;

    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(
            L"O:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)", SDDL_REVISION_1,
            &security.lpSecurityDescriptor, NULL))
        return failed(GetLastError());
    if (!CreateDirectoryW(path, &security))
        err = GetLastError() == ERROR_ALREADY_EXISTS
                  ? take_over(path, security.lpSecurityDescriptor)
                  : failed(GetLastError());
    LocalFree(security.lpSecurityDescriptor);
    return err;
}
