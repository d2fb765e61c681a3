/* SPDX-License-Identifier: MIT */
/* The journal of systemd, by its library; and syslog by its socket: syslog(3) does not say whether
 * anybody has taken a line. */
#include "service/system_log.h"

#include "lib/error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#ifdef ROLLCALL_SYSTEMD
#include <systemd/sd-journal.h>
#endif

#define SYSLOG_SOCKET  "/dev/log"
#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define HEAD_SIZE      160
#define LINE_LEAST     1024u /* what any syslog takes: a line is not cut further */

struct system_log {
    bool journal;
    char *handler;
    int socket; /* to syslog; -1: not connected */
};

const char *system_log_names(void)
{
    return "syslog, journal";
}

bool system_log_known(const char *name)
{
    return strcmp(name, "syslog") == 0 || strcmp(name, "journal") == 0;
}

struct system_log *system_log_new(const char *name, const char *handler)
{
    struct system_log *log = calloc(1, sizeof(*log));

    if (!log)
        return NULL;
    log->socket = -1;
    log->handler = strdup(handler);
#ifdef ROLLCALL_SYSTEMD
    log->journal = strcmp(name, "journal") == 0;
#else
    (void)name;
#endif
    if (log->handler)
        return log;
    free(log);
    return NULL;
}

void system_log_free(struct system_log *log)
{
    if (!log)
        return;
    if (log->socket >= 0)
        close(log->socket);
    free(log->handler);
    free(log);
}

/* ---- syslog ---- */

static int connect_syslog(struct system_log *log)
{
    const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = SYSLOG_SOCKET};
    int err;

    log->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (log->socket < 0)
        return -errno;
    if (connect(log->socket, (const struct sockaddr *)&address, sizeof(address)) == 0)
        return 0;
    err = -errno;
    close(log->socket);
    log->socket = -1;
    return err;
}

static void make_head(char head[HEAD_SIZE], const char *handler)
{
    time_t now = time(NULL);
    char moment[32];
    struct tm local;

    localtime_r(&now, &local);
    strftime(moment, sizeof(moment), "%b %e %H:%M:%S", &local);
    snprintf(head, HEAD_SIZE, "<%d>%s rollcall-%s[%d]: ", LOG_DAEMON | LOG_INFO, moment, handler,
             (int)getpid());
}

static int send_line(const struct system_log *log, const char *head, const char *line, size_t size)
{
    struct iovec parts[2] = {{.iov_base = (void *)(uintptr_t)head, .iov_len = strlen(head)},
                             {.iov_base = (void *)(uintptr_t)line, .iov_len = size}};
    const struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    ssize_t n;

    do
        n = sendmsg(log->socket, &message, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : 0;
}

static int write_syslog(struct system_log *log, const char *line, size_t size)
{
    char head[HEAD_SIZE];
    int err = 0;

    make_head(head, log->handler);
    if (log->socket < 0)
        err = connect_syslog(log);
    if (err == 0)
        err = send_line(log, head, line, size);
    /* Too long for its socket: better the half of it than nothing. */
    while (err == -EMSGSIZE && size > LINE_LEAST) {
        size /= 2;
        err = send_line(log, head, line, size);
    }
    if (err < 0 && log->socket >= 0) {
        close(log->socket);
        log->socket = -1;
    }
    return err < 0
               ? rollcall_fail(err, "nobody takes lines at " SYSLOG_SOCKET ": %s", strerror(-err))
               : 0;
}

/* ---- the journal ---- */

#ifdef ROLLCALL_SYSTEMD
/* The library says nothing if there is no journal. */
static int write_journal(const struct system_log *log, const char *line, size_t size)
{
    int err = access(JOURNAL_SOCKET, F_OK) < 0 ? -errno : 0;

    if (err == 0)
        err = sd_journal_send("MESSAGE=%.*s", (int)size, line, "PRIORITY=%d", LOG_INFO,
                              "SYSLOG_IDENTIFIER=rollcall", "ROLLCALL_HANDLER=%s", log->handler,
                              NULL);
    return err < 0 ? rollcall_fail(err, "the journal does not take lines: %s", strerror(-err)) : 0;
}
#endif

int system_log_write(struct system_log *log, const char *line, size_t size)
{
#ifdef ROLLCALL_SYSTEMD
    if (log->journal)
        return write_journal(log, line, size);
#endif
    return write_syslog(log, line, size);
}
