/* Shared words of the core: error codes, string views, the clock, the allocator hook.
 *
 * Every fallible function of the core returns 0 or a negative LC_E* code and writes its
 * out-parameters only on success. Nothing in the core prints, aborts or knows Python. */
#ifndef LC_H
#define LC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define LC_MUST_USE __attribute__((warn_unused_result))
/* Not inlined: the stack of a caller that parks is copied at every switch of greenlets, so what is
 * needed before or after must not lie in the frames that are on it meanwhile. */
#define LC_OFF_STACK __attribute__((noinline))
/* The same for a path that is seldom taken. */
#define LC_RARE __attribute__((noinline, cold))

/* X(name, text): what went wrong, in words a user reads. */
#define LC_ERRORS(X)                                                                               \
    X(LC_ENOMEM, "out of memory")                                                                  \
    X(LC_EINVAL, "invalid argument")                                                               \
    X(LC_ELIMIT, "a limit was exceeded")                                                           \
    X(LC_EPROTO, "the peer broke the HTTP protocol")                                               \
    X(LC_ERESOLVE, "the host name could not be resolved")                                          \
    X(LC_ECONNECT, "the connection could not be established")                                      \
    X(LC_ECONNTIMEOUT, "connecting took longer than the connect time-out")                         \
    X(LC_EREADTIMEOUT, "the server sent nothing within the read time-out")                         \
    X(LC_ERESET, "the peer reset the connection")                                                  \
    X(LC_ECLOSED, "the peer closed the connection without sending a response")                     \
    X(LC_ETRUNCATED, "the peer closed the connection in the middle of a response")                 \
    X(LC_ETLS, "TLS failed")                                                                       \
    X(LC_ETLSVERIFY, "the server's certificate was not accepted")                                  \
    X(LC_EDECODE, "the body could not be decoded")                                                 \
    X(LC_ECANCELLED, "the request was cancelled")                                                  \
    X(LC_EAGAIN, "not ready yet")                                                                  \
    X(LC_EFORKED, "the engine belongs to the parent process")                                      \
    X(LC_ESYS, "a system call failed")

enum lc_error {
    LC_OK = 0,
    LC_E_FIRST = -1000,
#define LC_ERROR_ENUM(name, text) name,
    LC_ERRORS(LC_ERROR_ENUM)
#undef LC_ERROR_ENUM
        LC_E_END
};

/* The code's words; never NULL, also for codes that do not exist. */
const char *lc_strerror(int code);

/* A string view: `len` bytes at `ptr`, not terminated, not owned. */
struct lc_sv {
    const char *ptr;
    size_t len;
};

static inline struct lc_sv lc_sv_of(const char *text)
{
    return (struct lc_sv){text, strlen(text)};
}

/* True if both have the same bytes, ASCII letters compared without case. */
bool lc_sv_equal_nocase(struct lc_sv left, struct lc_sv right);

/* Memory: all of the core allocates through these. A test makes the n-th allocation fail with
 * lc_alloc_fail_after(n) (n >= 1; 0: never), which is per thread and compiled in everywhere, since
 * it costs one predictable branch. */
void *lc_alloc(size_t size) LC_MUST_USE;
void *lc_alloc_zero(size_t size) LC_MUST_USE;
void *lc_realloc(void *memory, size_t size) LC_MUST_USE;
void lc_free(void *memory);
void lc_alloc_fail_after(uint64_t n);
/* A region of zeros whose pages take memory only when they are written to; counted and made to fail
 * as the others. Never in huge pages: one byte written must not cost two megabytes. */
void *lc_map(size_t size) LC_MUST_USE;
void lc_unmap(void *memory, size_t size);
/* The same for the few blocks that another thread may free: those are not counted. */
void *lc_alloc_shared(size_t size) LC_MUST_USE;
void lc_free_shared(void *memory);
/* For other allocators: whether this allocation is the one to fail; blocks that came or went. */
bool lc_alloc_must_fail(void) LC_MUST_USE;
void lc_alloc_count(int blocks);
/* How many blocks are allocated and not yet freed, for tests that look for leaks. */
int64_t lc_alloc_live(void);

/* X(name, text): what tests that look for leaks count besides. Per thread, as the blocks; always
 * compiled in, for one addition costs less than a build that behaves otherwise. */
#define LC_COUNTED(X)                                                                              \
    X(LC_COUNT_OPERATIONS, "operations")   /* begun and not yet taken or cancelled */              \
    X(LC_COUNT_ATTEMPTS, "attempts")       /* to connect */                                        \
    X(LC_COUNT_CONNECTIONS, "connections") /* until their memory is freed */                       \
    X(LC_COUNT_TLS, "tls")                 /* TLS states of connections */                         \
    X(LC_COUNT_BUFFERS, "buffers")         /* that own memory */

enum lc_counted {
#define LC_COUNTED_ENUM(name, text) name,
    LC_COUNTED(LC_COUNTED_ENUM)
#undef LC_COUNTED_ENUM
        LC_COUNTED_END
};

struct lc_count {
    int64_t opened;
    int64_t closed;
};

void lc_count_opened(enum lc_counted what);
void lc_count_closed(enum lc_counted what);
/* Of this thread, since it began. */
struct lc_count lc_count_of(enum lc_counted what);

/* Nanoseconds of the monotonic clock, and of the real-time clock. */
uint64_t lc_now_ns(void);
uint64_t lc_realtime_ns(void);
/* Real time - monotonic: right to a microsecond unless the process is stopped in each of three
 * tries. */
uint64_t lc_realtime_offset_ns(void);

#endif
