#include "resolve.h"

struct entry {
    struct lc_sv host;
    uint16_t port; /* 0: any */
    struct lc_address addresses[LC_RESOLVE_ADDRESSES_MAX];
    size_t count;
};

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The text in front of `end`, which is passed over with it; false if there is no `end`. */
static bool take_until(struct lc_sv *text, const char *end, struct lc_sv *taken)
{
    size_t end_len = strlen(end);
    for (size_t i = 0; i + end_len <= text->len; i++) {
        if (memcmp(text->ptr + i, end, end_len) == 0) {
            *taken = (struct lc_sv){text->ptr, i};
            *text = (struct lc_sv){text->ptr + i + end_len, text->len - i - end_len};
            return true;
        }
    }
    return false;
}

static bool is_any(struct lc_sv text)
{
    return text.len == 1 && *text.ptr == '*';
}

static bool read_port(struct lc_sv text, uint16_t *port)
{
    uint32_t number = 0;
    if (is_any(text)) {
        *port = 0;
        return true;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9' || number > UINT16_MAX) {
            return false;
        }
        number = number * 10 + (uint32_t)(text.ptr[i] - '0');
    }
    *port = (uint16_t)number;
    return number > 0 && number <= UINT16_MAX;
}

static struct lc_sv without_brackets(struct lc_sv text)
{
    if (text.len > 2 && text.ptr[0] == '[' && text.ptr[text.len - 1] == ']') {
        return (struct lc_sv){text.ptr + 1, text.len - 2};
    }
    return text;
}

static bool read_addresses(struct lc_sv text, struct entry *entry)
{
    struct lc_sv one;
    bool more;
    do {
        more = take_until(&text, ",", &one);
        if (!more) {
            one = text;
        }
        if (entry->count == LC_RESOLVE_ADDRESSES_MAX ||
            !lc_address_parse(without_brackets(one), 0, &entry->addresses[entry->count])) {
            return false;
        }
        entry->count++;
    } while (more);
    return true;
}

static bool read_entry(struct lc_sv text, struct entry *entry)
{
    struct lc_sv port;
    bool bracketed = text.len > 0 && *text.ptr == '[';
    entry->count = 0;
    if (!take_until(&text, bracketed ? "]:" : ":", &entry->host) ||
        !take_until(&text, ":", &port)) {
        return false;
    }
    if (bracketed) {
        entry->host = (struct lc_sv){entry->host.ptr + 1, entry->host.len - 1};
    }
    return entry->host.len > 0 && read_port(port, &entry->port) && read_addresses(text, entry);
}

/* The next word of the list, at which `*list` stands afterwards; false at the end. */
static bool next_word(const char **list, struct lc_sv *word)
{
    const char *at = *list;
    while (is_space(*at)) {
        at++;
    }
    const char *start = at;
    while (*at != '\0' && !is_space(*at)) {
        at++;
    }
    *word = (struct lc_sv){start, (size_t)(at - start)};
    *list = at;
    return at > start;
}

int lc_resolve_find(const char *list, struct lc_sv host, uint16_t port,
                    struct lc_address addresses[LC_RESOLVE_ADDRESSES_MAX], size_t *count)
{
    struct lc_sv word;
    struct entry entry;
    while (next_word(&list, &word)) {
        if (!read_entry(word, &entry)) {
            return LC_EINVAL;
        }
        if ((is_any(entry.host) || lc_sv_equal_nocase(entry.host, host)) &&
            (entry.port == 0 || entry.port == port)) {
            memcpy(addresses, entry.addresses, entry.count * sizeof *addresses);
            *count = entry.count;
            return 0;
        }
    }
    *count = 0;
    return 0;
}
