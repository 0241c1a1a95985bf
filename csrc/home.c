#include "home.h"

#include <sys/mman.h>
#include <unistd.h>

enum { PAGE = 4096 };

void lc_home_init(struct lc_home *home)
{
    *home = (struct lc_home){.pid = getpid()};
#ifdef MADV_WIPEONFORK
    unsigned char *page =
        mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) {
        return;
    }
    if (madvise(page, PAGE, MADV_WIPEONFORK) != 0) {
        munmap(page, PAGE);
        return;
    }
    *page = 1;
    home->page = page;
#endif
}

void lc_home_free(struct lc_home *home)
{
    if (home->page != NULL) {
        munmap((void *)home->page, PAGE);
        home->page = NULL;
    }
}

bool lc_home_is_here(const struct lc_home *home)
{
    return home->page != NULL ? *home->page == 1 : home->pid == getpid();
}
