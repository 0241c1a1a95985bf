#include "pack.h"

#include "decoder.h"
#include "http1.h"

#include <zstd.h>

#define TEXT "Hello, hello, hello, hello, world! 0123456789 abcdefghijklmnopqrstuvwxyz"

struct sample {
    uint8_t codings[LC_DECODER_MAX_CODINGS];
    size_t count;
    struct lc_buf packed;
    const char *want; /* NULL: LC_EDECODE */
};

static struct sample sample_of(enum pack_as as, const char *text)
{
    return (struct sample){{pack_coding(as)}, 1, pack_text(as, text), text};
}

/* Puts one more coding on top. */
static void pack_again(struct sample *sample, enum pack_as as)
{
    struct lc_buf packed;
    lc_buf_init(&packed, SIZE_MAX);
    pack(as, sample->packed.ptr, sample->packed.len, &packed);
    lc_buf_free(&sample->packed);
    sample->packed = packed;
    sample->codings[sample->count++] = pack_coding(as);
}

static void follow(struct sample *sample, const char *bytes, size_t len)
{
    CHECK_INT(lc_buf_append(&sample->packed, bytes, len), 0);
}

/* Feeds a piece in a block of exactly its size, so that the sanitizer sees a read past it. */
static int feed(struct lc_decoder *decoder, const char *bytes, size_t len, bool last,
                struct lc_buf *out)
{
    char *exact = malloc(len > 0 ? len : 1);
    CHECK(exact != NULL);
    if (len > 0) {
        memcpy(exact, bytes, len);
    }
    int rc = lc_decoder_feed(decoder, exact, len, last, out);
    free(exact);
    return rc;
}

/* Feeds `first` bytes and then pieces of `step`. */
static int decode_in_pieces(const struct sample *sample, size_t first, size_t step, bool ends_apart,
                            struct lc_buf *out)
{
    struct lc_decoder *decoder;
    const struct lc_buf *packed = &sample->packed;
    lc_buf_init(out, 1 << 20);
    int rc = lc_decoder_new(sample->codings, sample->count, &decoder);
    if (rc < 0) {
        return rc;
    }
    size_t pos = 0, len = first < packed->len ? first : packed->len;
    bool last = false;
    while (rc == 0 && !last) {
        last = pos + len == packed->len && (!ends_apart || len == 0);
        rc = feed(decoder, packed->ptr + pos, len, last, out);
        pos += len;
        len = step < packed->len - pos ? step : packed->len - pos;
    }
    CHECK((rc == LC_EDECODE) == (lc_decoder_reason(decoder)[0] != '\0'));
    lc_decoder_free(decoder);
    if (rc < 0) {
        lc_buf_free(out);
    }
    return rc;
}

static void check_pieces(const struct sample *sample, size_t first, size_t step, bool ends_apart)
{
    struct lc_buf out;
    int rc = decode_in_pieces(sample, first, step, ends_apart, &out);
    CHECK_INT(rc, sample->want != NULL ? 0 : LC_EDECODE);
    if (sample->want != NULL) {
        CHECK_BYTES(out.ptr, out.len, sample->want);
    }
    lc_buf_free(&out);
}

static void check_every_split(struct sample sample)
{
    for (size_t first = 0; first <= sample.packed.len; first++) {
        check_pieces(&sample, first, SIZE_MAX, false);
        check_pieces(&sample, first, 1, first % 2 == 0);
    }
    lc_buf_free(&sample.packed);
}

static void test_every_split_decodes_to_the_same(void)
{
    for (int as = 0; as < PACK_KINDS; as++) {
        check_every_split(sample_of(as, TEXT));
        check_every_split(sample_of(as, ""));
    }
}

static void test_every_split_of_several_codings_decodes_to_the_same(void)
{
    struct sample sample = sample_of(PACK_RAW, TEXT);
    pack_again(&sample, PACK_BR);
    pack_again(&sample, PACK_ZSTD);
    pack_again(&sample, PACK_ZLIB);
    pack_again(&sample, PACK_GZIP);
    check_every_split(sample);
    sample = sample_of(PACK_GZIP, "");
    pack_again(&sample, PACK_GZIP);
    check_every_split(sample);
}

static void test_every_split_of_members_and_frames_is_joined(void)
{
    static const enum pack_as kinds[] = {PACK_GZIP, PACK_ZSTD};
    for (size_t i = 0; i < 2; i++) {
        struct sample sample = sample_of(kinds[i], "one, ");
        pack(kinds[i], "", 0, &sample.packed);
        pack(kinds[i], "two", 3, &sample.packed);
        sample.want = "one, two";
        check_every_split(sample);
    }
    struct sample sample = sample_of(PACK_ZSTD, "one");
    follow(&sample, "\x50\x2a\x4d\x18\x03\0\0\0abc", 11);
    check_every_split(sample);
}

static void test_what_follows_is_the_same_in_every_split(void)
{
    struct sample sample = sample_of(PACK_GZIP, TEXT);
    follow(&sample, "\0\0garbage", 9);
    check_every_split(sample);
    sample = sample_of(PACK_GZIP, TEXT);
    follow(&sample, "\x1f\x8bgarbage", 9);
    check_every_split(sample);
    sample = sample_of(PACK_GZIP, TEXT);
    follow(&sample, "\x1f\x8b\x08\xff no member at all", 22);
    check_every_split(sample);
    sample = sample_of(PACK_ZLIB, TEXT);
    follow(&sample, "garbage", 7);
    check_every_split(sample);
    for (int as = PACK_BR; as <= PACK_ZSTD; as++) {
        sample = sample_of(as, TEXT);
        follow(&sample, "garbage", 7);
        sample.want = NULL;
        check_every_split(sample);
    }
}

static void test_what_is_cut_short_or_damaged_fails_in_every_split(void)
{
    for (int as = 0; as < PACK_KINDS; as++) {
        struct sample sample = sample_of(as, TEXT);
        sample.packed.len--;
        sample.want = NULL;
        check_every_split(sample);
        sample = sample_of(as, TEXT);
        memset(sample.packed.ptr, 0xff, sample.packed.len);
        sample.want = NULL;
        check_every_split(sample);
    }
    struct sample sample = sample_of(PACK_GZIP, TEXT);
    pack(PACK_GZIP, "two", 3, &sample.packed);
    sample.packed.ptr[sample.packed.len - 8] ^= 1;
    sample.want = NULL;
    check_every_split(sample);
}

/* A stream without wrapper that begins like one with: a stored block of one byte whose unused bits
 * and length are a zlib header, and an empty last block. */
static void test_every_split_of_deflate_falls_back_to_the_raw_format(void)
{
    static const char raw[] = "\x78\x01\x00\xfe\xff"
                              "A\x01\x00\x00\xff\xff";
    struct sample sample = {{LC_CODING_DEFLATE}, 1, {.max = SIZE_MAX}, "A"};
    follow(&sample, raw, sizeof raw - 1);
    check_every_split(sample);
    sample.packed = (struct lc_buf){.max = SIZE_MAX};
    follow(&sample, raw, sizeof raw - 2);
    sample.want = NULL;
    check_every_split(sample);
}

/* --- large bodies --- */

static void test_a_large_body_comes_out_in_the_order_it_went_in(void)
{
    size_t len = 1 << 20;
    char *body = pack_make_body(len);
    for (int as = 0; as < PACK_KINDS; as++) {
        struct sample sample = {{pack_coding(as)}, 1, {.max = SIZE_MAX}, NULL};
        struct lc_buf out;
        pack(as, body, len, &sample.packed);
        pack_again(&sample, PACK_GZIP);
        CHECK_INT(decode_in_pieces(&sample, 0, 1000, false, &out), 0);
        CHECK_INT(out.len, len);
        CHECK(memcmp(out.ptr, body, len) == 0);
        lc_buf_free(&out);
        lc_buf_free(&sample.packed);
    }
    free(body);
}

static void test_the_maximum_of_each_call_is_that_of_its_buffer(void)
{
    char *zeros = calloc(1, 200000);
    CHECK(zeros != NULL);
    for (int as = 0; as < PACK_KINDS; as++) {
        struct lc_decoder *decoder;
        uint8_t coding = pack_coding(as);
        struct lc_buf packed, out;
        lc_buf_init(&packed, SIZE_MAX);
        pack(as, zeros, 200000, &packed);
        for (int fits = 0; fits < 2; fits++) {
            int want = fits ? 0 : LC_ELIMIT;
            lc_buf_init(&out, fits ? 200000 : 199999);
            CHECK_INT(lc_decoder_new(&coding, 1, &decoder), 0);
            CHECK_INT(feed(decoder, packed.ptr, packed.len, true, &out), want);
            CHECK(out.len <= out.max);
            CHECK_INT(lc_decoder_feed(decoder, "", 0, true, &out), fits ? LC_EINVAL : LC_ELIMIT);
            lc_decoder_free(decoder);
            lc_buf_free(&out);
        }
        lc_buf_free(&packed);
    }
    free(zeros);
}

/* A frame of `len` bytes that does not tell its size, with that window. */
static struct lc_buf frame_with_window(int window_log, const char *bytes, size_t len)
{
    struct lc_buf packed;
    ZSTD_CCtx *encoder = ZSTD_createCCtx();
    CHECK(encoder != NULL);
    CHECK(!ZSTD_isError(ZSTD_CCtx_setParameter(encoder, ZSTD_c_windowLog, window_log)));
    lc_buf_init(&packed, SIZE_MAX);
    CHECK_INT(lc_buf_reserve(&packed, ZSTD_compressBound(len)), 0);
    ZSTD_inBuffer in = {bytes, len, 0}, nothing = {bytes, 0, 0};
    ZSTD_outBuffer out = {packed.ptr, packed.cap, 0};
    CHECK(!ZSTD_isError(ZSTD_compressStream2(encoder, &out, &in, ZSTD_e_continue)));
    CHECK_INT(ZSTD_compressStream2(encoder, &out, &nothing, ZSTD_e_end), 0);
    packed.len = out.pos;
    CHECK(!ZSTD_isError(ZSTD_freeCCtx(encoder)));
    return packed;
}

static void test_a_window_of_zstd_is_bounded_in_every_split(void)
{
    struct sample sample = {{LC_CODING_ZSTD}, 1, frame_with_window(23, "x", 1), "x"};
    check_every_split(sample);
    sample.packed = frame_with_window(24, "x", 1);
    sample.want = NULL;
    struct lc_decoder *decoder;
    struct lc_buf out;
    lc_buf_init(&out, 100);
    CHECK_INT(lc_decoder_new(sample.codings, 1, &decoder), 0);
    CHECK_INT(feed(decoder, sample.packed.ptr, sample.packed.len, true, &out), LC_EDECODE);
    const char *reason = lc_decoder_reason(decoder);
    CHECK_BYTES(reason, strlen(reason),
                "Unable to decompress Zstandard data: Frame requires too much memory for decoding");
    lc_decoder_free(decoder);
    lc_buf_free(&out);
    check_every_split(sample);
}

/* --- use --- */

static void test_codings_that_cannot_be_undone_are_refused(void)
{
    static const uint8_t other[] = {LC_CODING_GZIP, LC_CODING_OTHER};
    static const uint8_t many[] = {LC_CODING_GZIP, LC_CODING_GZIP, LC_CODING_GZIP,
                                   LC_CODING_GZIP, LC_CODING_GZIP, LC_CODING_GZIP};
    struct lc_decoder *decoder = NULL;
    CHECK_INT(lc_decoder_new(other, 2, &decoder), LC_EINVAL);
    CHECK_INT(lc_decoder_new(many, 6, &decoder), LC_EINVAL);
    CHECK(decoder == NULL);
    CHECK_INT(lc_decoder_new(many, 5, &decoder), 0);
    lc_decoder_free(decoder);
    lc_decoder_free(NULL);
}

static void test_without_codings_bytes_pass_as_they_are(void)
{
    static const uint8_t identity[] = {LC_CODING_IDENTITY};
    struct lc_buf out;
    struct lc_decoder *decoder;
    lc_buf_init(&out, 5);
    CHECK_INT(lc_decoder_new(identity, 1, &decoder), 0);
    CHECK_INT(feed(decoder, "plain", 5, false, &out), 0);
    CHECK_INT(feed(decoder, "!", 1, false, &out), LC_ELIMIT);
    CHECK_BYTES(out.ptr, out.len, "plain");
    lc_decoder_free(decoder);
    lc_buf_free(&out);
}

static void test_a_decoder_that_failed_keeps_failing(void)
{
    static const uint8_t gzip[] = {LC_CODING_GZIP};
    struct lc_buf out, packed = pack_text(PACK_GZIP, TEXT);
    struct lc_decoder *decoder;
    lc_buf_init(&out, 100);
    CHECK_INT(lc_decoder_new(gzip, 1, &decoder), 0);
    CHECK_INT(feed(decoder, "text", 4, false, &out), LC_EDECODE);
    CHECK_INT(feed(decoder, packed.ptr, packed.len, true, &out), LC_EDECODE);
    CHECK_INT(out.len, 0);
    lc_decoder_free(decoder);
    lc_buf_free(&packed);
    lc_buf_free(&out);
}

static void test_a_failing_allocation_leaks_nothing(void)
{
    char *body = pack_make_body(100000);
    for (int as = 0; as < PACK_KINDS; as++) {
        struct sample sample = {{pack_coding(as)}, 1, {.max = SIZE_MAX}, NULL};
        struct lc_buf out;
        pack(as, body, 100000, &sample.packed);
        pack_again(&sample, PACK_BR);
        int rc = LC_ENOMEM;
        for (uint64_t n = 1; rc == LC_ENOMEM; n++) {
            lc_alloc_fail_after(n);
            rc = decode_in_pieces(&sample, 100, 10000, false, &out);
            lc_alloc_fail_after(0);
            CHECK(n > 5 || rc == LC_ENOMEM);
        }
        CHECK_INT(rc, 0);
        CHECK_INT(out.len, 100000);
        lc_buf_free(&out);
        lc_buf_free(&sample.packed);
    }
    free(body);
}

int main(void)
{
    RUN(test_every_split_decodes_to_the_same);
    RUN(test_every_split_of_several_codings_decodes_to_the_same);
    RUN(test_every_split_of_members_and_frames_is_joined);
    RUN(test_what_follows_is_the_same_in_every_split);
    RUN(test_what_is_cut_short_or_damaged_fails_in_every_split);
    RUN(test_every_split_of_deflate_falls_back_to_the_raw_format);
    RUN(test_a_large_body_comes_out_in_the_order_it_went_in);
    RUN(test_the_maximum_of_each_call_is_that_of_its_buffer);
    RUN(test_a_window_of_zstd_is_bounded_in_every_split);
    RUN(test_codings_that_cannot_be_undone_are_refused);
    RUN(test_without_codings_bytes_pass_as_they_are);
    RUN(test_a_decoder_that_failed_keeps_failing);
    RUN(test_a_failing_allocation_leaks_nothing);
    return 0;
}
