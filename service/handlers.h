/* SPDX-License-Identifier: MIT */
/* All handlers of a directory. One thread uses it. */
#ifndef SERVICE_HANDLERS_H
#define SERVICE_HANDLERS_H

#include <rollcall/rollcall.h>

#include <stdbool.h>

struct handlers;

/* Whether all files of the directory are right; what is not has been said (complain.h). *count: how
 * many there are. */
bool handlers_check(const char *directory, unsigned *count);

/* way: flags and socket of the consumers. The texts must outlive it. state: a directory, see
 * state.h. No handler runs before handlers_load(). NULL: rollcall_error(). */
struct handlers *handlers_new(const char *directory, const char *state,
                              const struct rollcall_options *way);

/* Makes those run that the directory has now: new ones are started, changed ones started anew, and
 * those that it has not any more ended. If anything in it is wrong that is said, and all stays as it
 * is: -EINVAL. */
int handlers_load(struct handlers *handlers);

/* Ends all and frees it. NULL is allowed. */
void handlers_free(struct handlers *handlers);

#endif
