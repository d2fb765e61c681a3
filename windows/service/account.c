/* SPDX-License-Identifier: MIT */
/* To run something as another user Windows wants that user's password. */
#include "service/account.h"

#include "lib/error.h"

#include <errno.h>
#include <stddef.h>

struct account *account_find(const char *name)
{
    rollcall_fail(-EOPNOTSUPP, "Windows cannot run it as '%s': leave `user` out", name);
    return NULL;
}

void account_free(struct account *account)
{
    (void)account;
}
