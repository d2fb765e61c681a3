/* SPDX-License-Identifier: MIT */
#include "linux/daemon/listener.h"

#include "lib/error.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG            128
#define FIRST_FROM_SYSTEMD 3

/* ---- from systemd ---- */

static bool is_ours(const char *pid)
{
    return pid && strtol(pid, NULL, 10) == (long)getpid();
}

static int check_given(int fd)
{
    int type = 0;
    int listens = 0;
    socklen_t size = sizeof(type);

    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0 ||
        getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) < 0)
        return rollcall_fail(-errno, "what systemd gave is no socket: %s", strerror(errno));
    if (type != SOCK_SEQPACKET || !listens)
        return rollcall_fail(-EINVAL, "the socket of systemd is another kind: use "
                                      "ListenSequentialPacket=");
    if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
        return rollcall_fail(-errno, "the socket of systemd cannot be used: %s", strerror(errno));
    return 0;
}

/* ---- our own ---- */

static int make_directory(const char *path)
{
    const char *end = strrchr(path, '/');
    char *directory;
    int err = 0;

    if (!end || end == path)
        return 0;
    directory = strndup(path, (size_t)(end - path));
    if (!directory)
        return -ENOMEM;
    if (mkdir(directory, 0755) < 0 && errno != EEXIST)
        err = -errno;
    free(directory);
    return err;
}

/* What another daemon has left; one that listens is not touched, nor what is no socket. */
static int remove_old(const struct sockaddr_un *address)
{
    struct stat found;
    int probe;
    int err = 0;

    if (lstat(address->sun_path, &found) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (!S_ISSOCK(found.st_mode))
        return -EEXIST;
    probe = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (probe < 0)
        return -errno;
    if (connect(probe, (const void *)address, sizeof(*address)) == 0 || errno != ECONNREFUSED)
        err = -EADDRINUSE;
    close(probe);
    if (err == 0 && unlink(address->sun_path) < 0)
        err = -errno;
    return err;
}

/* Who may connect; what they may then do is for the rules. */
static int set_mode(const char *path, const struct settings *settings)
{
    const struct group *group = settings->group ? getgrnam(settings->group) : NULL;
    bool rules = settings->access.count > (settings->group ? 1 : 0);

    if (group && chown(path, (uid_t)-1, group->gr_gid) < 0)
        return -errno;
    if (chmod(path, rules ? 0666 : group ? 0660 : 0600) < 0)
        return -errno;
    return 0;
}

static int bind_and_listen(int fd, const struct sockaddr_un *address,
                           const struct settings *settings)
{
    mode_t mask = umask(0177);
    int err = bind(fd, (const void *)address, sizeof(*address)) < 0 ? -errno : 0;

    umask(mask);
    if (err == 0)
        err = set_mode(address->sun_path, settings);
    if (err == 0 && listen(fd, BACKLOG) < 0)
        err = -errno;
    return err;
}

static int failed(const char *path, int err)
{
    switch (err) {
    case -EADDRINUSE:
        return rollcall_fail(err, "another daemon listens at '%s'", path);
    case -EEXIST:
        return rollcall_fail(err, "'%s' is there and no socket: use another path", path);
    default:
        return rollcall_fail(err, "cannot listen at '%s': %s", path, strerror(-err));
    }
}

/* ---- interface ---- */

int listener_set_mode(const struct listener *listener, const struct settings *settings)
{
    return listener->path ? set_mode(listener->path, settings) : 0;
}

int listener_open(struct listener *listener, const struct settings *settings)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *given = getenv("LISTEN_FDS");
    int err;

    listener->path = NULL;
    if (given && is_ours(getenv("LISTEN_PID")) && strcmp(given, "1") == 0) {
        listener->fd = FIRST_FROM_SYSTEMD;
        return check_given(listener->fd);
    }
    if (strlen(settings->socket) >= sizeof(address.sun_path))
        return rollcall_fail(-ENAMETOOLONG, "'%s' is too long for a socket's path",
                             settings->socket);
    memcpy(address.sun_path, settings->socket, strlen(settings->socket));
    listener->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener->fd < 0)
        return failed(settings->socket, -errno);
    err = make_directory(settings->socket);
    if (err == 0)
        err = remove_old(&address);
    if (err == 0)
        err = bind_and_listen(listener->fd, &address, settings);
    if (err < 0) {
        close(listener->fd);
        return failed(settings->socket, err);
    }
    listener->path = settings->socket;
    return 0;
}

void listener_close(struct listener *listener)
{
    close(listener->fd);
    if (listener->path)
        unlink(listener->path);
}
