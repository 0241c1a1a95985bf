#include "check.h"

#include "http1.h"

#define MAX_HEAD 4096
#define MAX_BODY 100000

/* One response and what must come of it, however it is cut into pieces. */
struct sample {
    const char *bytes;
    const char *body;
    int result; /* of the last feed; where it is LC_HTTP1_MORE, the peer closes */
    int eof;    /* what the close then gives */
    int status;
    bool keep_alive;
    bool head_request;
    size_t left; /* bytes behind the response */
};

#define DONE(text, code, content, alive)                                                           \
    {                                                                                              \
        .bytes = (text), .body = (content), .result = LC_HTTP1_DONE, .status = (code),             \
        .keep_alive = (alive)                                                                      \
    }
#define CLOSED(text, code, content)                                                                \
    {                                                                                              \
        .bytes = (text), .body = (content), .result = LC_HTTP1_MORE, .eof = LC_HTTP1_DONE,         \
        .status = (code)                                                                           \
    }
#define CUT(text)                                                                                  \
    {                                                                                              \
        .bytes = (text), .body = "", .result = LC_HTTP1_MORE, .eof = LC_ETRUNCATED                 \
    }
#define BAD(text)                                                                                  \
    {                                                                                              \
        .bytes = (text), .body = "", .result = LC_EPROTO                                           \
    }

#define OK "HTTP/1.1 200 OK\r\n"
#define CHUNKED OK "Transfer-Encoding: chunked\r\n\r\n"

static const struct sample samples[] = {
    DONE(OK "Content-Length: 5\r\n\r\nhello", 200, "hello", true),
    DONE(OK "content-length:5\r\n\r\nhello", 200, "hello", true),
    DONE(OK "CONTENT-LENGTH: \t 0\r\n\r\n", 200, "", true),
    DONE("HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", 200, "hi", true),
    DONE("HTTP/1.1 200 OK\r\nContent-Length: 2\n\r\nhi", 200, "hi", true),
    DONE("\r\n\n\r\nHTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", 404, "no", true),
    DONE("HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx", 200, "x", true),
    DONE("HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\nx", 200, "x", true),
    DONE("HTTP/1.1  200   OK\r\nContent-Length: 1\r\n\r\nx", 200, "x", true),
    DONE("HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n", 999, "", true),
    {.bytes = OK "Content-Length: 2\r\n\r\nhiHTTP/1.1 500 Next\r\n\r\n",
     .body = "hi",
     .result = LC_HTTP1_DONE,
     .status = 200,
     .keep_alive = true,
     .left = 21},
    /* Content-Length */
    DONE(OK "Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi", 200, "hi", true),
    DONE(OK "Content-Length: 2, 02,\r\n\r\nhi", 200, "hi", true),
    BAD(OK "Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi"),
    BAD(OK "Content-Length: 2, 3\r\n\r\nhi"),
    BAD(OK "Content-Length: -2\r\n\r\nhi"),
    BAD(OK "Content-Length: +2\r\n\r\nhi"),
    BAD(OK "Content-Length: 2 2\r\n\r\nhi"),
    BAD(OK "Content-Length: 0x2\r\n\r\nhi"),
    BAD(OK "Content-Length:\r\n\r\nhi"),
    BAD(OK "Content-Length: 18446744073709551616\r\n\r\nhi"),
    {.bytes = OK "Content-Length: 18446744073709551615\r\n\r\nhi", .body = "", .result = LC_ELIMIT},
    {.bytes = OK "Content-Length: 100001\r\n\r\n", .body = "", .result = LC_ELIMIT},
    CUT(OK "Content-Length: 100000\r\n\r\nhi"),
    /* no body */
    {.bytes = OK "Content-Length: 5\r\n\r\nHTTP/",
     .body = "",
     .result = LC_HTTP1_DONE,
     .status = 200,
     .keep_alive = true,
     .head_request = true,
     .left = 5},
    {.bytes = OK "Content-Length: 18446744073709551615\r\n\r\n",
     .body = "",
     .result = LC_HTTP1_DONE,
     .status = 200,
     .keep_alive = true,
     .head_request = true},
    {.bytes = CHUNKED,
     .body = "",
     .result = LC_HTTP1_DONE,
     .status = 200,
     .keep_alive = true,
     .head_request = true},
    DONE("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", 204, "", true),
    DONE("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", 304, "", true),
    DONE("HTTP/1.1 304 Not Modified\r\n\r\n", 304, "", true),
    /* interim responses */
    DONE("HTTP/1.1 100 Continue\r\n\r\n" OK "Content-Length: 2\r\n\r\nhi", 200, "hi", true),
    DONE("HTTP/1.1 100\r\nContent-Length: 9\r\nConnection: close\r\n\r\nHTTP/1.1 103 Early\r\n"
         "Link: </a>\r\n Set-Cookie: x\r\n\r\n\r\n" OK "Content-Length: 2\r\n\r\nhi",
         200, "hi", true),
    CUT("HTTP/1.1 100 Continue\r\n\r\n"),
    {.bytes = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nbytes",
     .body = "",
     .result = LC_HTTP1_DONE,
     .status = 101,
     .keep_alive = false,
     .left = 5},
    /* chunked */
    DONE(CHUNKED "5\r\nhello\r\n0\r\n\r\n", 200, "hello", true),
    DONE(CHUNKED "2\r\nhe\r\n003\r\nllo\r\n0\r\nX-Sum: 1\r\nY: 2\r\n\r\n", 200, "hello", true),
    DONE(CHUNKED "0\r\n\r\n", 200, "", true),
    DONE(CHUNKED "A;name=value;\"q\"\r\n0123456789\r\n0;last\r\n\r\n", 200, "0123456789", true),
    DONE(CHUNKED "a \t\r\n0123456789\r\n0 ; x\r\n\r\n", 200, "0123456789", true),
    DONE(CHUNKED "2\nhe\n3\nllo\n0\nX: 1\n\n", 200, "hello", true),
    {.bytes = CHUNKED "1\r\nx\r\n0\r\n\r\nHTTP",
     .body = "x",
     .result = LC_HTTP1_DONE,
     .status = 200,
     .keep_alive = true,
     .left = 4},
    DONE(OK "Transfer-Encoding: gzip, Chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", 200, "x", true),
    DONE(OK "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, "",
         true),
    DONE(OK "Transfer-Encoding: identity\r\nContent-Length: 1\r\n\r\nx", 200, "x", true),
    DONE(OK "Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", 200, "x",
         false),
    DONE("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n"
         "1\r\nx\r\n0\r\n\r\n",
         200, "x", false),
    BAD(OK "Transfer-Encoding: gzip\r\n\r\nx"),
    BAD(OK "Transfer-Encoding: chunked, gzip\r\n\r\nx"),
    BAD(CHUNKED "\r\n"),
    BAD(CHUNKED "x\r\n"),
    BAD(CHUNKED "-1\r\n"),
    BAD(CHUNKED ";x\r\n"),
    BAD(CHUNKED "5 5\r\nhello\r\n0\r\n\r\n"),
    BAD(CHUNKED "5g\r\nhello\r\n0\r\n\r\n"),
    BAD(CHUNKED "5\r5\r\nhello\r\n0\r\n\r\n"),
    BAD(CHUNKED "5\r\nhello0\r\n\r\n"),
    BAD(CHUNKED "5\r\nhello\r0\r\n\r\n"),
    BAD(CHUNKED "10000000000000000\r\n"),
    {.bytes = CHUNKED "fffffffffffffff\r\n", .body = "", .result = LC_ELIMIT},
    {.bytes = CHUNKED "186a1\r\n", .body = "", .result = LC_ELIMIT},
    CUT(CHUNKED "5\r\nhel"),
    CUT(CHUNKED "5\r\nhello\r\n"),
    CUT(CHUNKED "5\r\nhello\r\n0\r\n"),
    CUT(CHUNKED "5\r\nhello\r\n0\r\nX: 1\r\n"),
    /* until the peer closes */
    CLOSED(OK "\r\nhello", 200, "hello"),
    CLOSED(OK "\r\n", 200, ""),
    CLOSED("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nhello", 200, "hello"),
    /* keep-alive */
    DONE(OK "Connection: close\r\nContent-Length: 0\r\n\r\n", 200, "", false),
    DONE(OK "Connection: close, keep-alive\r\nContent-Length: 0\r\n\r\n", 200, "", false),
    DONE(OK "Connection: x ,\tCLOSE,\r\nContent-Length: 0\r\n\r\n", 200, "", false),
    DONE(OK "Connection: keep-alive\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", 200, "",
         false),
    DONE(OK "Connection: closed\r\nContent-Length: 0\r\n\r\n", 200, "", true),
    DONE("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", 200, "", false),
    DONE("HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n", 200, "", true),
    DONE("HTTP/1.0 200 OK\r\nConnection: keep-alive, close\r\nContent-Length: 0\r\n\r\n", 200, "",
         false),
    /* lines */
    DONE(OK "Content-Length:\r\n  2\r\n\r\nhi", 200, "hi", true),
    DONE(OK "Connection: a,\n\tclose\nContent-Length: 2\n\nhi", 200, "hi", false),
    DONE(OK "X: y\r\n \r\nContent-Length : 2\r\n\r\nhi", 200, "hi", true),
    BAD(OK "Content-Length: 1\r\n 1\r\n\r\nhi"),
    BAD(OK " X: y\r\nContent-Length: 2\r\n\r\nhi"),
    BAD(OK "no colon here\r\n\r\n"),
    BAD(OK "nocolon\r\n\r\n"),
    BAD(OK ": no name\r\n\r\n"),
    BAD(OK "two words: x\r\n\r\n"),
    BAD(OK "bell\a: x\r\n\r\n"),
    BAD(OK "del\x7f: x\r\n\r\n"),
    BAD(OK "\r\r\n\r\n"),
    /* no HTTP/1 */
    BAD("SSH-2.0-OpenSSH_9.2\r\n"),
    BAD("HTTP/2 200\r\n\r\n"),
    BAD("HTTP/1.1\r\n\r\n"),
    BAD("HTTP/1.x 200 OK\r\n\r\n"),
    BAD("HTTP/1.1 20 OK\r\n\r\n"),
    BAD("HTTP/1.1 099 OK\r\n\r\n"),
    BAD("HTTP/1.1 2000 OK\r\n\r\n"),
    BAD("HTTP/1.1 abc OK\r\n\r\n"),
    BAD("http/1.1 200 OK\r\n\r\n"),
    {.bytes = "", .body = "", .result = LC_HTTP1_MORE, .eof = LC_ECLOSED},
    {.bytes = "\r\n", .body = "", .result = LC_HTTP1_MORE, .eof = LC_ECLOSED},
    CUT("H"),
    CUT("HTTP/1.1 200 OK\r\nContent-Le"),
};

#define SAMPLE_COUNT (sizeof samples / sizeof samples[0])

/* Feeds one piece; goes on with what a response left, as a caller with a buffer does. */
static int feed(struct lc_http1 *parser, const char *bytes, size_t len, size_t *total)
{
    size_t used = SIZE_MAX;
    /* A copy of its own, so that the sanitizer sees a read past the piece. */
    char *piece = malloc(len + 1);
    CHECK(piece != NULL);
    memcpy(piece, bytes, len);
    char *exact = realloc(piece, len > 0 ? len : 1);
    CHECK(exact != NULL);
    int rc = lc_http1_feed(parser, exact, len, &used);
    free(exact);
    CHECK(used <= len);
    CHECK(rc != LC_HTTP1_MORE || used == len);
    *total += used;
    return rc;
}

static void check_sample(const struct sample *sample, struct lc_http1 *parser, int rc, size_t total)
{
    CHECK_INT(rc, sample->result);
    if (rc < 0) {
        CHECK(parser->error != NULL && parser->error[0] != '\0');
        CHECK_INT(lc_http1_eof(parser), rc);
        return;
    }
    if (rc == LC_HTTP1_MORE) {
        CHECK_INT(lc_http1_eof(parser), sample->eof);
        if (sample->eof < 0) {
            return;
        }
    }
    CHECK(parser->head_done);
    CHECK(parser->error == NULL);
    CHECK_INT(parser->status, sample->status);
    CHECK_INT(parser->keep_alive, sample->keep_alive);
    CHECK_INT(total, strlen(sample->bytes) - sample->left);
    CHECK_BYTES(parser->body.ptr, parser->body.len, sample->body);
    CHECK_INT(lc_http1_eof(parser), LC_HTTP1_DONE);
}

/* Cuts the sample at the positions of `cuts` and feeds the pieces. */
static int run_sample(const struct sample *sample, struct lc_http1 *parser, const size_t *cuts,
                      size_t count, size_t *total)
{
    size_t len = strlen(sample->bytes), pos = 0;
    int rc = LC_HTTP1_MORE;
    *total = 0;
    for (size_t i = 0; i <= count && rc == LC_HTTP1_MORE; i++) {
        size_t end = i < count ? cuts[i] : len;
        rc = feed(parser, sample->bytes + pos, end - pos, total);
        pos = end;
    }
    return rc;
}

static void test_every_split_of_every_sample_gives_the_same(void)
{
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        const struct sample *sample = &samples[i];
        for (size_t cut = 0; cut <= strlen(sample->bytes); cut++) {
            struct lc_http1 parser;
            size_t total;
            lc_http1_init(&parser, sample->head_request, MAX_HEAD, MAX_BODY);
            int rc = run_sample(sample, &parser, &cut, 1, &total);
            check_sample(sample, &parser, rc, total);
            lc_http1_free(&parser);
        }
    }
}

static void test_byte_by_byte_gives_the_same(void)
{
    size_t cuts[512];
    for (size_t i = 0; i < 512; i++) {
        cuts[i] = i + 1;
    }
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        size_t len = strlen(samples[i].bytes);
        CHECK(len < 512);
        struct lc_http1 parser;
        size_t total;
        lc_http1_init(&parser, samples[i].head_request, MAX_HEAD, MAX_BODY);
        int rc = run_sample(&samples[i], &parser, cuts, len, &total);
        check_sample(&samples[i], &parser, rc, total);
        lc_http1_free(&parser);
    }
}

static void test_a_failing_allocation_is_an_error_and_leaks_nothing(void)
{
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        size_t len = strlen(samples[i].bytes);
        size_t cuts[2] = {len / 3, len * 2 / 3};
        for (uint64_t n = 1;; n++) {
            struct lc_http1 parser;
            size_t total;
            lc_http1_init(&parser, samples[i].head_request, MAX_HEAD, MAX_BODY);
            lc_alloc_fail_after(n);
            int rc = run_sample(&samples[i], &parser, cuts, 2, &total);
            lc_alloc_fail_after(0);
            if (rc == LC_ENOMEM) {
                CHECK_INT(lc_http1_feed(&parser, "x", 1, &total), LC_ENOMEM);
                CHECK_INT(lc_http1_eof(&parser), LC_ENOMEM);
            } else {
                check_sample(&samples[i], &parser, rc, total);
            }
            lc_http1_free(&parser);
            if (rc != LC_ENOMEM) {
                break;
            }
        }
    }
}

static void test_the_common_response_takes_two_allocations(void)
{
    static const char bytes[] = OK "Server: nginx/1.22.1\r\nContent-Type: text/plain\r\n"
                                   "Content-Length: 13\r\nConnection: keep-alive\r\n\r\n"
                                   "Hello, world!";
    struct lc_http1 parser;
    size_t used;
    lc_http1_init(&parser, false, MAX_HEAD, MAX_BODY);
    lc_alloc_fail_after(3);
    CHECK_INT(lc_http1_feed(&parser, bytes, sizeof bytes - 1, &used), LC_HTTP1_DONE);
    lc_alloc_fail_after(0);
    CHECK_INT(parser.head.cap, parser.head.len);
    CHECK_INT(parser.body.cap, 13);
    CHECK_INT(parser.head.len + parser.body.len, sizeof bytes - 1);
    lc_http1_free(&parser);
}

static void test_the_head_says_what_callers_branch_on(void)
{
    static const struct {
        const char *lines;
        int coding;
        bool set_cookie;
        bool location;
    } cases[] = {
        {"X: y\r\n", LC_CODING_IDENTITY, false, false},
        {"Content-Encoding: GZip\r\n", LC_CODING_GZIP, false, false},
        {"content-encoding: x-gzip\r\nset-cookie: a=b\r\n", LC_CODING_GZIP, true, false},
        {"Content-Encoding: deflate\r\nLocation: /\r\n", LC_CODING_DEFLATE, false, true},
        {"Content-Encoding: identity\r\nLOCATION:\r\n", LC_CODING_IDENTITY, false, true},
        {"Content-Encoding: identity, gzip\r\n", LC_CODING_GZIP, false, false},
        {"Content-Encoding: br\r\nSet-Cookies: a\r\n", LC_CODING_BR, false, false},
        {"Content-Encoding: ZSTD\r\n", LC_CODING_ZSTD, false, false},
        {"Content-Encoding: compress\r\n", LC_CODING_OTHER, false, false},
        {"Content-Encoding: gzip, gzip\r\nLocations: /\r\n", LC_CODING_OTHER, false, false},
        {"Content-Encoding: gzip\r\nContent-Encoding: deflate\r\n", LC_CODING_OTHER, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char bytes[200];
        int len = snprintf(bytes, sizeof bytes, "HTTP/1.1 302 Found it \r\n%s\r\n", cases[i].lines);
        struct lc_http1 parser;
        size_t used;
        lc_http1_init(&parser, true, MAX_HEAD, MAX_BODY);
        CHECK_INT(lc_http1_feed(&parser, bytes, (size_t)len, &used), LC_HTTP1_DONE);
        CHECK_INT(parser.coding, cases[i].coding);
        CHECK_INT(parser.has_set_cookie, cases[i].set_cookie);
        CHECK_INT(parser.has_location, cases[i].location);
        CHECK_INT(parser.minor, 1);
        CHECK_BYTES(parser.reason.ptr, parser.reason.len, "Found it");
        lc_http1_free(&parser);
    }
}

static void test_content_codings_are_listed_in_order(void)
{
    struct lc_sv head = lc_sv_of(OK "Content-Encoding: deflate, identity\r\nA: b\r\n"
                                    "content-encoding: x-gzip,br\r\n\r\n");
    uint8_t codings[3] = {0, 0, LC_CODING_OTHER};
    CHECK_INT(lc_http1_codings(head, codings, 2), 3);
    CHECK_INT(codings[0], LC_CODING_DEFLATE);
    CHECK_INT(codings[1], LC_CODING_GZIP);
    CHECK_INT(codings[2], LC_CODING_OTHER);
    CHECK_INT(lc_http1_codings(lc_sv_of(OK "A: gzip\r\n\r\n"), codings, 2), 0);
    CHECK_INT(lc_http1_value_codings(lc_sv_of(" ,zstd , identity,morse,br"), codings, 2), 3);
    CHECK_INT(codings[0], LC_CODING_ZSTD);
    CHECK_INT(codings[1], LC_CODING_OTHER);
    CHECK_INT(lc_http1_value_codings(lc_sv_of(""), codings, 2), 0);
}

static void test_a_bad_chunk_size_is_shown(void)
{
    static const char *const cases[][2] = {
        {"zz\r\nabc", "zz\r\n"}, {"3x\r\nabc", "3x\r\n"}, {"3 ?", "3 ?"}};
    for (size_t i = 0; i < 3; i++) {
        char bytes[200];
        struct lc_http1 parser;
        size_t used;
        int len =
            snprintf(bytes, sizeof bytes, OK "Transfer-Encoding: chunked\r\n\r\n%s", cases[i][0]);
        lc_http1_init(&parser, false, MAX_HEAD, MAX_BODY);
        CHECK_INT(lc_http1_feed(&parser, bytes, (size_t)len, &used), LC_EPROTO);
        CHECK_BYTES(parser.error_bytes.ptr, parser.error_bytes.len, cases[i][1]);
        lc_http1_free(&parser);
    }
}

static void test_headers_are_read_in_order_and_unfolded(void)
{
    static const char bytes[] = OK "A: one\r\nB:two\r\n\tmore \r\n  and more\r\nC :\r\n"
                                   "a: second\nContent-Length: 0\r\n\r\n";
    static const char *const want[][2] = {{"A", "one"},
                                          {"B", "two more and more"},
                                          {"C", ""},
                                          {"a", "second"},
                                          {"Content-Length", "0"}};
    struct lc_http1 parser;
    size_t used, pos = 0, count = 0;
    lc_http1_init(&parser, false, MAX_HEAD, MAX_BODY);
    CHECK_INT(lc_http1_feed(&parser, bytes, sizeof bytes - 1, &used), LC_HTTP1_DONE);
    struct lc_sv head = {parser.head.ptr, parser.head.len}, name, value;
    while (lc_http1_next_header(head, &pos, &name, &value)) {
        CHECK(count < 5);
        CHECK_BYTES(name.ptr, name.len, want[count][0]);
        CHECK_BYTES(value.ptr, value.len, want[count][1]);
        count++;
    }
    CHECK_INT(count, 5);
    CHECK(lc_http1_find_header(head, "a", &value));
    CHECK_BYTES(value.ptr, value.len, "one");
    CHECK(!lc_http1_find_header(head, "D", &value));
    lc_http1_free(&parser);
}

static void test_a_nul_byte_in_the_head_is_refused(void)
{
    static const char bytes[] = OK "A\0B: x\r\nContent-Length: 0\r\n\r\n";
    struct lc_http1 parser;
    size_t used;
    lc_http1_init(&parser, false, MAX_HEAD, MAX_BODY);
    CHECK_INT(lc_http1_feed(&parser, bytes, sizeof bytes - 1, &used), LC_EPROTO);
    lc_http1_free(&parser);
}

/* Repeats a text behind a start until the feed ends; returns its code. */
static int feed_endless(struct lc_http1 *parser, const char *start, const char *text)
{
    size_t total = 0;
    int rc = feed(parser, start, strlen(start), &total);
    for (int i = 0; i < 200000 && rc == LC_HTTP1_MORE; i++) {
        rc = feed(parser, text, strlen(text), &total);
    }
    CHECK(parser->head.cap <= parser->head.max && parser->body.cap <= parser->body.max);
    return rc;
}

static void test_what_never_ends_is_limited(void)
{
    static const char *const cases[][2] = {
        {"", "\r\n"},
        {"HTTP/1.1 200 ", "x"},
        {OK, "X: y\r\n"},
        {"", "HTTP/1.1 100 Continue\r\n\r\n"},
        {OK "\r\n", "body"},
        {CHUNKED, "1\r\nx\r\n"},
        {CHUNKED, "0"},
        {CHUNKED "1", " "},
        {CHUNKED "1;", "x"},
        {CHUNKED "0\r\n", "X: y\r\n"},
        {CHUNKED "0\r\nX", "y"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lc_http1 parser;
        lc_http1_init(&parser, false, MAX_HEAD, MAX_BODY);
        CHECK_INT(feed_endless(&parser, cases[i][0], cases[i][1]), LC_ELIMIT);
        CHECK(parser.error != NULL);
        lc_http1_free(&parser);
    }
}

static void test_a_long_body_is_not_reserved_on_the_peers_word(void)
{
    static const char start[] = OK "Content-Length: 3000000000\r\n\r\nx";
    struct lc_http1 parser;
    size_t used, body = 3 << 20;
    lc_http1_init(&parser, false, MAX_HEAD, (size_t)1 << 32);
    CHECK_INT(lc_http1_feed(&parser, start, sizeof start - 1, &used), LC_HTTP1_MORE);
    CHECK_INT(parser.body.cap, 1 << 20);
    char *bytes = calloc(1, body);
    CHECK(bytes != NULL);
    CHECK_INT(lc_http1_feed(&parser, bytes, body, &used), LC_HTTP1_MORE);
    CHECK_INT(parser.body.len, body + 1);
    free(bytes);
    lc_http1_free(&parser);
}

int main(void)
{
    RUN(test_every_split_of_every_sample_gives_the_same);
    RUN(test_byte_by_byte_gives_the_same);
    RUN(test_a_failing_allocation_is_an_error_and_leaks_nothing);
    RUN(test_the_common_response_takes_two_allocations);
    RUN(test_the_head_says_what_callers_branch_on);
    RUN(test_content_codings_are_listed_in_order);
    RUN(test_a_bad_chunk_size_is_shown);
    RUN(test_headers_are_read_in_order_and_unfolded);
    RUN(test_a_nul_byte_in_the_head_is_refused);
    RUN(test_what_never_ends_is_limited);
    RUN(test_a_long_body_is_not_reserved_on_the_peers_word);
    return 0;
}
