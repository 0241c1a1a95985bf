#include "check.h"

#include "buf.h"

static void test_append_grows_up_to_the_maximum(void)
{
    struct lc_buf buf;
    lc_buf_init(&buf, 10);
    CHECK_INT(lc_buf_append(&buf, "abcd", 4), 0);
    CHECK_INT(lc_buf_append(&buf, "efgh", 4), 0);
    CHECK_INT(lc_buf_append(&buf, "ijk", 3), LC_ELIMIT);
    CHECK_BYTES(buf.ptr, buf.len, "abcdefgh");
    CHECK_INT(lc_buf_append(&buf, "ij", 2), 0);
    CHECK_BYTES(buf.ptr, buf.len, "abcdefghij");
    CHECK(buf.cap <= buf.max);
    lc_buf_free(&buf);
    CHECK_INT(buf.len, 0);
    CHECK_INT(buf.max, 10);
}

static void test_a_failing_allocation_keeps_the_bytes(void)
{
    struct lc_buf buf;
    lc_buf_init(&buf, 1000);
    CHECK_INT(lc_buf_append(&buf, "abcd", 4), 0);
    lc_alloc_fail_after(1);
    CHECK_INT(lc_buf_reserve(&buf, 900), LC_ENOMEM);
    CHECK_BYTES(buf.ptr, buf.len, "abcd");
    lc_buf_free(&buf);
}

static void test_move_leaves_nothing_behind(void)
{
    struct lc_buf from, to;
    lc_buf_init(&from, 100);
    CHECK_INT(lc_buf_append(&from, "x", 1), 0);
    lc_buf_move(&to, &from);
    CHECK_INT(from.len, 0);
    CHECK(from.ptr == NULL);
    CHECK_BYTES(to.ptr, to.len, "x");
    lc_buf_free(&to);
}

static void test_error_codes_have_words(void)
{
    CHECK(strcmp(lc_strerror(LC_ENOMEM), "out of memory") == 0);
    CHECK(strcmp(lc_strerror(-1), "unknown error") == 0);
    CHECK(lc_sv_equal_nocase(lc_sv_of("Content-Length"), lc_sv_of("content-LENGTH")));
    CHECK(!lc_sv_equal_nocase(lc_sv_of("ab"), lc_sv_of("abc")));
}

int main(void)
{
    RUN(test_append_grows_up_to_the_maximum);
    RUN(test_a_failing_allocation_keeps_the_bytes);
    RUN(test_move_leaves_nothing_behind);
    RUN(test_error_codes_have_words);
    return 0;
}
