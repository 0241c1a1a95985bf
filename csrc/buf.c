#include "buf.h"

#include "block.h"

void lc_buf_init(struct lc_buf *buf, size_t max)
{
    *buf = (struct lc_buf){.max = max};
}

void lc_buf_free(struct lc_buf *buf)
{
    if (buf->ptr != NULL) {
        lc_count_closed(LC_COUNT_BUFFERS);
    }
    if (buf->block != 0) {
        lc_block_free(buf->ptr, buf->block);
    } else {
        lc_free(buf->ptr);
    }
    lc_buf_init(buf, buf->max);
}

/* Room for `cap` bytes in a large block; `*size` is what it has. */
static char *grow_to_block(struct lc_buf *buf, size_t cap, size_t *size)
{
    if (buf->block != 0) {
        return lc_block_grow(buf->ptr, buf->block, cap, size);
    }
    char *ptr = lc_block_alloc(cap, size);
    if (ptr != NULL && buf->ptr != NULL) {
        memcpy(ptr, buf->ptr, buf->len);
        lc_free(buf->ptr);
    }
    return ptr;
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
    size_t block = 0;
    char *ptr = cap < LC_BLOCK_MIN ? lc_realloc(buf->ptr, cap) : grow_to_block(buf, cap, &block);
    if (ptr == NULL) {
        return LC_ENOMEM;
    }
    if (buf->ptr == NULL) {
        lc_count_opened(LC_COUNT_BUFFERS);
    }
    buf->ptr = ptr;
    buf->block = block;
    buf->cap = block == 0 ? cap : block < buf->max ? block : buf->max;
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
