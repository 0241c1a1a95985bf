#include "check.h"

#include "decode.h"
#include "http1.h"

#include <zlib.h>

/* Window bits of deflateInit2. */
enum { RAW = -15, ZLIB = 15, GZIP = 31 };

#define TEXT "Hello, hello, hello, hello, world!"

/* Appends one compressed stream to `packed`. */
static void pack(int bits, const char *bytes, size_t len, struct lc_buf *packed)
{
    z_stream stream = {0};
    CHECK_INT(deflateInit2(&stream, 6, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
    size_t bound = deflateBound(&stream, len);
    CHECK_INT(lc_buf_reserve(packed, bound), 0);
    stream.next_in = (unsigned char *)(uintptr_t)bytes;
    stream.avail_in = (unsigned)len;
    stream.next_out = (unsigned char *)packed->ptr + packed->len;
    stream.avail_out = (unsigned)bound;
    CHECK_INT(deflate(&stream, Z_FINISH), Z_STREAM_END);
    packed->len += stream.total_out;
    CHECK_INT(deflateEnd(&stream), Z_OK);
}

static struct lc_buf packed_text(int bits)
{
    struct lc_buf packed;
    lc_buf_init(&packed, SIZE_MAX);
    pack(bits, TEXT, strlen(TEXT), &packed);
    return packed;
}

/* A body that does not compress to nothing, of `len` bytes; the caller frees it. */
static char *make_body(size_t len)
{
    char *body = malloc(len);
    CHECK(body != NULL);
    uint32_t state = 1;
    for (size_t i = 0; i < len; i++) {
        state = state * 1664525u + 1013904223u;
        body[i] = (char)('a' + (state >> 24) % 16);
    }
    return body;
}

static int decode(int coding, const struct lc_buf *packed, size_t len, size_t max,
                  struct lc_buf *out)
{
    lc_buf_init(out, max);
    /* A copy of its own, so that the sanitizer sees a read past the input. */
    char *exact = malloc(len > 0 ? len : 1);
    CHECK(exact != NULL);
    if (len > 0) {
        memcpy(exact, packed->ptr, len);
    }
    const char *why = NULL;
    int rc = lc_decode_body((uint8_t)coding, exact, len, out, &why);
    free(exact);
    CHECK(rc != LC_EDECODE || why != NULL);
    CHECK(rc == 0 || (out->len == 0 && out->ptr == NULL && out->max == max));
    return rc;
}

static void check_decodes(int coding, struct lc_buf *packed, const char *want)
{
    struct lc_buf out;
    CHECK_INT(decode(coding, packed, packed->len, 1000, &out), 0);
    CHECK_BYTES(out.ptr, out.len, want);
    lc_buf_free(&out);
    lc_buf_free(packed);
}

static void test_every_wrapper_is_understood(void)
{
    struct lc_buf packed = packed_text(GZIP);
    check_decodes(LC_CODING_GZIP, &packed, TEXT);
    packed = packed_text(ZLIB);
    check_decodes(LC_CODING_DEFLATE, &packed, TEXT);
    packed = packed_text(RAW);
    check_decodes(LC_CODING_DEFLATE, &packed, TEXT);
}

static void test_an_empty_body_stays_empty(void)
{
    struct lc_buf packed;
    lc_buf_init(&packed, 100);
    check_decodes(LC_CODING_GZIP, &packed, "");
    pack(GZIP, "", 0, &packed);
    check_decodes(LC_CODING_GZIP, &packed, "");
    pack(RAW, "", 0, &packed);
    check_decodes(LC_CODING_DEFLATE, &packed, "");
}

static void test_gzip_members_are_joined_and_what_follows_is_ignored(void)
{
    struct lc_buf packed = packed_text(GZIP);
    pack(GZIP, "", 0, &packed);
    pack(GZIP, " More.", 6, &packed);
    CHECK_INT(lc_buf_append(&packed, "\0\0garbage", 9), 0);
    check_decodes(LC_CODING_GZIP, &packed, TEXT " More.");
    packed = packed_text(GZIP);
    CHECK_INT(lc_buf_append(&packed, "\x1f", 1), 0);
    check_decodes(LC_CODING_GZIP, &packed, TEXT);
    packed = packed_text(GZIP);
    CHECK_INT(lc_buf_append(&packed, "\x1f\x8b\x08\xff no member at all", 22), 0);
    check_decodes(LC_CODING_GZIP, &packed, TEXT);
}

static void test_a_second_member_that_is_cut_short_is_an_error(void)
{
    struct lc_buf packed = packed_text(GZIP), out;
    pack(GZIP, " More.", 6, &packed);
    CHECK_INT(decode(LC_CODING_GZIP, &packed, packed.len - 1, 1000, &out), LC_EDECODE);
    lc_buf_free(&packed);
}

static void test_every_cut_is_an_error(void)
{
    static const int cases[][2] = {
        {LC_CODING_GZIP, GZIP}, {LC_CODING_DEFLATE, ZLIB}, {LC_CODING_DEFLATE, RAW}};
    for (size_t i = 0; i < 3; i++) {
        struct lc_buf packed = packed_text(cases[i][1]), out;
        for (size_t len = 1; len < packed.len; len++) {
            CHECK_INT(decode(cases[i][0], &packed, len, 1000, &out), LC_EDECODE);
        }
        lc_buf_free(&packed);
    }
}

static void test_what_is_not_compressed_is_an_error(void)
{
    struct lc_buf plain, out;
    lc_buf_init(&plain, 100);
    CHECK_INT(lc_buf_append(&plain, "plain text, not compressed", 26), 0);
    CHECK_INT(decode(LC_CODING_GZIP, &plain, plain.len, 1000, &out), LC_EDECODE);
    CHECK_INT(decode(LC_CODING_DEFLATE, &plain, plain.len, 1000, &out), LC_EDECODE);
    CHECK_INT(decode(LC_CODING_OTHER, &plain, plain.len, 1000, &out), LC_EINVAL);
    lc_buf_free(&plain);
}

static void test_a_wrong_checksum_is_an_error(void)
{
    struct lc_buf packed = packed_text(GZIP), out;
    packed.ptr[packed.len - 8] ^= 1;
    CHECK_INT(decode(LC_CODING_GZIP, &packed, packed.len, 1000, &out), LC_EDECODE);
    lc_buf_free(&packed);
    packed = packed_text(ZLIB);
    packed.ptr[packed.len - 1] ^= 1;
    CHECK_INT(decode(LC_CODING_DEFLATE, &packed, packed.len, 1000, &out), LC_EDECODE);
    lc_buf_free(&packed);
}

static void test_the_maximum_is_exact(void)
{
    static const int cases[][2] = {
        {LC_CODING_GZIP, GZIP}, {LC_CODING_DEFLATE, ZLIB}, {LC_CODING_DEFLATE, RAW}};
    size_t len = 300000;
    char *body = make_body(len);
    for (size_t i = 0; i < 3; i++) {
        struct lc_buf packed, out;
        lc_buf_init(&packed, SIZE_MAX);
        pack(cases[i][1], body, len, &packed);
        CHECK_INT(decode(cases[i][0], &packed, packed.len, len, &out), 0);
        CHECK_INT(out.len, len);
        CHECK(memcmp(out.ptr, body, len) == 0);
        lc_buf_free(&out);
        CHECK_INT(decode(cases[i][0], &packed, packed.len, len - 1, &out), LC_ELIMIT);
        CHECK_INT(decode(cases[i][0], &packed, packed.len, 0, &out), LC_ELIMIT);
        lc_buf_free(&packed);
    }
    free(body);
}

static void test_a_bomb_costs_no_more_than_the_maximum(void)
{
    size_t len = 64 << 20;
    char *zeros = calloc(1, len);
    CHECK(zeros != NULL);
    struct lc_buf packed, out;
    lc_buf_init(&packed, SIZE_MAX);
    pack(GZIP, zeros, len, &packed);
    CHECK(packed.len < len / 1000);
    CHECK_INT(decode(LC_CODING_GZIP, &packed, packed.len, 1 << 20, &out), LC_ELIMIT);
    CHECK_INT(decode(LC_CODING_GZIP, &packed, packed.len, len, &out), 0);
    CHECK_INT(out.len, len);
    lc_buf_free(&out);
    /* A trailer that promises much is not believed. */
    memset(packed.ptr + packed.len - 4, 0xff, 4);
    CHECK_INT(decode(LC_CODING_GZIP, &packed, 100, len, &out), LC_EDECODE);
    lc_buf_free(&packed);
    free(zeros);
}

static void test_a_failing_allocation_is_an_error_and_leaks_nothing(void)
{
    static const int cases[][2] = {
        {LC_CODING_GZIP, GZIP}, {LC_CODING_DEFLATE, ZLIB}, {LC_CODING_DEFLATE, RAW}};
    size_t len = 200000;
    char *body = make_body(len);
    for (size_t i = 0; i < 3; i++) {
        struct lc_buf packed, out;
        lc_buf_init(&packed, SIZE_MAX);
        pack(cases[i][1], body, len, &packed);
        pack(cases[i][1], body, len, &packed);
        int rc = LC_ENOMEM;
        for (uint64_t n = 1; rc == LC_ENOMEM; n++) {
            lc_alloc_fail_after(n);
            rc = decode(cases[i][0], &packed, packed.len, SIZE_MAX, &out);
            lc_alloc_fail_after(0);
            CHECK(n > 2 || rc == LC_ENOMEM);
        }
        CHECK_INT(rc, 0);
        CHECK_INT(out.len, cases[i][1] == GZIP ? 2 * len : len);
        lc_buf_free(&out);
        lc_buf_free(&packed);
    }
    free(body);
}

static void test_codings_on_top_of_each_other_are_undone_from_the_last(void)
{
    static const uint8_t codings[] = {LC_CODING_DEFLATE, LC_CODING_GZIP};
    struct lc_buf inner = packed_text(RAW), packed, out;
    const char *why = NULL;
    lc_buf_init(&packed, SIZE_MAX);
    pack(GZIP, inner.ptr, inner.len, &packed);
    int rc = LC_ENOMEM;
    for (uint64_t n = 1; rc == LC_ENOMEM; n++) {
        lc_buf_init(&out, 1000);
        lc_alloc_fail_after(n);
        rc = lc_decode_codings(codings, 2, packed.ptr, packed.len, &out, &why);
        lc_alloc_fail_after(0);
    }
    CHECK_INT(rc, 0);
    CHECK_BYTES(out.ptr, out.len, TEXT);
    lc_buf_free(&out);
    CHECK_INT(lc_decode_codings(codings, 2, inner.ptr, inner.len, &out, &why), LC_EDECODE);
    CHECK_INT(strcmp(why, "incorrect header check"), 0);
    CHECK_INT(lc_decode_codings(codings, 1, packed.ptr, packed.len, &out, &why), LC_EDECODE);
    CHECK(out.ptr == NULL);
    lc_buf_free(&inner);
    lc_buf_free(&packed);
}

int main(void)
{
    RUN(test_every_wrapper_is_understood);
    RUN(test_an_empty_body_stays_empty);
    RUN(test_gzip_members_are_joined_and_what_follows_is_ignored);
    RUN(test_a_second_member_that_is_cut_short_is_an_error);
    RUN(test_every_cut_is_an_error);
    RUN(test_what_is_not_compressed_is_an_error);
    RUN(test_a_wrong_checksum_is_an_error);
    RUN(test_the_maximum_is_exact);
    RUN(test_a_bomb_costs_no_more_than_the_maximum);
    RUN(test_codings_on_top_of_each_other_are_undone_from_the_last);
    RUN(test_a_failing_allocation_is_an_error_and_leaks_nothing);
    return 0;
}
