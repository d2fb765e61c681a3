/* SPDX-License-Identifier: MIT */
/* For what must hold in threads and forks, where a test framework cannot stop the test. */
#ifndef TESTS_CORE_CHECK_H
#define TESTS_CORE_CHECK_H

#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);              \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#define CHECK_EQUAL(left, right)                                                                   \
    do {                                                                                           \
        unsigned long long left_ = (unsigned long long)(left);                                     \
        unsigned long long right_ = (unsigned long long)(right);                                   \
                                                                                                   \
        if (left_ != right_) {                                                                     \
            fprintf(stderr, "%s:%d: %s is %llu, %s is %llu\n", __FILE__, __LINE__, #left, left_,   \
                    #right, right_);                                                               \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#endif
