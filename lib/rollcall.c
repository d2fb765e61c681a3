/* SPDX-License-Identifier: MIT */
/* The public calls: check what the caller gave, then hand over to the transport. */
#include "lib/error.h"
#include "lib/transport.h"

#include <rollcall/rollcall.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RING_SIZE_MIN  4096u
#define RING_SIZE_MAX  (1u << 30)
#define LATENCY_MAX_US 1000000u
#define ARGS_MAX_MAX   (8u << 20)
#define GRACE_MAX_MS   86400000u

struct rollcall {
    const struct transport *transport;
    void *state;
};

static int check_name(const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789_-";
    size_t length = strlen(name);

    if (length == 0 || length > ROLLCALL_NAME_MAX || strspn(name, allowed) != length)
        return rollcall_fail(-EINVAL,
                             "'%s' is not a consumer's name: use 1 to %d letters, digits, "
                             "'_' and '-'",
                             name, ROLLCALL_NAME_MAX);
    return 0;
}

/* Copies what the caller's version of the options has, and puts defaults where it has 0. */
static int complete_options(const struct rollcall_options *given, struct rollcall_options *opts)
{
    memset(opts, 0, sizeof(*opts));
    if (given) {
        size_t known = given->struct_size;
        const char *rest = (const char *)given;

        if (known < offsetof(struct rollcall_options, flags))
            return rollcall_fail(-EINVAL, "rollcall_options.struct_size is not set");
        for (size_t i = sizeof(*opts); i < known; i++)
            if (rest[i])
                return rollcall_fail(-EINVAL, "rollcall_options has fields that this version of "
                                              "librollcall does not know; use a newer one");
        memcpy(opts, given, known < sizeof(*opts) ? known : sizeof(*opts));
    }
    opts->struct_size = sizeof(*opts);
    if (opts->latency_us == 0)
        opts->latency_us = ROLLCALL_DEFAULT_LATENCY_US;
    if (opts->args_max == 0)
        opts->args_max = ROLLCALL_DEFAULT_ARGS_MAX;
    if (opts->deny_grace_ms == 0)
        opts->deny_grace_ms = ROLLCALL_DEFAULT_DENY_GRACE_MS;
    return 0;
}

static int check_policy(const struct rollcall_options *opts)
{
    if (opts->on_full > ROLLCALL_ON_FULL_DENY)
        return rollcall_fail(-EINVAL, "rollcall_options.on_full has an unknown value (%u)",
                             opts->on_full);
    if (opts->on_full == ROLLCALL_ON_FULL_DENY && !opts->name)
        return rollcall_fail(-EINVAL, "the policy `deny` is for a consumer with a name");
    if (opts->deny_exempt && opts->on_full != ROLLCALL_ON_FULL_DENY)
        return rollcall_fail(-EINVAL, "nobody is exempt without the policy `deny`");
    if (opts->deny_grace_ms > GRACE_MAX_MS)
        return rollcall_fail(-EINVAL, "a grace of %u milliseconds is not possible: use 1 to %u",
                             opts->deny_grace_ms, GRACE_MAX_MS);
    return 0;
}

static int check_options(const struct rollcall_options *opts)
{
    const uint32_t flags =
        ROLLCALL_EXISTING | ROLLCALL_SPIN | ROLLCALL_CONTINUE | ROLLCALL_DIRECT | ROLLCALL_DAEMON;

    if (opts->flags & ~flags)
        return rollcall_fail(-EINVAL, "rollcall_options.flags has unknown bits (0x%x)",
                             opts->flags & ~flags);
    if (opts->flags & ROLLCALL_DIRECT && opts->flags & ROLLCALL_DAEMON)
        return rollcall_fail(-EINVAL, "ROLLCALL_DIRECT and ROLLCALL_DAEMON exclude each other");
    if (opts->ring_size && (opts->ring_size < RING_SIZE_MIN || opts->ring_size > RING_SIZE_MAX ||
                            (opts->ring_size & (opts->ring_size - 1)) != 0))
        return rollcall_fail(-EINVAL,
                             "a ring of %llu bytes is not possible: use a power of two "
                             "from 4096 to 1073741824",
                             (unsigned long long)opts->ring_size);
    if (opts->latency_us > LATENCY_MAX_US)
        return rollcall_fail(-EINVAL, "a latency of %u microseconds is not possible: use 1 to %u",
                             opts->latency_us, LATENCY_MAX_US);
    if (opts->args_max > ARGS_MAX_MAX)
        return rollcall_fail(-EINVAL, "%u bytes of arguments are not possible: use 1 to %u",
                             opts->args_max, ARGS_MAX_MAX);
    if (opts->name && check_name(opts->name) < 0)
        return -EINVAL;
    return check_policy(opts);
}

int rollcall_open(const struct rollcall_options *opts, struct rollcall **out)
{
    struct rollcall_options full;
    struct rollcall *rc;
    int err;

    err = complete_options(opts, &full);
    if (err < 0)
        return err;
    err = check_options(&full);
    if (err < 0)
        return err;
    rc = calloc(1, sizeof(*rc));
    if (!rc)
        return rollcall_fail(-ENOMEM, "out of memory");
    rc->transport = transport_choose(&full);
    err = rc->transport->open(&full, &rc->state);
    if (err < 0) {
        free(rc);
        return err;
    }
    *out = rc;
    return 0;
}

void rollcall_close(struct rollcall *rc)
{
    if (!rc)
        return;
    rc->transport->close(rc->state);
    free(rc);
}

int rollcall_fd(const struct rollcall *rc)
{
    return rc->transport->fd ? rc->transport->fd(rc->state) : -ENOTSUP;
}

void *rollcall_handle(const struct rollcall *rc)
{
    return rc->transport->handle ? rc->transport->handle(rc->state) : NULL;
}

int rollcall_next(struct rollcall *rc, int timeout_ms, struct rollcall_batch *batch)
{
    memset(batch, 0, sizeof(*batch));
    return rc->transport->next(rc->state, timeout_ms, batch);
}

void rollcall_interrupt(struct rollcall *rc)
{
    rc->transport->interrupt(rc->state);
}

int rollcall_ack(struct rollcall *rc, uint64_t seq)
{
    return rc->transport->ack(rc->state, seq);
}

/* Gives the caller as much of the statistics as its version of the structure has. */
static int give_stats(const struct rollcall_stats *from, struct rollcall_stats *to, size_t size)
{
    size_t known = size < sizeof(*from) ? size : sizeof(*from);

    memset(to, 0, size);
    memcpy(to, from, known);
    return 0;
}

int rollcall_stats(struct rollcall *rc, struct rollcall_stats *stats, size_t stats_size)
{
    struct rollcall_stats now = {0};
    int err = rc->transport->stats(rc->state, &now);

    return err < 0 ? err : give_stats(&now, stats, stats_size);
}

/* For what is done without opening. */
static int named_options(const struct rollcall_options *given, struct rollcall_options *opts)
{
    int err = complete_options(given, opts);

    if (err == 0)
        err = check_options(opts);
    if (err == 0 && !opts->name)
        err = rollcall_fail(-EINVAL, "rollcall_options.name is not set");
    return err;
}

int rollcall_inspect_at(const struct rollcall_options *opts, struct rollcall_stats *stats,
                        size_t stats_size)
{
    struct rollcall_stats now = {0};
    struct rollcall_options full;
    int err = named_options(opts, &full);

    if (err == 0)
        err = transport_choose(&full)->inspect(&full, &now);
    return err < 0 ? err : give_stats(&now, stats, stats_size);
}

int rollcall_inspect(const char *name, struct rollcall_stats *stats, size_t stats_size)
{
    const struct rollcall_options opts = {.struct_size = sizeof(opts), .name = name};

    return rollcall_inspect_at(&opts, stats, stats_size);
}

int rollcall_names_at(const struct rollcall_options *opts,
                      int (*each)(const char *name, void *context), void *context)
{
    struct rollcall_options full;
    int err = complete_options(opts, &full);

    if (err == 0)
        err = check_options(&full);
    full.name = NULL;
    return err < 0 ? err : transport_names(&full, each, context);
}

int rollcall_names(int (*each)(const char *name, void *context), void *context)
{
    return rollcall_names_at(NULL, each, context);
}

int rollcall_report(const struct rollcall_options *opts, struct rollcall_daemon_report *report,
                    size_t report_size,
                    int (*each)(const struct rollcall_consumer_report *consumer, void *context),
                    void *context)
{
    struct rollcall_daemon_report now = {0};
    const struct report_sink sink = {.report = &now, .each = each, .context = context};
    struct rollcall_options full;
    int err = complete_options(opts, &full);

    if (err == 0)
        err = transport_report(&full, &sink);
    if (err < 0)
        return err;
    memset(report, 0, report_size);
    memcpy(report, &now, report_size < sizeof(now) ? report_size : sizeof(now));
    return err;
}

int rollcall_detach_at(const struct rollcall_options *opts)
{
    struct rollcall_options full;
    int err = named_options(opts, &full);

    return err < 0 ? err : transport_choose(&full)->detach(&full);
}

int rollcall_detach(const char *name)
{
    const struct rollcall_options opts = {.struct_size = sizeof(opts), .name = name};

    return rollcall_detach_at(&opts);
}
