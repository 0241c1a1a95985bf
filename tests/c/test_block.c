#include "block.h"

#include "buf.h"
#include "check.h"

#include <errno.h>
#include <sys/mman.h>

enum { MIB = 1 << 20 };

static void test_a_block_has_at_least_what_was_asked_for(void)
{
    const size_t sizes[] = {1, LC_BLOCK_MIN, LC_BLOCK_MIN + 1, 3 * MIB - 5};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t got = 0;
        char *block = lc_block_alloc(sizes[i], &got);
        CHECK(block != NULL && got >= sizes[i] && got >= LC_BLOCK_MIN);
        memset(block, 'x', got);
        lc_block_free(block, got);
    }
    lc_blocks_release();
}

static void test_a_freed_block_is_used_again_for_what_fits(void)
{
    size_t size, other_size, again_size;
    lc_blocks_keep();
    char *block = lc_block_alloc(MIB, &size);
    char *other = lc_block_alloc(4 * MIB, &other_size);
    CHECK(block != NULL && other != NULL);
    lc_block_free(block, size);
    lc_block_free(other, other_size);
    char *again = lc_block_alloc(MIB - 100, &again_size);
    CHECK(again != NULL && again_size >= MIB - 100 && again_size <= 2 * MIB);
#if !defined(__SANITIZE_ADDRESS__)
    CHECK(again == block && again_size == size);
#endif
    lc_block_free(again, again_size);
    lc_blocks_release();
    lc_blocks_release(); /* nothing left */
}

static void test_more_than_the_spare_bytes_goes_back_at_once(void)
{
    size_t size;
    char *block = lc_block_alloc(LC_BLOCKS_SPARE + 1, &size);
    CHECK(block != NULL);
    lc_block_free(block, size); /* unmapped: the sanitizer would see a use */
    lc_blocks_release();
    lc_block_free(NULL, 0);
}

static void test_growing_keeps_the_bytes(void)
{
    size_t size, grown_size;
    char *block = lc_block_alloc(LC_BLOCK_MIN, &size);
    CHECK(block != NULL);
    memset(block, 'a', size);
    char *grown = lc_block_grow(block, size, 5 * MIB, &grown_size);
    CHECK(grown != NULL && grown_size >= 5 * MIB);
    for (size_t i = 0; i < size; i++) {
        CHECK(grown[i] == 'a');
    }
    grown[grown_size - 1] = 'z';
    lc_block_free(grown, grown_size);
    lc_blocks_release();
}

static void test_allocations_fail_when_told_to(void)
{
    size_t size = 7;
    lc_alloc_fail_after(1);
    CHECK(lc_block_alloc(MIB, &size) == NULL);
    CHECK_INT(size, 7);
    char *block = lc_block_alloc(MIB, &size);
    CHECK(block != NULL);
    size_t grown_size = 7;
    lc_alloc_fail_after(1);
    CHECK(lc_block_grow(block, size, 2 * MIB, &grown_size) == NULL);
    CHECK_INT(grown_size, 7);
    block[0] = 'x'; /* the old one stays */
    lc_block_free(block, size);
    CHECK(lc_block_alloc(SIZE_MAX, &size) == NULL);
    lc_blocks_release();
}

static void test_a_buffer_grows_from_small_to_large_and_larger(void)
{
    struct lc_buf buf;
    lc_buf_init(&buf, 10 * MIB);
    size_t len = 0;
    char piece[1000];
    while (len + sizeof piece <= buf.max) {
        memset(piece, (char)(len / sizeof piece), sizeof piece);
        CHECK_INT(lc_buf_append(&buf, piece, sizeof piece), 0);
        CHECK(buf.cap <= buf.max && buf.len <= buf.cap);
        len += sizeof piece;
    }
    for (size_t i = 0; i < len; i++) {
        CHECK(buf.ptr[i] == (char)(i / sizeof piece));
    }
    CHECK_INT(lc_buf_append(&buf, piece, sizeof piece), LC_ELIMIT);
    lc_alloc_fail_after(1);
    struct lc_buf moved;
    lc_buf_move(&moved, &buf);
    CHECK(buf.block == 0 && buf.ptr == NULL && moved.len == len);
    CHECK_INT(lc_buf_reserve(&buf, MIB), LC_ENOMEM);
    lc_buf_free(&moved);
    lc_blocks_release();
}

static bool is_mapped(void *block)
{
    unsigned char pages[1];
    return mincore(block, 1, pages) == 0 || errno != ENOMEM;
}

/* A thread that ends would take them with it. */
static void test_a_thread_without_an_engine_keeps_nothing(void)
{
    size_t size;
    char *block = lc_block_alloc(MIB, &size);
    CHECK(block != NULL && is_mapped(block));
    lc_block_free(block, size);
    CHECK(!is_mapped(block));
    lc_blocks_keep();
    lc_blocks_keep();
    block = lc_block_alloc(MIB, &size);
    CHECK(block != NULL);
    lc_blocks_release(); /* one of the two is left */
    lc_block_free(block, size);
#if !defined(__SANITIZE_ADDRESS__)
    CHECK(is_mapped(block));
#endif
    lc_blocks_release();
    CHECK(!is_mapped(block));
}

int main(void)
{
    RUN(test_a_thread_without_an_engine_keeps_nothing);
    RUN(test_a_block_has_at_least_what_was_asked_for);
    RUN(test_a_freed_block_is_used_again_for_what_fits);
    RUN(test_more_than_the_spare_bytes_goes_back_at_once);
    RUN(test_growing_keeps_the_bytes);
    RUN(test_allocations_fail_when_told_to);
    RUN(test_a_buffer_grows_from_small_to_large_and_larger);
    return 0;
}
