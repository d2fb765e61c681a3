/* SPDX-License-Identifier: MIT */
/* Asks a daemon what it tells of itself. Its structures may be shorter or longer than ours, and what it
 * sends is looked at before it is believed. */
#include "lib/error.h"
#include "lib/transport.h"
#include "linux/link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONSUMERS_MAX 1280u /* connections and names that a daemon can have */
#define ROOM                                                                                       \
    (sizeof(struct rollcall_daemon_report) +                                                       \
     CONSUMERS_MAX * sizeof(struct rollcall_consumer_report))

/* Copies what both sides have of a structure. */
static void take(void *to, size_t room, const unsigned char *from, size_t size)
{
    memset(to, 0, room);
    memcpy(to, from, size < room ? size : room);
}

static bool is_whole(const struct rollcall_daemon_report *report, size_t size)
{
    const size_t least = offsetof(struct rollcall_daemon_report, epoch);

    return report->size >= least && report->size <= size && report->consumer_size > 0 &&
           report->given <= CONSUMERS_MAX &&
           size - report->size == (size_t)report->given * report->consumer_size;
}

static int give(const struct report_sink *sink, const unsigned char *answer, size_t size)
{
    struct rollcall_daemon_report *report = sink->report;
    struct rollcall_consumer_report consumer;
    uint32_t ours = sizeof(*report);
    int result = 0;

    take(report, sizeof(*report), answer, size);
    if (size < offsetof(struct rollcall_daemon_report, epoch) || !is_whole(report, size))
        return rollcall_fail(-EBADMSG, "the daemon's answer is damaged: use the rollcalld that "
                                       "came with this rollcall");
    answer += report->size;
    if (report->size < ours)
        memset((unsigned char *)report + report->size, 0, ours - report->size);
    for (uint32_t i = 0; result == 0 && i < report->given; i++) {
        take(&consumer, sizeof(consumer), answer, report->consumer_size);
        if (consumer.name_size > sizeof(consumer.name))
            consumer.name_size = sizeof(consumer.name);
        result = sink->each(&consumer, sink->context);
        answer += report->consumer_size;
    }
    report->size = ours;
    report->consumer_size = sizeof(consumer);
    return result;
}

int transport_report(const struct rollcall_options *opts, const struct report_sink *sink)
{
    struct rollcall_request request;
    unsigned char *answer = malloc(ROOM);
    int fd;
    int got;

    if (!answer)
        return rollcall_fail(-ENOMEM, "out of memory");
    fd = link_connect(opts->socket);
    got = fd < 0 ? fd
                 : link_ask(fd, ROLLCALL_CODE_REPORT, 0, &request, sizeof(request), answer, ROOM);
    if (fd >= 0)
        close(fd);
    if (got >= 0)
        got = give(sink, answer, (size_t)got);
    else if (got == -EOPNOTSUPP)
        rollcall_fail(got, "the daemon at '%s' is an older one, and tells nothing of itself",
                      link_path(opts->socket));
    else
        got = link_connect_failed(opts->socket, got);
    free(answer);
    return got;
}
