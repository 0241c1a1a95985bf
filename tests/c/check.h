/* The smallest test harness that says what was expected and what came.
 *
 * A test is a `static void test_x(void)`; main() runs each with RUN(test_x). Every RUN checks that
 * the test gave back all it allocated through lc_alloc and all that LC_COUNTED lists. CHECK_*
 * evaluate once, print both values, survive NDEBUG and end the program on failure. */
#ifndef LC_CHECK_H
#define LC_CHECK_H

#include "lc.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);              \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

#define CHECK_INT(got, want)                                                                       \
    do {                                                                                           \
        long long got_ = (long long)(got), want_ = (long long)(want);                              \
        if (got_ != want_) {                                                                       \
            fprintf(stderr, "%s:%d: %s is %lld, not %lld\n", __FILE__, __LINE__, #got, got_,       \
                    want_);                                                                        \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

#define CHECK_BYTES(got_ptr, got_len, want)                                                        \
    do {                                                                                           \
        struct lc_sv got_ = {(got_ptr), (got_len)}, want_ = lc_sv_of(want);                        \
        if (got_.len != want_.len ||                                                               \
            (got_.len > 0 && memcmp(got_.ptr, want_.ptr, got_.len) != 0)) {                        \
            fprintf(stderr, "%s:%d: %s is \"%.*s\" (%zu bytes), not \"%s\"\n", __FILE__, __LINE__, \
                    #got_ptr, (int)got_.len, got_.len ? got_.ptr : "", got_.len, (want));          \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

#define RUN(test)                                                                                  \
    do {                                                                                           \
        int64_t live_ = lc_alloc_live();                                                           \
        test();                                                                                    \
        lc_alloc_fail_after(0);                                                                    \
        if (lc_alloc_live() != live_) {                                                            \
            fprintf(stderr, "%s: %" PRId64 " blocks not freed\n", #test, lc_alloc_live() - live_); \
            exit(1);                                                                               \
        }                                                                                          \
        for (int i_ = 0; i_ < LC_COUNTED_END; i_++) {                                              \
            struct lc_count count_ = lc_count_of((enum lc_counted)i_);                             \
            CHECK_INT(count_.closed, count_.opened);                                               \
        }                                                                                          \
        printf("ok %s\n", #test);                                                                  \
    } while (0)

#endif
