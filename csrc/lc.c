#include "lc.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

/* Allocation bookkeeping is thread-local: an engine and all it counts belong to one thread. */
#define LC_QUICK_TLS __attribute__((tls_model("initial-exec"))) /* no call for each access */
static _Thread_local uint64_t fail_countdown LC_QUICK_TLS;
static _Thread_local int64_t live_blocks LC_QUICK_TLS;
static _Thread_local struct lc_count counts[LC_COUNTED_END] LC_QUICK_TLS;

const char *lc_strerror(int code)
{
    switch (code) {
    case LC_OK:
        return "success";
#define LC_ERROR_CASE(name, text)                                                                  \
    case name:                                                                                     \
        return text;
        LC_ERRORS(LC_ERROR_CASE)
#undef LC_ERROR_CASE
    default:
        return "unknown error";
    }
}

static unsigned char lower_ascii(char c)
{
    unsigned char u = (unsigned char)c;
    return u >= 'A' && u <= 'Z' ? (unsigned char)(u + 32) : u;
}

bool lc_sv_equal_nocase(struct lc_sv left, struct lc_sv right)
{
    if (left.len != right.len) {
        return false;
    }
    for (size_t i = 0; i < left.len; i++) {
        if (lower_ascii(left.ptr[i]) != lower_ascii(right.ptr[i])) {
            return false;
        }
    }
    return true;
}

bool lc_alloc_must_fail(void)
{
    return fail_countdown != 0 && --fail_countdown == 0;
}

void lc_alloc_count(int blocks)
{
    live_blocks += blocks;
}

static void *counted(void *memory)
{
    live_blocks += memory != NULL;
    return memory;
}

void *lc_alloc(size_t size)
{
    return lc_alloc_must_fail() ? NULL : counted(malloc(size));
}

void *lc_alloc_zero(size_t size)
{
    return lc_alloc_must_fail() ? NULL : counted(calloc(1, size));
}

void *lc_realloc(void *memory, size_t size)
{
    if (memory == NULL) {
        return lc_alloc(size);
    }
    return lc_alloc_must_fail() ? NULL : realloc(memory, size);
}

void lc_free(void *memory)
{
    live_blocks -= memory != NULL;
    free(memory);
}

void *lc_alloc_shared(size_t size)
{
    return lc_alloc_must_fail() ? NULL : calloc(1, size);
}

void lc_free_shared(void *memory)
{
    free(memory);
}

#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

void *lc_map(size_t size)
{
    if (lc_alloc_must_fail()) {
        return NULL;
    }
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);
    if (memory == MAP_FAILED) {
        return NULL;
    }
#ifdef MADV_NOHUGEPAGE
    /* Refused by kernels that have no huge pages, which is as good. */
    (void)madvise(memory, size, MADV_NOHUGEPAGE);
#endif
    return counted(memory);
}

void lc_unmap(void *memory, size_t size)
{
    if (memory != NULL) {
        munmap(memory, size);
        live_blocks--;
    }
}

void lc_alloc_fail_after(uint64_t n)
{
    fail_countdown = n;
}

int64_t lc_alloc_live(void)
{
    return live_blocks;
}

void lc_count_opened(enum lc_counted what)
{
    counts[what].opened++;
}

void lc_count_closed(enum lc_counted what)
{
    counts[what].closed++;
}

struct lc_count lc_count_of(enum lc_counted what)
{
    return counts[what];
}

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t lc_now_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

uint64_t lc_realtime_ns(void)
{
    return clock_ns(CLOCK_REALTIME);
}

uint64_t lc_realtime_offset_ns(void)
{
    uint64_t offset = 0, narrowest = UINT64_MAX;
    for (int tries = 0; tries < 3 && narrowest > 1000; tries++) {
        uint64_t before = lc_now_ns(), realtime = lc_realtime_ns();
        uint64_t width = lc_now_ns() - before;
        if (width < narrowest) {
            narrowest = width;
            offset = realtime - before - width / 2;
        }
    }
    return offset;
}
