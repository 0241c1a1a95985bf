#include "buf.h"

void lc_buf_init(struct lc_buf *buf, size_t max)
{
    *buf = (struct lc_buf){.max = max};
}

void lc_buf_free(struct lc_buf *buf)
{
    if (buf->ptr != NULL) {
        lc_count_closed(LC_COUNT_BUFFERS);
    }
    lc_free(buf->ptr);
    lc_buf_init(buf, buf->max);
}

int lc_buf_reserve(struct lc_buf *buf, size_t more)
{
    if (more > buf->max - buf->len) {
        return LC_ELIMIT;
    }
    size_t need = buf->len + more;
    if (need <= buf->cap) {
        return 0;
    }
    size_t cap = need;
    if (buf->len > 0 && cap < buf->cap * 2) {
        cap = buf->cap * 2 < buf->max ? buf->cap * 2 : buf->max;
    }
    char *ptr = lc_realloc(buf->ptr, cap);
    if (ptr == NULL) {
        return LC_ENOMEM;
    }
    if (buf->ptr == NULL) {
        lc_count_opened(LC_COUNT_BUFFERS);
    }
    buf->ptr = ptr;
    buf->cap = cap;
    return 0;
}

int lc_buf_append(struct lc_buf *buf, const void *bytes, size_t len)
{
    if (len == 0) {
        return 0;
    }
    int rc = lc_buf_reserve(buf, len);
    if (rc < 0) {
        return rc;
    }
    memcpy(buf->ptr + buf->len, bytes, len);
    buf->len += len;
    return 0;
}

void lc_buf_move(struct lc_buf *to, struct lc_buf *from)
{
    *to = *from;
    lc_buf_init(from, from->max);
}
