/* A response must come out the same however it is cut into pieces. The first byte chooses the
 * request's method and the length of the pieces. */
#include "fuzz.h"

#include "http1.h"

#define MAX_HEAD 2000
#define MAX_BODY 5000

struct outcome {
    struct lc_http1 parser;
    int rc;
    int eof;
    size_t used;
};

static void run(struct outcome *out, bool is_head, const char *bytes, size_t len, size_t step)
{
    *out = (struct outcome){.rc = LC_HTTP1_MORE};
    lc_http1_init(&out->parser, is_head, MAX_HEAD, MAX_BODY);
    for (size_t pos = 0; pos < len && out->rc == LC_HTTP1_MORE; pos += step) {
        size_t used = SIZE_MAX, left = len - pos, piece = step < left ? step : left;
        out->rc = lc_http1_feed(&out->parser, bytes + pos, piece, &used);
        FUZZ_CHECK(used <= piece);
        FUZZ_CHECK(out->rc != LC_HTTP1_MORE || used == piece);
        out->used += used;
    }
    FUZZ_CHECK(out->parser.head.len <= MAX_HEAD && out->parser.body.len <= MAX_BODY);
    out->eof = lc_http1_eof(&out->parser);
}

static bool is_same(const struct lc_buf *left, const struct lc_buf *right)
{
    return left->len == right->len &&
           (left->len == 0 || memcmp(left->ptr, right->ptr, left->len) == 0);
}

static void check_same(const struct outcome *left, const struct outcome *right)
{
    const struct lc_http1 *one = &left->parser, *other = &right->parser;
    if (left->rc < 0) {
        /* Which limit or fault is met first may depend on the pieces; that one is met may not. */
        FUZZ_CHECK(right->rc < 0 && one->error != NULL && other->error != NULL);
        return;
    }
    FUZZ_CHECK(left->rc == right->rc && left->eof == right->eof && left->used == right->used);
    FUZZ_CHECK(one->head_done == other->head_done && one->status == other->status);
    FUZZ_CHECK(one->keep_alive == other->keep_alive && one->coding == other->coding);
    FUZZ_CHECK(one->has_location == other->has_location && one->minor == other->minor);
    FUZZ_CHECK(one->has_set_cookie == other->has_set_cookie);
    FUZZ_CHECK(is_same(&one->head, &other->head) && is_same(&one->body, &other->body));
}

/* Every line of an accepted head is one that the iterator gives. */
static void check_headers(const struct lc_http1 *parser)
{
    struct lc_sv head = {parser->head.ptr, parser->head.len}, name, value;
    size_t pos = 0, lines = 0, line_ends = 0;
    while (lc_http1_next_header(head, &pos, &name, &value)) {
        FUZZ_CHECK(name.len > 0 && name.ptr > head.ptr);
        FUZZ_CHECK(value.ptr + value.len <= head.ptr + head.len);
        FUZZ_CHECK(value.len == 0 || memchr(value.ptr, '\n', value.len) == NULL);
        lines++;
    }
    for (size_t i = 0; i < head.len; i++) {
        line_ends += head.ptr[i] == '\n';
    }
    FUZZ_CHECK(line_ends == lines + 2);
    FUZZ_CHECK(parser->reason.ptr >= head.ptr && parser->status >= 101 && parser->status <= 999);
    FUZZ_CHECK(!parser->has_location || lc_http1_find_header(head, "location", &value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    bool is_head = (data[0] & 1) != 0;
    size_t step = 1 + (data[0] >> 1) % 40, len = size - 1;
    const char *bytes = (const char *)data + 1;
    struct outcome whole, pieces;
    run(&whole, is_head, bytes, len, len > 0 ? len : 1);
    run(&pieces, is_head, bytes, len, step);
    check_same(&whole, &pieces);
    if (whole.rc >= 0 && whole.parser.head_done) {
        check_headers(&whole.parser);
    }
    lc_http1_free(&whole.parser);
    lc_http1_free(&pieces.parser);
    FUZZ_CHECK(lc_alloc_live() == 0);
    return 0;
}
