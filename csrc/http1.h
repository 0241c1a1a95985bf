/* HTTP/1.1 responses without I/O (RFC 9112): bytes in, any split, one response out.
 *
 * The caller feeds what it read; the parser keeps the head (status line and header lines) in
 * `head` and the transfer-decoded body in `body`, and says how many bytes it took, so that bytes
 * behind the response stay with the caller. 1xx responses are skipped (101 is final). Obsolete
 * line folding becomes one space, bare LF line ends are accepted, as http.client does. What cannot
 * be read is LC_EPROTO with a reason in words; a head or body past its maximum is LC_ELIMIT.
 * Request smuggling defences: conflicting Content-Length values, a Content-Length that is not a
 * number, and a chunk size that is not hexadecimal are LC_EPROTO. */
#ifndef LC_HTTP1_H
#define LC_HTTP1_H

#include "buf.h"

enum lc_http1_result { LC_HTTP1_MORE = 0, LC_HTTP1_DONE = 1 };

enum lc_http1_coding { /* of Content-Encoding; several codings in a row are LC_CODING_OTHER */
                       LC_CODING_IDENTITY,
                       LC_CODING_GZIP, /* gzip, x-gzip */
                       LC_CODING_DEFLATE,
                       LC_CODING_BR,
                       LC_CODING_ZSTD,
                       LC_CODING_OTHER
};

struct lc_http1 {
    struct lc_buf head;  /* from the status line up to and with the empty line */
    struct lc_buf body;  /* chunks joined, not content-decoded */
    struct lc_sv reason; /* points into head; valid once head_done */
    uint16_t status;
    uint8_t minor;            /* HTTP/1.minor */
    uint8_t coding;           /* enum lc_http1_coding */
    bool head_done;           /* the head is complete, the fields above are set */
    bool keep_alive;          /* the connection may be used again after DONE */
    bool has_set_cookie;      /* at least one Set-Cookie line */
    bool has_location;        /* at least one Location line */
    bool request_is_head;     /* the request was HEAD: no body follows */
    const char *error;        /* a reason in words after LC_EPROTO or LC_ELIMIT; static storage */
    struct lc_sv error_bytes; /* what of the bytes last fed it is about; may be empty */
    /* private from here */
    uint8_t state;
    bool adopted;       /* somebody else has read it */
    bool began;         /* at least one byte of a response came, an interim one counts */
    bool folded;        /* the head has obsolete line folding */
    bool line_has_size; /* the chunk line has at least one digit */
    char line_first;    /* the first byte of the line that is being scanned */
    int failure;        /* what the feed that failed returned */
    uint64_t remaining; /* bytes left of the body or of the chunk */
    size_t line_len;    /* bytes seen of the line that is being scanned, without its LF */
    size_t skipped;     /* bytes read and not kept: blank lines, interim heads, trailers */
};

/* Prepares for one response. Buffers are empty; nothing is allocated until bytes come. */
void lc_http1_init(struct lc_http1 *parser, bool request_is_head, size_t max_head, size_t max_body);
void lc_http1_free(struct lc_http1 *parser);
/* Takes bytes: LC_HTTP1_MORE, LC_HTTP1_DONE or a negative code. `*used` is set in all cases. */
int lc_http1_feed(struct lc_http1 *parser, const char *bytes, size_t len, size_t *used) LC_MUST_USE;
/* Where the next bytes of a large body may be read to, without a copy, and how many: 0: feed them.
 * lc_http1_took then says how many came. */
size_t lc_http1_room(struct lc_http1 *parser, char **into);
int lc_http1_took(struct lc_http1 *parser, size_t len) LC_MUST_USE;
/* The peer closed: LC_HTTP1_DONE if that ends the response, LC_ECLOSED if nothing of it had come,
 * else LC_ETRUNCATED. */
int lc_http1_eof(struct lc_http1 *parser) LC_MUST_USE;
/* Takes a response that somebody else has read, in the form of HTTP/1 (the status line may name any
 * version, the reason may be missing): a complete final head, then pieces of the body without
 * transfer coding. */
int lc_http1_adopt_head(struct lc_http1 *parser, const char *bytes, size_t len) LC_MUST_USE;
int lc_http1_adopt_body(struct lc_http1 *parser, const char *bytes, size_t len) LC_MUST_USE;
/* Iterates over the header lines of a complete head (RFC order); `*pos` starts at 0. Values are
 * without surrounding white space. False at the end. */
bool lc_http1_next_header(struct lc_sv head, size_t *pos, struct lc_sv *name, struct lc_sv *value);
/* The content codings that a head names, in the order they were applied: writes the first `max` and
 * returns how many there are. */
size_t lc_http1_codings(struct lc_sv head, uint8_t *codings, size_t max);
/* The same of one value of Content-Encoding. */
size_t lc_http1_value_codings(struct lc_sv value, uint8_t *codings, size_t max);
/* The first value of a header, by name without case; false if there is none. */
bool lc_http1_find_header(struct lc_sv head, const char *name, struct lc_sv *value);

#endif
