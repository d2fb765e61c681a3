/* SPDX-License-Identifier: MIT */
#include "linux/daemon/metrics.h"

#include "lib/error.h"
#include "linux/clock.h"
#include "linux/daemon/metrics_text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define CONNECTIONS_MAX 16u
#define IDLE_S          10u         /* how long a connection may say nothing */
#define BYTES_MAX       (16u << 10) /* of a request */
#define TEXT_NS         1000000000u /* how old the text may be */
#define ROUNDS_MAX      64          /* in a turn */
#define CONTENT_TYPE    "text/plain; version=0.0.4; charset=utf-8"

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un local;
};

struct metrics {
    const struct service *service;
    struct MHD_Daemon *http;
    char *path; /* of a socket that is ours to remove; NULL: none */
    char *text;
    size_t text_size;
    uint64_t made_ns;
};

/* ---- where ---- */

static bool take_port(const char *text, in_port_t *port)
{
    unsigned long value;
    char *end;

    if (*text < '0' || *text > '9')
        return false;
    value = strtoul(text, &end, 10);
    *port = htons((uint16_t)value);
    return *end == '\0' && value > 0 && value <= UINT16_MAX;
}

static socklen_t take_path(const char *where, union address *address)
{
    size_t length = strlen(where);

    if (length >= sizeof(address->local.sun_path))
        return 0;
    address->local.sun_family = AF_UNIX;
    memcpy(address->local.sun_path, where, length);
    return sizeof(address->local);
}

/* The bytes of the address; 0: it is none. */
static socklen_t take_address(const char *where, union address *address)
{
    const char *colon = strrchr(where, ':');
    char host[INET6_ADDRSTRLEN + 2];
    size_t length = colon ? (size_t)(colon - where) : 0;

    memset(address, 0, sizeof(*address));
    if (*where == '/')
        return take_path(where, address);
    if (length == 0 || length >= sizeof(host))
        return 0;
    memcpy(host, where, length);
    host[length] = '\0';
    if (host[0] == '[' && host[length - 1] == ']') {
        host[length - 1] = '\0';
        address->v6.sin6_family = AF_INET6;
        return inet_pton(AF_INET6, host + 1, &address->v6.sin6_addr) == 1 &&
                       take_port(colon + 1, &address->v6.sin6_port)
                   ? sizeof(address->v6)
                   : 0;
    }
    address->v4.sin_family = AF_INET;
    return inet_pton(AF_INET, host, &address->v4.sin_addr) == 1 &&
                   take_port(colon + 1, &address->v4.sin_port)
               ? sizeof(address->v4)
               : 0;
}

bool metrics_can_listen(const char *where)
{
    union address address;

    return take_address(where, &address) > 0;
}

bool metrics_is_local(const char *where)
{
    union address address;

    if (take_address(where, &address) == 0)
        return false;
    switch (address.any.sa_family) {
    case AF_INET:
        return ntohl(address.v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    case AF_INET6:
        return IN6_IS_ADDR_LOOPBACK(&address.v6.sin6_addr);
    default:
        return true;
    }
}

/* ---- listening ---- */

/* A socket that nobody listens at is an older daemon's; what else is there stays. */
static void remove_old(const union address *address)
{
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct stat found;

    if (probe < 0)
        return;
    if (lstat(address->local.sun_path, &found) == 0 && S_ISSOCK(found.st_mode) &&
        connect(probe, &address->any, sizeof(address->local)) < 0 && errno == ECONNREFUSED)
        unlink(address->local.sun_path);
    close(probe);
}

/* A descriptor, or a negative errno. */
static int listen_at(const union address *address, socklen_t size)
{
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t mask;
    int on = 1;
    int err = 0;

    if (fd < 0)
        return -errno;
    if (address->any.sa_family == AF_UNIX)
        remove_old(address);
    else
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    /* A socket with a path is for root only. */
    mask = umask(0177);
    if (bind(fd, &address->any, size) < 0 || listen(fd, (int)CONNECTIONS_MAX) < 0)
        err = -errno;
    umask(mask);
    if (err < 0)
        close(fd);
    return err < 0 ? err : fd;
}

/* ---- answering ---- */

static int refresh(struct metrics *metrics)
{
    uint64_t now = clock_mono_ns();
    size_t size = 0;
    char *text;

    if (metrics->text && now - metrics->made_ns < TEXT_NS)
        return 0;
    text = metrics_text(metrics->service, &size);
    if (!text)
        return -ENOMEM;
    free(metrics->text);
    metrics->text = text;
    metrics->text_size = size;
    metrics->made_ns = now;
    return 0;
}

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *text,
                              size_t size, const char *type)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(size, (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);
    enum MHD_Result result;

    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *body,
                              size_t *body_size, void **request)
{
    static const char elsewhere[] = "The metrics are at /metrics.\n";
    static const char reading[] = "There is nothing here but to read.\n";
    static const char failed[] = "Out of memory.\n";
    struct metrics *metrics = context;

    (void)version;
    (void)body;
    (void)body_size;
    (void)request;
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return answer(connection, MHD_HTTP_METHOD_NOT_ALLOWED, reading, sizeof(reading) - 1,
                      "text/plain");
    if (strcmp(url, "/metrics") != 0)
        return answer(connection, MHD_HTTP_NOT_FOUND, elsewhere, sizeof(elsewhere) - 1,
                      "text/plain");
    if (refresh(metrics) < 0)
        return answer(connection, MHD_HTTP_SERVICE_UNAVAILABLE, failed, sizeof(failed) - 1,
                      "text/plain");
    return answer(connection, MHD_HTTP_OK, metrics->text, metrics->text_size, CONTENT_TYPE);
}

/* ---- beginning and end ---- */

int metrics_open(const char *where, const struct service *service, struct metrics **out)
{
    struct metrics *metrics = calloc(1, sizeof(*metrics));
    union address address;
    socklen_t size = take_address(where, &address);
    int fd;

    if (!metrics)
        return rollcall_fail(-ENOMEM, "out of memory");
    metrics->service = service;
    fd = size ? listen_at(&address, size) : -EINVAL;
    if (fd < 0) {
        free(metrics);
        return rollcall_fail(fd, "cannot listen for metrics at '%s': %s", where, strerror(-fd));
    }
    if (address.any.sa_family == AF_UNIX)
        metrics->path = strdup(where);
    /* The descriptor is the server's from here on. */
    metrics->http = MHD_start_daemon(
        MHD_USE_EPOLL, 0, NULL, NULL, handle, metrics, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)BYTES_MAX, MHD_OPTION_END);
    if (!metrics->http) {
        close(fd);
        metrics_close(metrics);
        return rollcall_fail(-ENOMEM, "cannot serve metrics at '%s': no memory or descriptors",
                             where);
    }
    *out = metrics;
    return 0;
}

void metrics_close(struct metrics *metrics)
{
    if (!metrics)
        return;
    if (metrics->http)
        MHD_stop_daemon(metrics->http);
    if (metrics->path)
        unlink(metrics->path);
    free(metrics->path);
    free(metrics->text);
    free(metrics);
}

int metrics_fd(const struct metrics *metrics)
{
    return MHD_get_daemon_info(metrics->http, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

void metrics_run(struct metrics *metrics)
{
    MHD_UNSIGNED_LONG_LONG wait = 0;

    for (int i = 0; i < ROUNDS_MAX; i++) {
        MHD_run(metrics->http);
        if (MHD_get_timeout(metrics->http, &wait) != MHD_YES || wait > 0)
            return;
    }
}
