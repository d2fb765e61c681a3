/* SPDX-License-Identifier: MIT */
#include "linux/skips.h"

#include "linux/control.h"

#include <bpf/bpf.h>

#include <stddef.h>
#include <stdint.h>

void skips_notice(struct capture *capture)
{
    struct control *control = capture->control;

    for (size_t i = 0; i < FIRST_HOOKS; i++) {
        struct hook_skips *known = &control->hook_skips[i];
        struct bpf_prog_info info = {0};
        uint32_t size = sizeof(info);

        if (bpf_obj_get_info_by_fd(capture->programs[i], &info, &size) < 0)
            continue;
        if (known->prog_id != info.id) {
            known->prog_id = info.id;
            known->seen = 0;
        }
        control->skips += info.recursion_misses - known->seen;
        known->seen = info.recursion_misses;
    }
    if (control->skips > control->skips_judged)
        set_u32(&control->heal_late, 1);
}

/*
 * Skips of which it is known that nothing is missing: the second program has written it, or the
 * thread that was to be looked at was none to be written. Of threads it is only known how many
 * more second programs than first ones were run for them, which is never more than were skipped;
 * the count of the first ones is read last, and they are attached first and removed last, so
 * that it is not too small.
 *
 * What is told late is not among them. Not each announcement makes a skip good, as the kernel can
 * hide forks from the programs. And an exec or an exit can be told when its skip is long counted as
 * lost: it would make good another one, which nobody has written. It is healed, and counted as lost
 * all the same: that is at most too much, and no loss is taken for healed.
 */
static uint64_t made_good(const struct control *control)
{
    uint64_t again = get_u64(&control->again);
    uint64_t second = get_u64(&control->idle[SECOND]);
    uint64_t first = get_u64(&control->idle[FIRST]);

    return again + (second > first ? second - first : 0);
}

/*
 * All counts are from the beginning, and none begins anew. So what is made good meanwhile of skips
 * that are yet to be noticed only delays what is counted as lost: when there are no more skips
 * nothing is left out, and it never goes down.
 */
void skips_heal(struct capture *capture)
{
    struct control *control = capture->control;
    uint64_t lost = control->lost[ROLLCALL_LOST_SKIPPED];
    uint64_t good;

    if (capture_snapshot(capture) < 0)
        return;
    good = made_good(control);
    if (control->skips > good + lost)
        set_u64(&control->lost[ROLLCALL_LOST_SKIPPED], control->skips - good);
    control->skips_judged = control->skips;
}
