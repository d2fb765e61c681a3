/* SPDX-License-Identifier: MIT */
#include "tests/commands/truth.h"

#include <err.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

const struct truth *truth_map(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    const struct truth *truth;

    if (fd < 0 || fstat(fd, &st) < 0 || (size_t)st.st_size < sizeof(*truth))
        errx(2, "%s is not the truth of a load", path);
    truth = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (truth == MAP_FAILED || truth->magic != TRUTH_MAGIC)
        errx(2, "%s is not the truth of a load", path);
    close(fd);
    return truth;
}
