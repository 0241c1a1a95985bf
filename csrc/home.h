/* In which process something was made, known without a system call.
 *
 * A forked child shares its parent's epoll set and TLS sessions and must touch neither; getpid()
 * on each request would cost as much as parsing a response. */
#ifndef LC_HOME_H
#define LC_HOME_H

#include "lc.h"

#include <sys/types.h>

struct lc_home {
    const unsigned char
        *page; /* 1 at home; the kernel wipes it in a child. NULL: ask for the pid */
    pid_t pid;
};

/* This process is home from now on; never fails, only gets slower where the kernel cannot help. */
void lc_home_init(struct lc_home *home);
void lc_home_free(struct lc_home *home);
bool lc_home_is_here(const struct lc_home *home);

#endif
