/* A fuzz target is a program that defines this function. It is built twice: with libFuzzer
 * (LC_FUZZ), and as a test that replays tests/fuzz/corpus/<target>/ (replay.c). A target ends the
 * program with FUZZ_CHECK when what must always hold does not. */
#ifndef LC_FUZZ_H
#define LC_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);              \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#endif
