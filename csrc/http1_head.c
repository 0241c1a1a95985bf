#include "http1_head.h"

/* What the header lines said, before it is known which of them counts. */
struct head_facts {
    uint64_t length;
    bool has_length;
    bool has_transfer_coding;
    bool last_is_chunked;
    bool close;
    bool keep_alive;
};

static int broken(struct lc_http1 *parser, const char *error)
{
    parser->error = error;
    return LC_EPROTO;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Printable ASCII but the colon. */
static bool is_name_byte(char c)
{
    return (unsigned char)(c - '!') <= '~' - '!' && c != ':';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Nearly always the word is written as expected: that is one comparison of constant length. */
static inline bool is_word(struct lc_sv text, const char *word)
{
    size_t len = strlen(word);
    return text.len == len && (memcmp(text.ptr, word, len) == 0 ||
                               lc_sv_equal_nocase(text, (struct lc_sv){word, len}));
}

static struct lc_sv trim(const char *ptr, size_t len)
{
    while (len > 0 && is_blank(ptr[0])) {
        ptr++;
        len--;
    }
    while (len > 0 && (is_blank(ptr[len - 1]) || ptr[len - 1] == '\r')) {
        len--;
    }
    return (struct lc_sv){ptr, len};
}

/* The line at `*pos` without its line end; false behind the last one and for the empty line. */
static bool next_line(struct lc_sv head, size_t *pos, struct lc_sv *line)
{
    if (*pos >= head.len) {
        return false;
    }
    const char *start = head.ptr + *pos;
    size_t left = head.len - *pos;
    const char *end = memchr(start, '\n', left);
    size_t len = end != NULL ? (size_t)(end - start) : left;
    *pos += end != NULL ? len + 1 : len;
    if (len > 0 && start[len - 1] == '\r') {
        len--;
    }
    *line = (struct lc_sv){start, len};
    return len > 0;
}

/* Splits a header line; NULL, or what is wrong with it. */
static const char *split_line(struct lc_sv line, struct lc_sv *name, struct lc_sv *value)
{
    size_t len = 0;
    while (len < line.len && is_name_byte(line.ptr[len])) {
        len++;
    }
    size_t colon = len;
    while (colon < line.len && is_blank(line.ptr[colon])) {
        colon++;
    }
    if (colon == line.len) {
        return "a header line has no colon";
    }
    if (line.ptr[colon] != ':') {
        return memchr(line.ptr, ':', line.len) != NULL
                   ? "a header name has white space, a control byte or a non-ASCII byte"
                   : "a header line has no colon";
    }
    if (len == 0) {
        return "a header line has no name";
    }
    *name = (struct lc_sv){line.ptr, len};
    *value = trim(line.ptr + colon + 1, line.len - colon - 1);
    return NULL;
}

/* The next element of a comma-separated list; empty ones are passed over (RFC 9110, 5.6.1). */
static bool next_element(struct lc_sv list, size_t *pos, struct lc_sv *element)
{
    while (*pos < list.len) {
        const char *start = list.ptr + *pos;
        const char *comma = memchr(start, ',', list.len - *pos);
        size_t len = comma != NULL ? (size_t)(comma - start) : list.len - *pos;
        *pos += comma != NULL ? len + 1 : len;
        *element = trim(start, len);
        if (element->len > 0) {
            return true;
        }
    }
    return false;
}

static bool parse_decimal(struct lc_sv text, uint64_t *number)
{
    uint64_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (!is_digit(text.ptr[i])) {
            return false;
        }
        unsigned digit = (unsigned)(text.ptr[i] - '0');
        if (n > (UINT64_MAX - digit) / 10) {
            return false;
        }
        n = n * 10 + digit;
    }
    *number = n;
    return text.len > 0;
}

/* Equal values may be repeated, as lines or, merged by an intermediary, as a list (RFC 9112, 6.3).
 */
static int read_length(struct lc_http1 *parser, struct head_facts *facts, struct lc_sv value)
{
    size_t pos = 0;
    struct lc_sv element = {0};
    if (!next_element(value, &pos, &element)) {
        return broken(parser, "Content-Length is empty");
    }
    do {
        uint64_t length;
        if (!parse_decimal(element, &length)) {
            return broken(parser, "Content-Length is not a number");
        }
        if (facts->has_length && facts->length != length) {
            return broken(parser, "there are several Content-Length values that differ");
        }
        facts->has_length = true;
        facts->length = length;
    } while (next_element(value, &pos, &element));
    return 0;
}

static void read_transfer_coding(struct head_facts *facts, struct lc_sv value)
{
    size_t pos = 0;
    struct lc_sv element;
    while (next_element(value, &pos, &element)) {
        if (!is_word(element, "identity")) {
            facts->has_transfer_coding = true;
            facts->last_is_chunked = is_word(element, "chunked");
        }
    }
}

static void read_connection(struct head_facts *facts, struct lc_sv value)
{
    size_t pos = 0;
    struct lc_sv element;
    while (next_element(value, &pos, &element)) {
        facts->close |= is_word(element, "close");
        facts->keep_alive |= is_word(element, "keep-alive");
    }
}

static uint8_t coding_of(struct lc_sv name)
{
    if (is_word(name, "gzip") || is_word(name, "x-gzip")) {
        return LC_CODING_GZIP;
    }
    if (is_word(name, "deflate")) {
        return LC_CODING_DEFLATE;
    }
    if (is_word(name, "br")) {
        return LC_CODING_BR;
    }
    if (is_word(name, "zstd")) {
        return LC_CODING_ZSTD;
    }
    return is_word(name, "identity") ? LC_CODING_IDENTITY : LC_CODING_OTHER;
}

static void read_content_coding(struct lc_http1 *parser, struct lc_sv value)
{
    size_t pos = 0;
    struct lc_sv element;
    while (next_element(value, &pos, &element)) {
        uint8_t coding = coding_of(element);
        if (coding != LC_CODING_IDENTITY) {
            bool first = parser->coding == LC_CODING_IDENTITY;
            parser->coding = first ? coding : LC_CODING_OTHER;
        }
    }
}

/* Length and first letter tell most names apart before any byte is compared. */
static int read_line(struct lc_http1 *parser, struct head_facts *facts, struct lc_sv name,
                     struct lc_sv value)
{
    char first = name.ptr[0] | 0x20;
    switch (name.len) {
    case 8:
        parser->has_location |= first == 'l' && is_word(name, "Location");
        break;
    case 10:
        if (first == 'c' && is_word(name, "Connection")) {
            read_connection(facts, value);
        } else if (first == 's' && is_word(name, "Set-Cookie")) {
            parser->has_set_cookie = true;
        }
        break;
    case 14:
        if (first == 'c' && is_word(name, "Content-Length")) {
            return read_length(parser, facts, value);
        }
        break;
    case 16:
        if (first == 'c' && is_word(name, "Content-Encoding")) {
            read_content_coding(parser, value);
        }
        break;
    case 17:
        if (first == 't' && is_word(name, "Transfer-Encoding")) {
            read_transfer_coding(facts, value);
        }
        break;
    default:
        break;
    }
    return 0;
}

static int read_status_line(struct lc_http1 *parser, struct lc_sv line)
{
    const char *ptr = line.ptr;
    bool any_major = parser->adopted && line.len > 5 && is_digit(ptr[5]);
    if (line.len < 9 || memcmp(ptr, "HTTP/", 5) != 0 || !(ptr[5] == '1' || any_major) ||
        ptr[6] != '.' || !is_digit(ptr[7]) || !is_blank(ptr[8])) {
        return broken(parser, "this is not an HTTP/1 response");
    }
    struct lc_sv rest = trim(ptr + 9, line.len - 9);
    if (rest.len < 3 || !is_digit(rest.ptr[0]) || rest.ptr[0] == '0' || !is_digit(rest.ptr[1]) ||
        !is_digit(rest.ptr[2]) || (rest.len > 3 && !is_blank(rest.ptr[3]))) {
        return broken(parser, "the status is not a number from 100 to 999");
    }
    parser->minor = (uint8_t)(ptr[7] - '0');
    parser->status =
        (uint16_t)((rest.ptr[0] - '0') * 100 + (rest.ptr[1] - '0') * 10 + (rest.ptr[2] - '0'));
    parser->reason = trim(rest.ptr + 3, rest.len - 3);
    return 0;
}

/* A line end and the white space around it become one space, as urllib3 shows it. */
static int unfold(struct lc_http1 *parser)
{
    char *head = parser->head.ptr;
    size_t len = parser->head.len, kept = 0;
    bool first = true;
    for (size_t i = 0; i < len; i++) {
        bool folds = head[i] == '\n' && i + 1 < len && is_blank(head[i + 1]);
        if (folds && first) {
            return broken(parser, "white space precedes the first header");
        }
        first = first && head[i] != '\n';
        if (!folds) {
            head[kept++] = head[i];
            continue;
        }
        while (is_blank(head[kept - 1]) || head[kept - 1] == '\r') {
            kept--; /* ends at the latest in the status line */
        }
        head[kept++] = ' ';
        while (i + 1 < len && is_blank(head[i + 1])) {
            i++;
        }
    }
    parser->head.len = kept;
    return 0;
}

static int decide_framing(struct lc_http1 *parser, const struct head_facts *facts,
                          enum lc_http1_framing *framing)
{
    parser->keep_alive = !facts->close && (parser->minor >= 1 || facts->keep_alive);
    if (parser->status == 101) {
        parser->keep_alive = false; /* what follows is another protocol */
    }
    if (parser->request_is_head || parser->status < 200 || parser->status == 204 ||
        parser->status == 304) {
        *framing = LC_FRAMING_NONE;
        return 0;
    }
    if (facts->has_transfer_coding) {
        if (!facts->last_is_chunked) {
            return broken(parser, "the last Transfer-Encoding is not chunked");
        }
        if (facts->has_length || parser->minor == 0) {
            parser->keep_alive = false; /* two opinions where the body ends (RFC 9112, 6.1) */
        }
        *framing = LC_FRAMING_CHUNKED;
    } else if (facts->has_length) {
        *framing = LC_FRAMING_LENGTH;
        parser->remaining = facts->length;
    } else {
        *framing = LC_FRAMING_CLOSE;
        parser->keep_alive = false;
    }
    return 0;
}

int lc_http1_read_head(struct lc_http1 *parser, enum lc_http1_framing *framing)
{
    struct lc_sv head = {parser->head.ptr, parser->head.len};
    if (memchr(head.ptr, '\0', head.len) != NULL) {
        return broken(parser, "the head has a NUL byte");
    }
    int rc = parser->folded ? unfold(parser) : 0;
    if (rc < 0) {
        return rc;
    }
    size_t pos = 0;
    struct lc_sv line = {0};
    (void)next_line(head, &pos, &line);
    rc = read_status_line(parser, line);
    if (rc < 0) {
        return rc;
    }
    struct head_facts facts = {0};
    while (next_line(head, &pos, &line)) {
        struct lc_sv name, value;
        const char *error = split_line(line, &name, &value);
        if (error != NULL) {
            return broken(parser, error);
        }
        rc = read_line(parser, &facts, name, value);
        if (rc < 0) {
            return rc;
        }
    }
    return decide_framing(parser, &facts, framing);
}

bool lc_http1_next_header(struct lc_sv head, size_t *pos, struct lc_sv *name, struct lc_sv *value)
{
    struct lc_sv line;
    if (*pos == 0 && !next_line(head, pos, &line)) {
        return false;
    }
    while (next_line(head, pos, &line)) {
        if (split_line(line, name, value) == NULL) {
            return true;
        }
    }
    return false;
}

/* Writes behind the `count` codings that are there, and returns how many there are then. */
static size_t add_codings(struct lc_sv value, uint8_t *codings, size_t max, size_t count)
{
    struct lc_sv element;
    size_t pos = 0;
    while (next_element(value, &pos, &element)) {
        uint8_t coding = coding_of(element);
        if (coding == LC_CODING_IDENTITY) {
            continue;
        }
        if (count < max) {
            codings[count] = coding;
        }
        count++;
    }
    return count;
}

size_t lc_http1_codings(struct lc_sv head, uint8_t *codings, size_t max)
{
    struct lc_sv name, value;
    size_t pos = 0, count = 0;
    while (lc_http1_next_header(head, &pos, &name, &value)) {
        if (is_word(name, "Content-Encoding")) {
            count = add_codings(value, codings, max, count);
        }
    }
    return count;
}

size_t lc_http1_value_codings(struct lc_sv value, uint8_t *codings, size_t max)
{
    return add_codings(value, codings, max, 0);
}

bool lc_http1_find_header(struct lc_sv head, const char *name, struct lc_sv *value)
{
    struct lc_sv wanted = lc_sv_of(name), found_name, found_value;
    size_t pos = 0;
    while (lc_http1_next_header(head, &pos, &found_name, &found_value)) {
        if (lc_sv_equal_nocase(found_name, wanted)) {
            *value = found_value;
            return true;
        }
    }
    return false;
}
