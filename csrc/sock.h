/* Reading and writing on a non-blocking socket.
 *
 * The only caller of recvmsg: with SO_TIMESTAMPNS set, each read tells when the kernel received
 * the last segment that went into it. Writes never raise SIGPIPE. */
#ifndef LC_SOCK_H
#define LC_SOCK_H

#include "lc.h"

#include <sys/types.h>

/* Asks the kernel for receive timestamps and for no delay (TCP_NODELAY); a socket that cannot do
 * either still works. */
void lc_sock_prepare(int fd);
/* Bytes read, 0 at the end of the stream, LC_EAGAIN, LC_ERESET or LC_ESYS. `*arrival_realtime_ns`
 * is set when bytes came: the kernel's receive timestamp, or 0 if it gave none. */
ssize_t lc_sock_read(int fd, char *into, size_t len, uint64_t *arrival_realtime_ns) LC_MUST_USE;
/* Bytes written, LC_EAGAIN, LC_ERESET (also for a closed pipe) or LC_ESYS. */
ssize_t lc_sock_write(int fd, const char *from, size_t len) LC_MUST_USE;
/* True if something came on an idle connection: its end, an error, or bytes that nobody asked for,
 * which stay where they are. */
bool lc_sock_is_stale(int fd);

#endif
