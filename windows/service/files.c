/* SPDX-License-Identifier: MIT */
#include "service/files.h"

#include "windows/error.h"
#include "windows/service/directory.h"
#include "windows/wide.h"

#include <windows.h>

#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <stdlib.h>
#include <string.h>

static int last_error(void)
{
    return -error_number(GetLastError());
}

/* INVALID_HANDLE_VALUE: *err says why. */
static HANDLE open_file(const char *path, DWORD access, DWORD share, DWORD how, DWORD flags,
                        int *err)
{
    wchar_t *wide = wide_from(path);
    HANDLE file =
        wide ? CreateFileW(wide, access, share, NULL, how, flags, NULL) : INVALID_HANDLE_VALUE;

    *err = file != INVALID_HANDLE_VALUE ? 0 : wide ? last_error() : -ENOMEM;
    free(wide);
    return file;
}

bool files_is_absolute(const char *path)
{
    bool drive = ((*path >= 'a' && *path <= 'z') || (*path >= 'A' && *path <= 'Z')) &&
                 path[1] == ':' && (path[2] == '\\' || path[2] == '/');

    return drive || (path[0] == '\\' && path[1] == '\\');
}

bool files_is_trusted(const char *path)
{
    wchar_t *wide = wide_from(path);
    bool is = wide && directory_is_trusted(wide);

    free(wide);
    return is;
}

FILE *files_read(const char *path, int *err)
{
    HANDLE file =
        open_file(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                  OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, err);
    int fd = *err == 0 ? _open_osfhandle((intptr_t)file, _O_RDONLY | _O_BINARY) : -1;
    FILE *stream = fd >= 0 ? _fdopen(fd, "rb") : NULL;

    if (*err == 0 && !stream)
        *err = -ENOMEM;
    if (fd < 0 && file != INVALID_HANDLE_VALUE)
        CloseHandle(file);
    else if (fd >= 0 && !stream)
        _close(fd);
    return stream;
}

/* ---- names ---- */

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_name(char ***names, size_t *count, const wchar_t *wide, const char *ending)
{
    char *name = wide_to(wide);
    size_t tail = strlen(ending);
    size_t size = name ? strlen(name) : 0;
    char **more;

    if (!name)
        return -ENOMEM;
    if (*name == '.' || size <= tail || strcmp(name + size - tail, ending) != 0) {
        free(name);
        return 0;
    }
    name[size - tail] = '\0';
    more = realloc(*names, (*count + 2) * sizeof(*more));
    if (!more) {
        free(name);
        return -ENOMEM;
    }
    *names = more;
    more[(*count)++] = name;
    more[*count] = NULL;
    return 0;
}

static HANDLE find_first(const char *directory, WIN32_FIND_DATAW *found, int *err)
{
    char *pattern = NULL;
    wchar_t *wide = asprintf(&pattern, "%s\\*", directory) < 0 ? NULL : wide_from(pattern);
    HANDLE find = wide ? FindFirstFileW(wide, found) : INVALID_HANDLE_VALUE;

    *err = find != INVALID_HANDLE_VALUE ? 0 : wide ? last_error() : -ENOMEM;
    free(wide);
    free(pattern);
    return find;
}

char **files_names(const char *directory, const char *ending, int *err)
{
    WIN32_FIND_DATAW found;
    HANDLE find = find_first(directory, &found, err);
    char **names = calloc(1, sizeof(*names));
    size_t count = 0;

    if (*err == 0 && !names)
        *err = -ENOMEM;
    if (*err == 0)
        do
            *err = add_name(&names, &count, found.cFileName, ending);
        while (*err == 0 && FindNextFileW(find, &found));
    if (find != INVALID_HANDLE_VALUE)
        FindClose(find);
    if (*err < 0) {
        files_names_free(names);
        return NULL;
    }
    qsort(names, count, sizeof(*names), compare);
    return names;
}

void files_names_free(char **names)
{
    for (size_t i = 0; names && names[i]; i++)
        free(names[i]);
    free(names);
}

/* ---- small files ---- */

/* What is in our directory for data has that one's permissions. */
int files_make_directory(const char *path)
{
    wchar_t *wide = wide_from(path);
    int err = !wide                                                 ? -ENOMEM
              : CreateDirectoryW(wide, NULL)                        ? 0
              : GetFileAttributesW(wide) == INVALID_FILE_ATTRIBUTES ? last_error()
              : GetFileAttributesW(wide) & FILE_ATTRIBUTE_DIRECTORY ? 0
                                                                    : -ENOTDIR;

    free(wide);
    return err;
}

static int write_all(HANDLE file, const char *data, size_t size)
{
    while (size > 0) {
        DWORD piece = size < 1u << 20 ? (DWORD)size : 1u << 20;
        DWORD written;

        if (!WriteFile(file, data, piece, &written, NULL))
            return last_error();
        data += written;
        size -= written;
    }
    return 0;
}

int files_rename(const char *from, const char *to)
{
    wchar_t *wide_old = wide_from(from);
    wchar_t *wide_new = wide_from(to);
    int err = -ENOMEM;

    if (wide_old && wide_new)
        err = MoveFileExW(wide_old, wide_new, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH)
                  ? 0
                  : last_error();
    free(wide_old);
    free(wide_new);
    return err;
}

int files_replace(const char *path, const char *text, size_t size)
{
    HANDLE file;
    char *part;
    int err;

    if (asprintf(&part, "%s.part", path) < 0)
        return -ENOMEM;
    file = open_file(part, GENERIC_WRITE, 0, CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, &err);
    if (err == 0)
        err = write_all(file, text, size);
    if (err == 0 && !FlushFileBuffers(file))
        err = last_error();
    if (file != INVALID_HANDLE_VALUE)
        CloseHandle(file);
    if (err == 0)
        err = files_rename(part, path);
    free(part);
    return err;
}

void files_remove(const char *path)
{
    wchar_t *wide = wide_from(path);

    if (wide)
        DeleteFileW(wide);
    free(wide);
}

/* ---- files of lines ---- */

static int set_end(HANDLE file, uint64_t size)
{
    const LARGE_INTEGER at = {.QuadPart = (LONGLONG)size};

    return SetFilePointerEx(file, at, NULL, FILE_BEGIN) && SetEndOfFile(file) ? 0 : last_error();
}

/* Where the last whole line ends; negative: an errno value. */
static int64_t end_of_lines(HANDLE file, int64_t size)
{
    char piece[4096];

    while (size > 0) {
        DWORD want = size < (int64_t)sizeof(piece) ? (DWORD)size : (DWORD)sizeof(piece);
        const LARGE_INTEGER at = {.QuadPart = size - want};
        const char *end;
        DWORD got;

        if (!SetFilePointerEx(file, at, NULL, FILE_BEGIN) ||
            !ReadFile(file, piece, want, &got, NULL))
            return last_error();
        if (got != want)
            return -EIO;
        end = memrchr(piece, '\n', want);
        if (end)
            return size - want + (end - piece) + 1;
        size -= want;
    }
    return 0;
}

static int take_file(HANDLE file, uint64_t *size)
{
    BY_HANDLE_FILE_INFORMATION info;
    LARGE_INTEGER all;
    int64_t end;

    if (!GetFileInformationByHandle(file, &info) || !GetFileSizeEx(file, &all))
        return last_error();
    if (info.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT)
        return -ELOOP;
    if (GetFileType(file) != FILE_TYPE_DISK || info.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY)
        return -EINVAL;
    end = end_of_lines(file, all.QuadPart);
    if (end < 0)
        return (int)end;
    *size = (uint64_t)end;
    return set_end(file, *size);
}

int files_append(const char *path, intptr_t *file, uint64_t *size)
{
    int err;
    HANDLE handle =
        open_file(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_DELETE,
                  OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT, &err);

    if (err == 0)
        err = take_file(handle, size);
    if (err == 0)
        *file = (intptr_t)handle;
    else if (handle != INVALID_HANDLE_VALUE)
        CloseHandle(handle);
    return err;
}

int files_write(intptr_t file, const char *data, size_t count, uint64_t size)
{
    HANDLE handle = (HANDLE)file;
    const LARGE_INTEGER at = {.QuadPart = (LONGLONG)size};
    int err = SetFilePointerEx(handle, at, NULL, FILE_BEGIN) ? write_all(handle, data, count)
                                                             : last_error();

    if (err < 0)
        set_end(handle, size);
    return err;
}

int files_sync(intptr_t file)
{
    return FlushFileBuffers((HANDLE)file) ? 0 : last_error();
}

void files_close(intptr_t file)
{
    if (file != FILES_NONE)
        CloseHandle((HANDLE)file);
}

bool files_is_at(intptr_t file, const char *path)
{
    BY_HANDLE_FILE_INFORMATION here;
    BY_HANDLE_FILE_INFORMATION there;
    int err;
    HANDLE other = open_file(path, 0, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                             OPEN_EXISTING, FILE_FLAG_OPEN_REPARSE_POINT, &err);
    bool is = err == 0 && GetFileInformationByHandle((HANDLE)file, &here) &&
              GetFileInformationByHandle(other, &there) &&
              here.dwVolumeSerialNumber == there.dwVolumeSerialNumber &&
              here.nFileIndexHigh == there.nFileIndexHigh &&
              here.nFileIndexLow == there.nFileIndexLow;

    if (other != INVALID_HANDLE_VALUE)
        CloseHandle(other);
    return is;
}
