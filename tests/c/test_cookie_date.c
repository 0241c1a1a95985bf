#include "check.h"

#include "cookie_date.h"

#define NOW 1800000000 /* 15 January 2027 */

enum { NO_DATE = -1 };

struct sample {
    const char *text;
    int64_t seconds;
};

static void check_dates(const struct sample *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(samples[i].text);
        char *copy = malloc(len > 0 ? len : 1);
        CHECK(copy != NULL);
        memcpy(copy, samples[i].text, len);
        int64_t seconds = 7;
        bool found = lc_cookie_date_parse((struct lc_sv){copy, len}, NOW, &seconds);
        free(copy);
        CHECK_INT(found, samples[i].seconds != NO_DATE);
        CHECK_INT(seconds, found ? samples[i].seconds : 7);
    }
}

/* What http.cookiejar.http2time made of each of these (Python 3.11) in that year. */
static void test_dates_are_read_as_http_cookiejar_reads_them(void)
{
    static const struct sample samples[] = {
        {"Wed, 09 Feb 1994 22:23:32 GMT", 760832612},
        {"Wednesday, 09-Feb-94 22:23:32 GMT", 760832612},
        {"Wed, 09-Feb-1994 22:23:32 GMT", 760832612},
        {"09 Feb 1994 22:23:32", 760832612},
        {"09 Feb 1994", 760752000},
        {"  wed,9 FEB 1994 1:02  ", 760755720},
        {"09/02/1994:22:23:32", 760832612},
        {"Wed, 09 Feb 1994 22:23 +0100", 760828980},
        {"Wed, 09 Feb 1994 22:23:32 -0530", 760852412},
        {"1 1 30 12:00 +530", 1893479400},
        {"1 1 2030 00:00 05", 1893438000},
        {"Wed, 09 Feb 1994 22:23:32 Z", 760832612},
        {"Wed, 09 Feb 1994 22:23:32 ut (x_1) ", 760832612},
        {"Wed, 09 Feb 1994 22:23:32(foo)", 760832612},
        {"Thu, 01 Jan 2030 00:00:00GMT", 1893456000},
        {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
        {"29 Feb 2000", 951782400},
        {"29 Feb 2100", 4107542400},
        {"31 Feb 2030", 1898726400},
        {"31 Dec 9999 24:59:61", 253402304401},
        {"01-Jan-00", 946684800},
        {"01-Jan-77", 3376684800},
        {"01-Jan-78", 252460800},
        {"01-Jan-123", 1672531200},
        {"", NO_DATE},
        {"x", NO_DATE},
        {"Wed,", NO_DATE},
        {"Thu, 01 Jan 1969 00:00:00 GMT", NO_DATE},
        {"01 Jan 10000", NO_DATE},
        {"32 Jan 2030", NO_DATE},
        {"0 Jan 2030", NO_DATE},
        {"01 Jan 2030 25:00", NO_DATE},
        {"01 Jan 2030 1:60", NO_DATE},
        {"01 Jan 2030 1:00:62", NO_DATE},
        {"01 Jan 2030 1:2", NO_DATE},
        {"01 January 2030", NO_DATE},
        {"01 13 2030", NO_DATE},
        {"01 0 2030", NO_DATE},
        {"01Jan2030", NO_DATE},
        {"01 Jan", NO_DATE},
        {"01 Jan 2030 00:00:00 EST", NO_DATE},
        {"01 Jan 2030 00:00:00 PM", NO_DATE},
        {"01 Jan 2030 00:00 +5", NO_DATE},
        {"01 Jan 2030 00:00 +01:00", NO_DATE},
        {"01 Jan 2030 00:00 12345", NO_DATE},
        {"01 Jan 2030 ()", NO_DATE},
        {"01 Jan 2030 (x", NO_DATE},
        {"01 Jan 2030 GMT x", NO_DATE},
        {"2030-01-01", NO_DATE},
    };
    check_dates(samples, sizeof samples / sizeof samples[0]);
}

/* The third form of RFC 9110, which http.cookiejar does not know. */
static void test_asctime_is_read(void)
{
    static const struct sample samples[] = {
        {"Wed Feb  9 22:23:32 1994", 760832612},
        {"Wed Feb 09 22:23:32 1994 ", 760832612},
        {"feb 9 22:23 1994", 760832580},
        {"Wed Feb  9 22:23:32 94", NO_DATE},
        {"Wed Feb  9 1994", NO_DATE},
        {"Wed Feb  9 22:23:32 1994 GMT", NO_DATE},
        {"Wed Feb", NO_DATE},
        {"Feb 9 22:23:32", NO_DATE},
    };
    check_dates(samples, sizeof samples / sizeof samples[0]);
}

int main(void)
{
    RUN(test_dates_are_read_as_http_cookiejar_reads_them);
    RUN(test_asctime_is_read);
    return 0;
}
