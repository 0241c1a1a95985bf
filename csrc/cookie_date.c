#include "cookie_date.h"

#define SECONDS_PER_DAY 86400

struct cursor {
    const char *ptr;
    const char *end;
};

struct date {
    int year;
    int month;
    int day;
    int hour;
    int minute;
    int second;
    int offset_s; /* of the zone, east of Greenwich */
};

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    char lower = c | 0x20;
    return lower >= 'a' && lower <= 'z';
}

static bool next_is(const struct cursor *at, char c)
{
    return at->ptr < at->end && *at->ptr == c;
}

static bool take_char(struct cursor *at, char c)
{
    bool there = next_is(at, c);
    at->ptr += there;
    return there;
}

/* True if there was at least one. */
static bool take_spaces(struct cursor *at)
{
    const char *start = at->ptr;
    while (at->ptr < at->end && is_space(*at->ptr)) {
        at->ptr++;
    }
    return at->ptr > start;
}

/* From `least` to `most` digits; what is too large for a date stays too large. */
static bool take_number(struct cursor *at, int least, int most, int *number)
{
    int n = 0, count = 0;
    while (at->ptr < at->end && is_digit(*at->ptr) && count < most) {
        n = n < 100000 ? n * 10 + (*at->ptr - '0') : n;
        at->ptr++;
        count++;
    }
    *number = n;
    return count >= least;
}

static struct lc_sv take_letters(struct cursor *at)
{
    const char *start = at->ptr;
    while (at->ptr < at->end && is_letter(*at->ptr)) {
        at->ptr++;
    }
    return (struct lc_sv){start, (size_t)(at->ptr - start)};
}

/* The index of a text of three letters in a row of such names; -1 if it is not among them. */
static int find_name(struct lc_sv text, const char *names)
{
    for (int i = 0; text.len == 3 && names[3 * i] != '\0'; i++) {
        if (lc_sv_equal_nocase(text, (struct lc_sv){names + 3 * (size_t)i, 3})) {
            return i;
        }
    }
    return -1;
}

static void skip_weekday(struct cursor *at)
{
    struct cursor behind = *at;
    struct lc_sv word = take_letters(&behind);
    if (word.len >= 3 && find_name((struct lc_sv){word.ptr, 3}, "SunMonTueWedThuFriSat") >= 0) {
        (void)take_char(&behind, ',');
        (void)take_spaces(&behind);
        *at = behind;
    }
}

static bool take_month(struct cursor *at, int *month)
{
    if (at->ptr < at->end && is_digit(*at->ptr)) {
        return take_number(at, 1, 9, month);
    }
    *month = find_name(take_letters(at), "JanFebMarAprMayJunJulAugSepOctNovDec") + 1;
    return *month > 0;
}

static bool take_separator(struct cursor *at)
{
    return take_spaces(at) || take_char(at, '-') || take_char(at, '/');
}

/* "22:23" or "22:23:32". */
static bool take_clock(struct cursor *at, struct date *date)
{
    if (!take_number(at, 1, 2, &date->hour) || !take_char(at, ':') ||
        !take_number(at, 2, 2, &date->minute)) {
        return false;
    }
    struct cursor behind = *at;
    if (take_char(&behind, ':') && take_number(&behind, 2, 2, &date->second)) {
        *at = behind;
    } else {
        date->second = 0;
    }
    return true;
}

/* A name for UTC or an offset: [+-]HH, [+-]HMM or [+-]HHMM. */
static bool take_zone(struct cursor *at, struct date *date)
{
    if (at->ptr < at->end && is_letter(*at->ptr)) {
        struct lc_sv name = take_letters(at);
        return lc_sv_equal_nocase(name, lc_sv_of("GMT")) ||
               lc_sv_equal_nocase(name, lc_sv_of("UTC")) ||
               lc_sv_equal_nocase(name, lc_sv_of("UT")) || lc_sv_equal_nocase(name, lc_sv_of("Z"));
    }
    bool west = next_is(at, '-');
    at->ptr += west || next_is(at, '+');
    const char *digits = at->ptr;
    int number;
    if (!take_number(at, 2, 4, &number)) {
        return false;
    }
    int minutes = at->ptr - digits == 2 ? number * 60 : number / 100 * 60 + number % 100;
    date->offset_s = (west ? -60 : 60) * minutes;
    return true;
}

/* "(CET)": a comment, which says nothing. */
static bool take_comment(struct cursor *at)
{
    if (!take_char(at, '(')) {
        return true;
    }
    const char *start = at->ptr;
    while (at->ptr < at->end && (is_letter(*at->ptr) || is_digit(*at->ptr) || *at->ptr == '_')) {
        at->ptr++;
    }
    bool complete = at->ptr > start && take_char(at, ')');
    (void)take_spaces(at);
    return complete;
}

/* "Feb  9 22:23:32 1994" */
static bool take_asctime(struct cursor *at, struct date *date)
{
    return take_month(at, &date->month) && take_spaces(at) && take_number(at, 1, 2, &date->day) &&
           take_spaces(at) && take_clock(at, date) && take_spaces(at) &&
           take_number(at, 4, 4, &date->year);
}

/* "09 Feb 1994 22:23:32 GMT" and its many relatives. */
static bool take_day_first(struct cursor *at, struct date *date)
{
    if (!take_number(at, 1, 2, &date->day) || !take_separator(at) ||
        !take_month(at, &date->month) || !take_separator(at) ||
        !take_number(at, 1, 9, &date->year)) {
        return false;
    }
    struct cursor behind = *at;
    if ((take_spaces(&behind) || take_char(&behind, ':')) && take_clock(&behind, date)) {
        *at = behind;
    } else {
        date->hour = date->minute = date->second = 0;
    }
    (void)take_spaces(at);
    if (at->ptr < at->end && *at->ptr != '(') {
        if (!take_zone(at, date)) {
            return false;
        }
        (void)take_spaces(at);
    }
    return take_comment(at);
}

/* Days from 1970-01-01 in the Gregorian calendar; years are counted from March, so that the leap
 * day is the last one. */
static int64_t days_from_civil(int year, int month, int day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t months_from_march = (month + 9) % 12;
    int64_t leap_days = y / 4 - y / 100 + y / 400;
    return y * 365 + leap_days + (153 * months_from_march + 2) / 5 + day - 1 - 719468;
}

static int year_of(int64_t now)
{
    int64_t days = now / SECONDS_PER_DAY;
    int year = (int)(1970 + days / 366);
    while (days_from_civil(year + 1, 1, 1) <= days) {
        year++;
    }
    return year;
}

/* A year without its century is the nearest such year. */
static int complete_year(int year, int64_t now)
{
    int this_year = year_of(now);
    int full = this_year - this_year % 100 + year;
    if (full - this_year > 50) {
        return full - 100;
    }
    return this_year - full > 50 ? full + 100 : full;
}

bool lc_cookie_date_parse(struct lc_sv text, int64_t now, int64_t *seconds)
{
    if (text.len == 0) {
        return false;
    }
    struct cursor at = {text.ptr, text.ptr + text.len};
    struct date date = {0};
    (void)take_spaces(&at);
    skip_weekday(&at);
    bool understood = at.ptr < at.end && is_letter(*at.ptr) ? take_asctime(&at, &date)
                                                            : take_day_first(&at, &date);
    (void)take_spaces(&at);
    if (!understood || at.ptr != at.end) {
        return false;
    }
    if (date.year < 1000) {
        date.year = complete_year(date.year, now);
    }
    if (date.year < 1970 || date.year > 9999 || date.month < 1 || date.month > 12 || date.day < 1 ||
        date.day > 31 || date.hour > 24 || date.minute > 59 || date.second > 61) {
        return false;
    }
    *seconds = days_from_civil(date.year, date.month, date.day) * SECONDS_PER_DAY +
               date.hour * 3600 + date.minute * 60 + date.second - date.offset_s;
    return true;
}
