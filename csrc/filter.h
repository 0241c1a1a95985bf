/* One content coding undone step by step: what decoder.c strings together. Each library has a file
 * of its own, filter_<library>.c. */
#ifndef LC_FILTER_H
#define LC_FILTER_H

#include "http1.h"

enum lc_filter_result {
    LC_FILTER_MORE, /* everything was taken and given: it wants more input */
    LC_FILTER_FULL  /* it may have more to give: to be called again with room */
};

/* Input and room of one call; it moves the pointers on by what it took and gave. */
struct lc_filter_step {
    const char *in;
    size_t in_len;
    char *out;
    size_t out_room; /* at least 1 when called */
    bool last;       /* nothing follows the input: what is cut short is an error now */
};

struct lc_filter {
    /* enum lc_filter_result, LC_EDECODE with why and perhaps which set, or LC_ENOMEM; nothing but
     * free may follow these two. */
    int (*step)(struct lc_filter *filter, struct lc_filter_step *step);
    /* How large the decoded bytes of a whole body are, by what the body says itself; 0 if it does
     * not. It may be wrong. */
    size_t (*told_size)(const char *bytes, size_t len);
    void (*free)(struct lc_filter *filter);
    const char *why;   /* in the words that users of the library know; static storage */
    const char *which; /* more words, or NULL */
};

int lc_filter_zlib_new(bool gzip, struct lc_filter **out) LC_MUST_USE;
int lc_filter_brotli_new(struct lc_filter **out) LC_MUST_USE;
int lc_filter_zstd_new(struct lc_filter **out) LC_MUST_USE;

#endif
