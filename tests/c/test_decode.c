#include "pack.h"

#include "decode.h"
#include "http1.h"

#define TEXT "Hello, hello, hello, hello, world!"

static void expect_text(const char *got, const char *want)
{
    CHECK_BYTES(got, strlen(got), want);
}

/* `words`: what the reason must be; NULL: any, if it fails for its bytes. */
static int decode_as(uint8_t coding, const struct lc_buf *packed, size_t len, size_t max,
                     struct lc_buf *out, const char *words)
{
    char reason[LC_DECODER_REASON_MAX];
    lc_buf_init(out, max);
    /* A copy of its own, so that the sanitizer sees a read past the input. */
    char *exact = malloc(len > 0 ? len : 1);
    CHECK(exact != NULL);
    if (len > 0) {
        memcpy(exact, packed->ptr, len);
    }
    int rc = lc_decode_codings(&coding, 1, exact, len, out, reason);
    free(exact);
    CHECK((rc == LC_EDECODE) == (reason[0] != '\0'));
    CHECK(rc == 0 || (out->len == 0 && out->ptr == NULL && out->max == max));
    if (words != NULL) {
        expect_text(reason, words);
    }
    return rc;
}

static int decode(enum pack_as as, const struct lc_buf *packed, size_t len, size_t max,
                  struct lc_buf *out)
{
    return decode_as(pack_coding(as), packed, len, max, out, NULL);
}

static void check_decodes(enum pack_as as, struct lc_buf *packed, const char *want)
{
    struct lc_buf out;
    CHECK_INT(decode(as, packed, packed->len, 1000, &out), 0);
    CHECK_BYTES(out.ptr, out.len, want);
    lc_buf_free(&out);
    lc_buf_free(packed);
}

static void check_refused(uint8_t coding, struct lc_buf *packed, const char *words)
{
    struct lc_buf out;
    CHECK_INT(decode_as(coding, packed, packed->len, 1000, &out, words), LC_EDECODE);
    lc_buf_free(packed);
}

static void test_every_coding_is_understood(void)
{
    for (int as = 0; as < PACK_KINDS; as++) {
        struct lc_buf packed = pack_text(as, TEXT);
        check_decodes(as, &packed, TEXT);
    }
}

static void test_an_empty_body_stays_empty(void)
{
    for (int as = 0; as < PACK_KINDS; as++) {
        struct lc_buf packed;
        lc_buf_init(&packed, 100);
        check_decodes(as, &packed, "");
        packed = pack_text(as, "");
        check_decodes(as, &packed, "");
    }
}

static void test_gzip_members_are_joined_and_what_follows_is_ignored(void)
{
    struct lc_buf packed = pack_text(PACK_GZIP, TEXT);
    pack(PACK_GZIP, "", 0, &packed);
    pack(PACK_GZIP, " More.", 6, &packed);
    CHECK_INT(lc_buf_append(&packed, "\0\0garbage", 9), 0);
    check_decodes(PACK_GZIP, &packed, TEXT " More.");
    packed = pack_text(PACK_GZIP, TEXT);
    CHECK_INT(lc_buf_append(&packed, "\x1f", 1), 0);
    check_decodes(PACK_GZIP, &packed, TEXT);
    packed = pack_text(PACK_GZIP, TEXT);
    CHECK_INT(lc_buf_append(&packed, "\x1f\x8b\x08\xff no member at all", 22), 0);
    check_decodes(PACK_GZIP, &packed, TEXT);
}

static void test_zstd_frames_are_joined_and_others_may_lie_between(void)
{
    struct lc_buf packed = pack_text(PACK_ZSTD, TEXT);
    CHECK_INT(lc_buf_append(&packed, "\x50\x2a\x4d\x18\x03\0\0\0abc", 11), 0); /* to be skipped */
    pack(PACK_ZSTD, "", 0, &packed);
    pack(PACK_ZSTD, " More.", 6, &packed);
    check_decodes(PACK_ZSTD, &packed, TEXT " More.");
}

static void test_other_codings_end_as_in_stock_clients(void)
{
    struct lc_buf packed = pack_text(PACK_ZLIB, TEXT);
    CHECK_INT(lc_buf_append(&packed, "garbage", 7), 0);
    check_decodes(PACK_ZLIB, &packed, TEXT);
    packed = pack_text(PACK_BR, TEXT);
    CHECK_INT(lc_buf_append(&packed, "garbage", 7), 0);
    check_refused(LC_CODING_BR, &packed, "brotli: decoder failed");
    packed = pack_text(PACK_ZSTD, TEXT);
    CHECK_INT(lc_buf_append(&packed, "garbage", 7), 0);
    check_refused(LC_CODING_ZSTD, &packed,
                  "Unable to decompress Zstandard data: Unknown frame descriptor");
}

static void test_a_later_member_that_is_broken_is_an_error(void)
{
    struct lc_buf packed = pack_text(PACK_GZIP, TEXT), out;
    pack(PACK_GZIP, " More.", 6, &packed);
    CHECK_INT(decode(PACK_GZIP, &packed, packed.len - 1, 1000, &out), LC_EDECODE);
    packed.ptr[packed.len - 8] ^= 1;
    check_refused(LC_CODING_GZIP, &packed, "incorrect data check");
    packed = pack_text(PACK_ZSTD, TEXT);
    pack(PACK_ZSTD, " More.", 6, &packed);
    packed.len--;
    check_refused(LC_CODING_ZSTD, &packed, "Zstandard data is incomplete");
}

static void test_every_cut_is_an_error(void)
{
    static const char *const words[] = {"incomplete or truncated stream", "", "",
                                        "brotli: decoder failed", "Zstandard data is incomplete"};
    for (int as = 0; as < PACK_KINDS; as++) {
        struct lc_buf packed = pack_text(as, TEXT), out;
        for (size_t len = 1; len < packed.len; len++) {
            const char *exact = words[as][0] != '\0' ? words[as] : NULL;
            CHECK_INT(decode_as(pack_coding(as), &packed, len, 1000, &out, exact), LC_EDECODE);
        }
        lc_buf_free(&packed);
    }
}

static void test_what_is_not_compressed_is_an_error(void)
{
    static const struct {
        uint8_t coding;
        const char *words;
    } cases[] = {
        {LC_CODING_GZIP, "incorrect header check"},
        {LC_CODING_DEFLATE, "invalid stored block lengths"},
        {LC_CODING_BR, "brotli: decoder failed"},
        {LC_CODING_ZSTD, "Unable to decompress Zstandard data: Unknown frame descriptor"},
    };
    struct lc_buf plain, out;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lc_buf_init(&plain, 100);
        CHECK_INT(lc_buf_append(&plain, "plain text, not compressed", 26), 0);
        check_refused(cases[i].coding, &plain, cases[i].words);
    }
    lc_buf_init(&plain, 100);
    CHECK_INT(lc_buf_append(&plain, "plain", 5), 0);
    CHECK_INT(decode_as(LC_CODING_OTHER, &plain, plain.len, 1000, &out, NULL), LC_EINVAL);
    CHECK_INT(decode_as(LC_CODING_IDENTITY, &plain, plain.len, 1000, &out, NULL), 0);
    CHECK_BYTES(out.ptr, out.len, "plain");
    lc_buf_free(&out);
    lc_buf_free(&plain);
}

static void test_a_wrong_checksum_is_an_error(void)
{
    struct lc_buf packed = pack_text(PACK_GZIP, TEXT);
    packed.ptr[packed.len - 8] ^= 1;
    check_refused(LC_CODING_GZIP, &packed, "incorrect data check");
    packed = pack_text(PACK_ZLIB, TEXT);
    packed.ptr[packed.len - 1] ^= 1;
    check_refused(LC_CODING_DEFLATE, &packed, "incorrect data check");
}

static void test_the_maximum_is_exact(void)
{
    size_t len = 300000;
    char *body = pack_make_body(len);
    for (int as = 0; as < PACK_KINDS; as++) {
        struct lc_buf packed, out;
        lc_buf_init(&packed, SIZE_MAX);
        pack(as, body, len, &packed);
        CHECK_INT(decode(as, &packed, packed.len, len, &out), 0);
        CHECK_INT(out.len, len);
        CHECK(memcmp(out.ptr, body, len) == 0);
        lc_buf_free(&out);
        CHECK_INT(decode(as, &packed, packed.len, len - 1, &out), LC_ELIMIT);
        CHECK_INT(decode(as, &packed, packed.len, 0, &out), LC_ELIMIT);
        lc_buf_free(&packed);
    }
    free(body);
}

static void test_a_bomb_costs_no_more_than_the_maximum(void)
{
    static const uint8_t twice[] = {LC_CODING_GZIP, LC_CODING_GZIP};
    size_t len = 16 << 20;
    char reason[LC_DECODER_REASON_MAX];
    char *zeros = calloc(1, len);
    CHECK(zeros != NULL);
    struct lc_buf packed, out, doubly;
    for (int as = 0; as < PACK_KINDS; as++) {
        lc_buf_init(&packed, SIZE_MAX);
        pack(as, zeros, len, &packed);
        CHECK(packed.len < len / 1000);
        CHECK_INT(decode(as, &packed, packed.len, 1 << 20, &out), LC_ELIMIT);
        CHECK_INT(decode(as, &packed, packed.len, len, &out), 0);
        CHECK_INT(out.len, len);
        lc_buf_free(&out);
        lc_buf_free(&packed);
    }
    lc_buf_init(&packed, SIZE_MAX);
    pack(PACK_GZIP, zeros, len, &packed);
    lc_buf_init(&doubly, SIZE_MAX);
    pack(PACK_GZIP, packed.ptr, packed.len, &doubly);
    lc_buf_init(&out, 1 << 20);
    CHECK_INT(lc_decode_codings(twice, 2, doubly.ptr, doubly.len, &out, reason), LC_ELIMIT);
    lc_buf_free(&doubly);
    /* A trailer that promises much is not believed. */
    memset(packed.ptr + packed.len - 4, 0xff, 4);
    CHECK_INT(decode(PACK_GZIP, &packed, 100, len, &out), LC_EDECODE);
    lc_buf_free(&packed);
    free(zeros);
}

static void test_a_failing_allocation_is_an_error_and_leaks_nothing(void)
{
    size_t len = 200000;
    char *body = pack_make_body(len);
    for (int as = 0; as < PACK_KINDS; as++) {
        struct lc_buf packed, out;
        lc_buf_init(&packed, SIZE_MAX);
        pack(as, body, len, &packed);
        int rc = LC_ENOMEM;
        for (uint64_t n = 1; rc == LC_ENOMEM; n++) {
            lc_alloc_fail_after(n);
            rc = decode(as, &packed, packed.len, SIZE_MAX, &out);
            lc_alloc_fail_after(0);
            CHECK(n > 3 || rc == LC_ENOMEM);
        }
        CHECK_INT(rc, 0);
        CHECK_INT(out.len, len);
        lc_buf_free(&out);
        lc_buf_free(&packed);
    }
    free(body);
}

static void test_codings_on_top_of_each_other_are_undone_from_the_last(void)
{
    static const uint8_t codings[] = {LC_CODING_DEFLATE, LC_CODING_GZIP};
    char reason[LC_DECODER_REASON_MAX];
    struct lc_buf inner = pack_text(PACK_RAW, TEXT), packed, out;
    lc_buf_init(&packed, SIZE_MAX);
    pack(PACK_GZIP, inner.ptr, inner.len, &packed);
    int rc = LC_ENOMEM;
    for (uint64_t n = 1; rc == LC_ENOMEM; n++) {
        lc_buf_init(&out, 1000);
        lc_alloc_fail_after(n);
        rc = lc_decode_codings(codings, 2, packed.ptr, packed.len, &out, reason);
        lc_alloc_fail_after(0);
    }
    CHECK_INT(rc, 0);
    CHECK_BYTES(out.ptr, out.len, TEXT);
    lc_buf_free(&out);
    CHECK_INT(lc_decode_codings(codings, 2, inner.ptr, inner.len, &out, reason), LC_EDECODE);
    expect_text(reason, "incorrect header check");
    CHECK_INT(lc_decode_codings(codings, 1, packed.ptr, packed.len, &out, reason), LC_EDECODE);
    CHECK(out.ptr == NULL);
    lc_buf_free(&inner);
    lc_buf_free(&packed);
}

int main(void)
{
    RUN(test_every_coding_is_understood);
    RUN(test_an_empty_body_stays_empty);
    RUN(test_gzip_members_are_joined_and_what_follows_is_ignored);
    RUN(test_zstd_frames_are_joined_and_others_may_lie_between);
    RUN(test_other_codings_end_as_in_stock_clients);
    RUN(test_a_later_member_that_is_broken_is_an_error);
    RUN(test_every_cut_is_an_error);
    RUN(test_what_is_not_compressed_is_an_error);
    RUN(test_a_wrong_checksum_is_an_error);
    RUN(test_the_maximum_is_exact);
    RUN(test_a_bomb_costs_no_more_than_the_maximum);
    RUN(test_codings_on_top_of_each_other_are_undone_from_the_last);
    RUN(test_a_failing_allocation_is_an_error_and_leaks_nothing);
    return 0;
}
