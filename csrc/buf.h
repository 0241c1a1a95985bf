/* A growable byte buffer that is created with its maximum.
 *
 * Growing past the maximum is LC_ELIMIT, failing to allocate LC_ENOMEM; in both cases the bytes
 * already there stay. A buffer of all zeros with a maximum set is valid and owns nothing. */
#ifndef LC_BUF_H
#define LC_BUF_H

#include "lc.h"

struct lc_buf {
    char *ptr;
    size_t len;
    size_t cap;
    size_t max;
    size_t block; /* private: the size of the large block that it is; 0: it is none */
};

void lc_buf_init(struct lc_buf *buf, size_t max);
void lc_buf_free(struct lc_buf *buf); /* back to the state after init */
/* Makes room for `more` bytes behind `len`; exact if the buffer was empty, else geometric. */
int lc_buf_reserve(struct lc_buf *buf, size_t more) LC_MUST_USE;
int lc_buf_append(struct lc_buf *buf, const void *bytes, size_t len) LC_MUST_USE;
/* Moves the content to `to`, which must own nothing; `from` is empty afterwards. */
void lc_buf_move(struct lc_buf *to, struct lc_buf *from);

#endif
