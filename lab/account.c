/* SPDX-License-Identifier: MIT */
#include "lab/account.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t lab_account_bytes(uint32_t size)
{
    return sizeof(struct lab_account) + size * sizeof(struct lab_item);
}

void lab_account_init(struct lab_account *account, uint32_t size)
{
    memset(account, 0, lab_account_bytes(size));
    account->size = size;
}

uint32_t lab_account_raise(struct lab_account *account, uint64_t now_ns)
{
    if (account->raised == account->size)
        abort();
    account->item[account->raised].raised_ns = now_ns;
    return account->raised++;
}

void lab_account_event(uint32_t number, uint64_t now_ns, struct rollcall_event *event)
{
    *event = (struct rollcall_event){.size = sizeof(*event),
                                     .version = ROLLCALL_EVENT_VERSION,
                                     .type = ROLLCALL_CREATE,
                                     .mono_ns = now_ns,
                                     .start_ns = number};
}

void lab_account_drop(struct lab_account *account, uint32_t number)
{
    account->item[number].dropped = true;
}

static struct lab_item *item_of(struct lab_account *account, uint64_t number)
{
    if (number >= account->raised)
        abort();
    return &account->item[number];
}

/* Designs with a budget drop nothing before it has a number: the first is 1. */
static void tell(struct lab_account *account, const struct rollcall_event *gap)
{
    for (uint64_t seq = gap->seq; seq < gap->seq + gap->lost; seq++)
        item_of(account, seq - 1)->told = true;
}

void lab_account_hand(struct lab_account *account, const struct rollcall_reply *reply)
{
    const struct rollcall_event *event = (const struct rollcall_event *)(const void *)(reply + 1);

    for (uint32_t i = 0; i < reply->count; i++, event++) {
        if (event->type == ROLLCALL_GAP)
            tell(account, event);
        else
            item_of(account, event->start_ns)->handed = true;
    }
}

void lab_account_reach(struct lab_account *account, const struct rollcall_event *event,
                       uint64_t now_ns)
{
    struct lab_item *item = item_of(account, event->start_ns);

    if (item->reached_ns == 0)
        item->reached_ns = now_ns;
}

void lab_account_done(struct lab_account *account, const struct rollcall_event *event)
{
    item_of(account, event->start_ns)->done++;
}

/* Each event is in one class. */
static const char *classify(const struct lab_item *item, struct lab_result *result)
{
    if (item->dropped) {
        result->dropped++;
        return item->handed || item->done > 0 ? "what was dropped was delivered" : NULL;
    }
    if (item->done > 0 && !item->handed)
        return "what was delivered was not handed out";
    if (item->done > 0) {
        result->delivered++;
        result->twice += item->done > 1;
    } else if (item->told) {
        result->told++;
    } else if (item->handed) {
        result->in_hand++;
    } else {
        result->waiting++;
    }
    return NULL;
}

static void latencies(const struct lab_account *account, struct lab_result *result)
{
    double *late = malloc((account->raised + 1) * sizeof(*late));
    size_t count = 0;

    if (late == NULL)
        abort();
    for (uint32_t i = 0; i < account->raised; i++) {
        const struct lab_item *item = &account->item[i];

        if (item->done > 0)
            late[count++] = (double)(item->reached_ns - item->raised_ns) / 1000;
    }
    figures_of(late, count, &result->late);
    free(late);
}

/* The driver knows nothing of the account; it counted for itself. */
static const char *compare(const struct lab_figures *figures, const struct lab_result *result)
{
    static char text[200];

    if (figures->raised == result->offered && figures->dropped == result->dropped &&
        figures->waiting == result->waiting && result->offered == result->delivered + result->lost)
        return NULL;
    snprintf(text, sizeof(text),
             "offered %llu, delivered %llu, lost %llu: dropped %llu, told %llu, in hand %llu, "
             "waiting %llu; the driver counted offered %llu, dropped %llu, waiting %llu",
             (unsigned long long)result->offered, (unsigned long long)result->delivered,
             (unsigned long long)result->lost, (unsigned long long)result->dropped,
             (unsigned long long)result->told, (unsigned long long)result->in_hand,
             (unsigned long long)result->waiting, (unsigned long long)figures->raised,
             (unsigned long long)figures->dropped, (unsigned long long)figures->waiting);
    return text;
}

const char *lab_account_close(const struct lab_account *account, const struct lab_design *design,
                              const struct lab_figures *figures, struct lab_result *result)
{
    memset(result, 0, sizeof(*result));
    result->offered = account->raised;
    for (uint32_t i = 0; i < account->raised; i++) {
        const char *wrong = classify(&account->item[i], result);

        if (wrong != NULL)
            return wrong;
    }
    result->lost = result->dropped + result->told + result->in_hand + result->waiting;
    result->calls = account->calls;
    result->bytes_most = figures->bytes_most;
    result->bytes_pended = lab_design_signals(design) ? sizeof(struct rollcall_ready)
                                                      : design->requests * lab_design_room(design);
    latencies(account, result);
    return compare(figures, result);
}
