/* SPDX-License-Identifier: MIT */
#include "linux/link.h"

#include "lib/error.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_MS 10000 /* how long an answer may take that is not pended */

const char *link_path(const char *socket)
{
    return socket && *socket ? socket : ROLLCALL_SOCKET_PATH;
}

int link_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length;
    int fd;

    path = link_path(path);
    length = strlen(path);
    if (length >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, length);
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (const void *)&address, sizeof(address)) < 0) {
        int err = -errno;

        close(fd);
        return err;
    }
    return fd;
}

int link_connect_failed(const char *path, int error)
{
    path = link_path(path);
    switch (error) {
    case -ENOENT:
    case -ECONNREFUSED:
        return rollcall_fail(error, "no daemon listens at '%s': start rollcalld", path);
    case -EACCES:
    case -EPERM:
        return rollcall_fail(-EPERM,
                             "the daemon at '%s' does not let this user in: rollcalld(8) tells how "
                             "to allow it",
                             path);
    case -EUSERS:
        return rollcall_fail(error, "the daemon at '%s' has too many consumers", path);
    default:
        return rollcall_fail(error, "cannot reach the daemon at '%s': %s", path, strerror(-error));
    }
}

int link_send(int fd, uint32_t code, uint32_t tag, uint32_t room, void *request, size_t size,
              unsigned flags)
{
    const struct rollcall_request head = {
        .version = ROLLCALL_PROTOCOL_VERSION, .flags = (uint16_t)flags, .size = (uint32_t)size};
    struct rollcall_message message = {.code = code, .tag = tag, .room = room};
    struct iovec parts[] = {{&message, sizeof(message)}, {request, size}};
    const struct msghdr packet = {.msg_iov = parts, .msg_iovlen = 2};

    memcpy(request, &head, sizeof(head));
    return sendmsg(fd, &packet, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Who is refused at once has been sent the reason, and then the connection was closed on what it had
 * sent itself: the first call reports only that. */
static ssize_t receive(int fd, struct msghdr *packet)
{
    ssize_t size = recvmsg(fd, packet, MSG_DONTWAIT);

    return size < 0 && errno == ECONNRESET ? recvmsg(fd, packet, MSG_DONTWAIT) : size;
}

int link_receive(int fd, struct rollcall_answer *head, void *answer, size_t room)
{
    struct iovec parts[] = {{head, sizeof(*head)}, {answer, room}};
    struct msghdr packet = {.msg_iov = parts, .msg_iovlen = 2};
    ssize_t size = receive(fd, &packet);

    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (size < 0)
        return errno == EPIPE ? -ECONNRESET : -errno;
    if (size == 0)
        return -ECONNRESET;
    if ((size_t)size < sizeof(*head) || packet.msg_flags & MSG_TRUNC ||
        head->size != (size_t)size - sizeof(*head))
        return -EBADMSG;
    return 1;
}

int link_ask(int fd, uint32_t code, unsigned flags, void *request, size_t size, void *answer,
             size_t room)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    struct rollcall_answer head;
    int got = link_send(fd, code, 1, (uint32_t)room, request, size, flags);

    /* A refusal may be there although nothing could be sent. */
    if (got < 0 && got != -EPIPE && got != -ECONNRESET)
        return got;
    while ((got = link_receive(fd, &head, answer, room)) == 0)
        if (poll(&wait, 1, ANSWER_MS) == 0)
            return -ETIMEDOUT;
    if (got < 0)
        return got;
    return head.error ? -(int)(head.error & 0xffff) : (int)head.size;
}
