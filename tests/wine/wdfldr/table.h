/* SPDX-License-Identifier: MIT */
/* Each file puts its functions into the framework's table; the compiler checks their types. */
#ifndef WDFLDR_TABLE_H
#define WDFLDR_TABLE_H

#include "tests/wine/wdfldr/runtime.h"

#define SET(name, function)                                                                        \
    do {                                                                                           \
        PFN_##name function_of_its_type = (function);                                              \
        table[name##TableIndex] = (WDFFUNC)function_of_its_type;                                   \
    } while (0)

void table_objects(WDFFUNC *table);
void table_queues(WDFFUNC *table);
void table_requests(WDFFUNC *table);
void table_locks(WDFFUNC *table);
void table_misc(WDFFUNC *table);

#endif
