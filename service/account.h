/* SPDX-License-Identifier: MIT */
/* A user as whom a handler's processes run. Each platform has one implementation. */
#ifndef SERVICE_ACCOUNT_H
#define SERVICE_ACCOUNT_H

struct account;

/* By name, with its groups as they are now. NULL: there is none, this process may not become it, or
 * this system has no such thing; rollcall_error() says which. */
struct account *account_find(const char *name);

/* NULL is allowed. */
void account_free(struct account *account);

#endif
