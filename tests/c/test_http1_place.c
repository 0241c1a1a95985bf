/* Bodies that are read into their place, and responses that somebody else has read. */
#include "check.h"
#include "http1.h"

enum { LARGE = 3 << 20 };

static char byte_at(size_t i)
{
    return (char)(i * 31 + i / 251);
}

static int feed_text(struct lc_http1 *parser, const char *text)
{
    size_t used;
    return lc_http1_feed(parser, text, strlen(text), &used);
}

/* Gives the body from `*at` on as a socket would: into its place where there is one, at most `most`
 * bytes at a time. */
static int give(struct lc_http1 *parser, size_t *at, size_t end, size_t most, size_t *placed)
{
    char piece[4096];
    int rc = LC_HTTP1_MORE;
    while (rc == LC_HTTP1_MORE && *at < end) {
        char *into = piece;
        size_t used, room = lc_http1_room(parser, &into);
        size_t len = room > 0 ? room : sizeof piece;
        len = len < most ? len : most;
        len = len < end - *at ? len : end - *at;
        for (size_t i = 0; i < len; i++) {
            into[i] = byte_at(*at + i);
        }
        rc = room > 0 ? lc_http1_took(parser, len) : lc_http1_feed(parser, into, len, &used);
        *placed += room > 0 ? len : 0;
        *at += len;
    }
    return rc;
}

static void check_body(const struct lc_http1 *parser, size_t len)
{
    CHECK_INT(parser->body.len, len);
    for (size_t i = 0; i < len; i++) {
        CHECK(parser->body.ptr[i] == byte_at(i));
    }
}

static void test_a_large_body_is_read_into_its_place(void)
{
    const size_t steps[] = {1000, 65536, LARGE};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct lc_http1 parser;
        size_t at = 0, placed = 0;
        lc_http1_init(&parser, false, 1000, LARGE);
        CHECK_INT(feed_text(&parser, "HTTP/1.1 200 OK\r\nContent-Length: 3145728\r\n\r\n"), 0);
        CHECK_INT(give(&parser, &at, LARGE, steps[i], &placed), LC_HTTP1_DONE);
        CHECK(placed > LARGE / 2);
        check_body(&parser, LARGE);
        CHECK_INT(lc_http1_eof(&parser), LC_HTTP1_DONE);
        lc_http1_free(&parser);
    }
}

static void test_large_chunks_are_read_into_their_place(void)
{
    struct lc_http1 parser;
    size_t at = 0, placed = 0;
    lc_http1_init(&parser, false, 1000, LARGE);
    CHECK_INT(feed_text(&parser, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100000\r\n"),
              0);
    CHECK_INT(give(&parser, &at, 1 << 20, 50000, &placed), LC_HTTP1_MORE);
    CHECK_INT(feed_text(&parser, "\r\n100000\r\n"), 0);
    CHECK_INT(give(&parser, &at, 2 << 20, 50000, &placed), LC_HTTP1_MORE);
    CHECK(placed > 1 << 20);
    CHECK_INT(feed_text(&parser, "\r\n0\r\n\r\n"), LC_HTTP1_DONE);
    check_body(&parser, 2 << 20);
    lc_http1_free(&parser);
}

static void test_there_is_no_place_for_small_things(void)
{
    struct lc_http1 parser;
    char *into;
    lc_http1_init(&parser, false, 1000, LARGE);
    CHECK_INT(lc_http1_room(&parser, &into), 0);
    CHECK_INT(feed_text(&parser, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc"), 0);
    CHECK_INT(lc_http1_room(&parser, &into), 0);
    lc_http1_free(&parser);
}

static void test_without_memory_feeding_says_so(void)
{
    struct lc_http1 parser;
    char *into, piece[4096] = {0};
    size_t at = 0, placed = 0, used;
    lc_http1_init(&parser, false, 1000, LARGE);
    CHECK_INT(feed_text(&parser, "HTTP/1.1 200 OK\r\nContent-Length: 3145728\r\n\r\n"), 0);
    CHECK_INT(give(&parser, &at, 1 << 20, 65536, &placed), LC_HTTP1_MORE);
    lc_alloc_fail_after(1);
    CHECK_INT(lc_http1_room(&parser, &into), 0);
    lc_alloc_fail_after(1);
    CHECK_INT(lc_http1_feed(&parser, piece, sizeof piece, &used), LC_ENOMEM);
    lc_http1_free(&parser);
}

static void test_a_head_of_http_2_is_adopted(void)
{
    static const char head[] = "HTTP/2 200 \r\nlocation: /x\r\nset-cookie: a=b\r\n"
                               "content-encoding: gzip\r\ncontent-length: 5\r\n\r\n";
    struct lc_http1 parser;
    struct lc_sv value;
    lc_http1_init(&parser, false, 1000, 10);
    CHECK_INT(lc_http1_adopt_head(&parser, head, sizeof head - 1), 0);
    CHECK(parser.head_done && parser.has_location && parser.has_set_cookie);
    CHECK_INT(parser.status, 200);
    CHECK_INT(parser.coding, LC_CODING_GZIP);
    CHECK(memcmp(parser.head.ptr, "HTTP/2.0 200 \r\n", 15) == 0);
    CHECK(
        lc_http1_find_header((struct lc_sv){parser.head.ptr, parser.head.len}, "Location", &value));
    CHECK_BYTES(value.ptr, value.len, "/x");
    CHECK_INT(lc_http1_adopt_body(&parser, "01234", 5), 0);
    CHECK_INT(lc_http1_adopt_body(&parser, "56789", 5), 0);
    CHECK_BYTES(parser.body.ptr, parser.body.len, "0123456789");
    CHECK_INT(lc_http1_adopt_body(&parser, "x", 1), LC_ELIMIT);
    CHECK(parser.error != NULL);
    lc_http1_free(&parser);
}

static void test_what_is_no_head_is_not_adopted(void)
{
    static const char *const heads[] = {"HTTP/2 20 \r\n\r\n", "ICY 200 OK\r\n\r\n",
                                        "HTTP/2 200 \r\nno colon\r\n\r\n"};
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        struct lc_http1 parser;
        lc_http1_init(&parser, false, 1000, 10);
        CHECK_INT(lc_http1_adopt_head(&parser, heads[i], strlen(heads[i])), LC_EPROTO);
        lc_http1_free(&parser);
    }
    struct lc_http1 parser;
    lc_http1_init(&parser, false, 10, 10);
    CHECK_INT(lc_http1_adopt_head(&parser, "HTTP/2 200 \r\n\r\n", 15), LC_ELIMIT);
    lc_http1_free(&parser);
}

static void test_another_major_version_is_no_response_on_the_wire(void)
{
    struct lc_http1 parser;
    lc_http1_init(&parser, false, 1000, 10);
    CHECK_INT(feed_text(&parser, "HTTP/2.0 200 OK\r\n\r\n"), LC_EPROTO);
    lc_http1_free(&parser);
}

int main(void)
{
    RUN(test_a_large_body_is_read_into_its_place);
    RUN(test_large_chunks_are_read_into_their_place);
    RUN(test_there_is_no_place_for_small_things);
    RUN(test_without_memory_feeding_says_so);
    RUN(test_a_head_of_http_2_is_adopted);
    RUN(test_what_is_no_head_is_not_adopted);
    RUN(test_another_major_version_is_no_response_on_the_wire);
    return 0;
}
