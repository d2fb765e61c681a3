/* SPDX-License-Identifier: MIT */
/* journal-check: compares a journal with the truth of a load, and with itself. */
#include "journal/journal.h"
#include "tests/commands/truth.h"
#include "tests/load/check.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>

static int feed(const struct journal_event *found, void *context)
{
    check_event(context, found->epoch, found->event);
    return 0;
}

int main(int argc, char **argv)
{
    const struct journal_options opts = {.read_only = true};
    const struct journal_filter all = {0};
    struct journal *journal;
    struct check *check;
    uint64_t differences;

    if (argc < 3 || argc > 4)
        errx(2, "usage: journal-check JOURNAL ATTACHED_NS [TRUTH]");
    if (journal_open(argv[1], &opts, &journal) < 0)
        errx(2, "%s", rollcall_error());
    check = check_new(strtoull(argv[2], NULL, 10));
    if (journal_query(journal, &all, feed, check) < 0)
        errx(2, "%s", rollcall_error());
    differences = check_finish(check, argc == 4 ? truth_map(argv[3]) : NULL);
    check_print(check, stderr);
    check_free(check);
    journal_close(journal);
    return differences > 0;
}
