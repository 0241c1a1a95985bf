/* Content codings (RFC 9110, 8.4.1) as byte filters over zlib: whole body in, whole body out. */
#ifndef LC_DECODE_H
#define LC_DECODE_H

#include "buf.h"

/* Decodes `coding` (enum lc_http1_coding: GZIP or DEFLATE; deflate with or without zlib wrapper,
 * gzip with several members, bytes behind the last member ignored as urllib3 does) into `out`,
 * which is empty with its maximum set; a body of no bytes stays one. LC_EDECODE: not in that
 * coding or cut short, `*why` has zlib's words (static storage); LC_ELIMIT: more than out->max
 * bytes; `out` owns nothing then. */
int lc_decode_body(uint8_t coding, const char *bytes, size_t len, struct lc_buf *out,
                   const char **why) LC_MUST_USE;
/* The same for codings that were applied one after the other, the last of them undone first. */
int lc_decode_codings(const uint8_t *codings, size_t count, const char *bytes, size_t len,
                      struct lc_buf *out, const char **why) LC_MUST_USE;

#endif
