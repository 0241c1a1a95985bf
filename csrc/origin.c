/* The engine's registers of origins and TLS contexts; declared in engine.h. */
#include "engine_private.h"

#include <stdio.h>

static bool same(const char *left, const char *right)
{
    if (left == NULL || right == NULL) {
        return left == right;
    }
    return strcmp(left, right) == 0;
}

/* Copies a string to *at, moves *at behind it and returns the copy; NULL stays NULL. */
static const char *put_string(char **at, const char *text)
{
    if (text == NULL) {
        return NULL;
    }
    size_t size = strlen(text) + 1;
    char *copy = memcpy(*at, text, size);
    *at += size;
    return copy;
}

static size_t string_size(const char *text)
{
    return text != NULL ? strlen(text) + 1 : 0;
}

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

static bool same_origin(const struct lc_origin *left, const struct lc_origin *right)
{
    return left->tls_context == right->tls_context && same(left->connect_url, right->connect_url) &&
           same(left->proxy, right->proxy) && same(left->source, right->source) &&
           same(left->unix_socket, right->unix_socket) && same(left->resolve, right->resolve);
}

static const struct lc_tls_config *config_of(const struct lc_engine *engine,
                                             const struct lc_tls_context *context)
{
    for (struct lc_tls_entry *entry = engine->tls_entries; entry != NULL; entry = entry->next) {
        if (entry->context == context) {
            return &entry->config;
        }
    }
    return NULL;
}

int lc_engine_origin(struct lc_engine *engine, const struct lc_origin_spec *spec,
                     struct lc_origin **out)
{
    struct lc_origin wanted = {.tls_context = spec->tls_context,
                               .proxy = or_empty(spec->proxy),
                               .source = or_empty(spec->source),
                               .unix_socket = or_empty(spec->unix_socket),
                               .resolve = or_empty(spec->resolve)};
    const char *bracket = strchr(spec->host, ':') != NULL ? "[" : "";
    const char *unbracket = *bracket != '\0' ? "]" : "";
    size_t url_size = strlen("http://[]:65535/") + strlen(spec->host) + 1;
    char url[512];
    if (url_size > sizeof url) {
        return LC_EINVAL;
    }
    snprintf(url, sizeof url, "http://%s%s%s:%u/", bracket, spec->host, unbracket, spec->port);
    wanted.connect_url = url;
    for (struct lc_origin *origin = engine->origins; origin != NULL; origin = origin->next) {
        if (same_origin(origin, &wanted)) {
            *out = origin;
            return 0;
        }
    }
    struct lc_origin *origin = lc_alloc_zero(
        sizeof *origin + string_size(url) + string_size(spec->host) + string_size(wanted.proxy) +
        string_size(wanted.source) + string_size(wanted.unix_socket) + string_size(wanted.resolve));
    if (origin == NULL) {
        return LC_ENOMEM;
    }
    char *at = origin->bytes;
    origin->tls_context = spec->tls_context;
    origin->tls_config = config_of(engine, spec->tls_context);
    origin->connect_url = put_string(&at, url);
    origin->host = put_string(&at, spec->host);
    origin->proxy = put_string(&at, wanted.proxy);
    origin->source = put_string(&at, wanted.source);
    origin->unix_socket = put_string(&at, wanted.unix_socket);
    origin->resolve = put_string(&at, wanted.resolve);
    origin->next = engine->origins;
    engine->origins = origin;
    *out = origin;
    return 0;
}

/* The texts of a configuration: X(field). */
#define CONFIG_TEXTS(X)                                                                            \
    X(ca_file) X(ca_path) X(ca_pem) X(cert_file) X(key_file) X(ciphers) X(ciphersuites)

static bool same_config(const struct lc_tls_config *left, const struct lc_tls_config *right)
{
    bool equal = left->verify == right->verify && left->check_host == right->check_host &&
                 left->resume == right->resume && left->min_version == right->min_version &&
                 left->max_version == right->max_version &&
                 left->verify_flags == right->verify_flags;
#define COMPARE_TEXT(field) equal = equal && same(left->field, right->field);
    CONFIG_TEXTS(COMPARE_TEXT)
#undef COMPARE_TEXT
    return equal;
}

static size_t config_texts_size(const struct lc_tls_config *config)
{
    size_t size = 0;
#define ADD_SIZE(field) size += string_size(config->field);
    CONFIG_TEXTS(ADD_SIZE)
#undef ADD_SIZE
    return size;
}

int lc_engine_tls_context(struct lc_engine *engine, const struct lc_tls_config *config,
                          struct lc_tls_context **out, char reason[LC_TLS_REASON_MAX])
{
    reason[0] = '\0';
    for (struct lc_tls_entry *entry = engine->tls_entries; entry != NULL; entry = entry->next) {
        if (same_config(&entry->config, config)) {
            *out = entry->context;
            return 0;
        }
    }
    struct lc_tls_entry *entry = lc_alloc(sizeof *entry + config_texts_size(config));
    if (entry == NULL) {
        return LC_ENOMEM;
    }
    int rc = lc_tls_context_new(config, &entry->context, reason);
    if (rc < 0) {
        lc_free(entry);
        return rc;
    }
    char *at = entry->bytes;
    entry->config = *config;
#define COPY_TEXT(field) entry->config.field = put_string(&at, config->field);
    CONFIG_TEXTS(COPY_TEXT)
#undef COPY_TEXT
    entry->next = engine->tls_entries;
    engine->tls_entries = entry;
    *out = entry->context;
    return 0;
}
