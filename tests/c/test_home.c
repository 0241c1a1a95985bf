#include "check.h"

#include "home.h"

#include <sys/wait.h>
#include <unistd.h>

static int answer_of_child(const struct lc_home *home)
{
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        _exit(lc_home_is_here(home) ? 1 : 0);
    }
    int status;
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_a_child_is_not_at_home(void)
{
    struct lc_home home;
    lc_home_init(&home);
    CHECK(lc_home_is_here(&home));
    CHECK_INT(answer_of_child(&home), 0);
    CHECK(lc_home_is_here(&home));
    lc_home_free(&home);
}

static void test_without_the_page_the_pid_tells(void)
{
    struct lc_home home = {.pid = getpid()};
    CHECK(lc_home_is_here(&home));
    CHECK_INT(answer_of_child(&home), 0);
    lc_home_free(&home);
}

int main(void)
{
    RUN(test_a_child_is_not_at_home);
    RUN(test_without_the_page_the_pid_tells);
    return 0;
}
