#include "sock.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <time.h>

void lc_sock_prepare(int fd)
{
    int on = 1;
    /* Both are refinements: a Unix-domain socket has neither. */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
#ifdef SO_TIMESTAMPNS
    (void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
#endif
}

static int error_of_errno(void)
{
    switch (errno) {
    case EAGAIN:
#if EWOULDBLOCK != EAGAIN
    case EWOULDBLOCK:
#endif
    case EINTR:
        return LC_EAGAIN;
    case ECONNRESET:
    case EPIPE:
    case ENOTCONN:
        return LC_ERESET;
    case ETIMEDOUT:
        return LC_EREADTIMEOUT;
    default:
        return LC_ESYS;
    }
}

static uint64_t timestamp_of(struct msghdr *message)
{
#ifdef SCM_TIMESTAMPNS
    for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control != NULL;
         control = CMSG_NXTHDR(message, control)) {
        if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec stamp;
            memcpy(&stamp, CMSG_DATA(control), sizeof stamp);
            return (uint64_t)stamp.tv_sec * 1000000000u + (uint64_t)stamp.tv_nsec;
        }
    }
#else
    (void)message;
#endif
    return 0;
}

ssize_t lc_sock_read(int fd, char *into, size_t len, uint64_t *arrival_realtime_ns)
{
    union {
        struct cmsghdr align;
        char bytes[64];
    } control;
    struct iovec piece = {into, len};
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    ssize_t got = recvmsg(fd, &message, 0);
    if (got < 0) {
        return error_of_errno();
    }
    if (got > 0) {
        *arrival_realtime_ns = timestamp_of(&message);
    }
    return got;
}

ssize_t lc_sock_write(int fd, const char *from, size_t len)
{
    ssize_t put = send(fd, from, len, MSG_NOSIGNAL);
    return put < 0 ? error_of_errno() : put;
}

bool lc_sock_is_stale(int fd)
{
    char byte;
    ssize_t got = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got >= 0 || error_of_errno() != LC_EAGAIN;
}
