/* Reads a complete HTTP/1.1 head (RFC 9112, sections 4 to 6): what the header lines mean for the
 * body and for the connection. The part of http1 that looks at lines; http1.c moves the bytes. */
#ifndef LC_HTTP1_HEAD_H
#define LC_HTTP1_HEAD_H

#include "http1.h"

enum lc_http1_framing {                    /* how the end of the body is known */
                        LC_FRAMING_NONE,   /* there is no body */
                        LC_FRAMING_LENGTH, /* parser->remaining bytes */
                        LC_FRAMING_CHUNKED,
                        LC_FRAMING_CLOSE /* the peer closes */
};

/* Takes parser->head, which ends with its empty line, unfolds it in place if parser->folded, and
 * sets the public fields that depend on it. LC_EPROTO with parser->error set if it cannot be
 * read. */
int lc_http1_read_head(struct lc_http1 *parser, enum lc_http1_framing *framing) LC_MUST_USE;

#endif
