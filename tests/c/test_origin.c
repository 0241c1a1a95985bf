#include "rig.h"

static struct lc_origin *origin_of(struct lc_engine *engine, struct lc_origin_spec spec)
{
    struct lc_origin *origin;
    CHECK_INT(lc_engine_origin(engine, &spec, &origin), 0);
    return origin;
}

static struct lc_engine *open_engine(void)
{
    struct lc_engine *engine;
    CHECK_INT(lc_engine_new(&engine), 0);
    return engine;
}

static void expect_text(const char *got, const char *want)
{
    CHECK_BYTES(got, strlen(got), want);
}

static void test_equal_origins_are_one_object(void)
{
    struct lc_engine *engine = open_engine();
    struct lc_origin_spec spec = {.host = "a.test", .port = 80};
    struct lc_origin *origin = origin_of(engine, spec);
    expect_text(origin->connect_url, "http://a.test:80/");
    expect_text(origin->host, "a.test");
    expect_text(origin->proxy, "");
    CHECK(origin_of(engine, spec) == origin);
    spec.proxy = "";
    CHECK(origin_of(engine, spec) == origin);
    lc_engine_free(engine);
}

static void test_whatever_differs_makes_another_origin(void)
{
    struct lc_engine *engine = open_engine();
    struct lc_tls_config config = {.verify = false};
    struct lc_tls_context *context;
    char reason[LC_TLS_REASON_MAX];
    CHECK_INT(lc_engine_tls_context(engine, &config, &context, reason), 0);
    struct lc_origin_spec specs[] = {
        {.host = "a.test", .port = 80},
        {.host = "b.test", .port = 80},
        {.host = "a.test", .port = 8080},
        {.host = "a.test", .port = 80, .tls_context = context},
        {.host = "a.test", .port = 80, .proxy = "http://p.test:3128"},
    };
    enum { COUNT = sizeof specs / sizeof specs[0] };
    struct lc_origin *origins[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        origins[i] = origin_of(engine, specs[i]);
        for (size_t k = 0; k < i; k++) {
            CHECK(origins[k] != origins[i]);
        }
    }
    for (size_t i = 0; i < COUNT; i++) {
        CHECK(origin_of(engine, specs[i]) == origins[i]);
    }
    expect_text(origins[4]->proxy, "http://p.test:3128");
    lc_engine_free(engine);
}

static void test_an_ipv6_address_gets_its_brackets_in_the_url_only(void)
{
    struct lc_engine *engine = open_engine();
    struct lc_origin *origin =
        origin_of(engine, (struct lc_origin_spec){.host = "::1", .port = 65535});
    expect_text(origin->connect_url, "http://[::1]:65535/");
    expect_text(origin->host, "::1");
    lc_engine_free(engine);
}

static void test_a_host_that_no_name_can_be_is_refused(void)
{
    struct lc_engine *engine = open_engine();
    struct lc_origin *origin = NULL;
    char host[600];
    memset(host, 'a', sizeof host - 1);
    host[sizeof host - 1] = '\0';
    struct lc_origin_spec spec = {.host = host, .port = 80};
    CHECK_INT(lc_engine_origin(engine, &spec, &origin), LC_EINVAL);
    CHECK(origin == NULL);
    lc_engine_free(engine);
}

static void test_without_memory_there_is_no_new_origin_but_the_known_one(void)
{
    struct lc_engine *engine = open_engine();
    struct lc_origin_spec known = {.host = "a.test", .port = 80};
    struct lc_origin_spec fresh = {.host = "b.test", .port = 80};
    struct lc_origin *first = origin_of(engine, known), *origin = NULL;
    lc_alloc_fail_after(1);
    CHECK(origin_of(engine, known) == first);
    CHECK_INT(lc_engine_origin(engine, &fresh, &origin), LC_ENOMEM);
    CHECK(origin == NULL);
    lc_engine_free(engine);
}

static struct lc_tls_context *context_of(struct lc_engine *engine, struct lc_tls_config config)
{
    struct lc_tls_context *context;
    char reason[LC_TLS_REASON_MAX];
    CHECK_INT(lc_engine_tls_context(engine, &config, &context, reason), 0);
    expect_text(reason, "");
    return context;
}

static void test_equal_tls_configurations_share_a_context(void)
{
    static const struct lc_tls_config configs[] = {
        {.verify = true},
        {.verify = false},
        {.verify = true, .check_host = true},
        {.verify = true, .ca_path = "/tmp"},
        {.verify = true, .ca_pem = ""},
        {.verify = true, .verify_flags = 0x8000},
        {.min_version = 0x0303},
        {.min_version = 0x0304},
        {.max_version = 0x0303},
        {.ciphers = "AES128-GCM-SHA256"},
        {.ciphersuites = "TLS_AES_128_GCM_SHA256"},
        {.resume = true},
    };
    enum { COUNT = sizeof configs / sizeof configs[0] };
    struct lc_tls_context *contexts[COUNT];
    struct lc_engine *engine = open_engine();
    for (size_t i = 0; i < COUNT; i++) {
        contexts[i] = context_of(engine, configs[i]);
        for (size_t k = 0; k < i; k++) {
            CHECK(contexts[k] != contexts[i]);
        }
    }
    for (size_t i = 0; i < COUNT; i++) {
        CHECK(context_of(engine, configs[i]) == contexts[i]);
    }
    lc_engine_free(engine);
}

static void test_a_configuration_that_cannot_be_used_is_not_kept(void)
{
    struct lc_engine *engine = open_engine();
    struct lc_tls_config config = {.verify = true, .ca_file = "/nonexistent/ca.pem"};
    struct lc_tls_context *context = NULL;
    char reason[LC_TLS_REASON_MAX];
    for (int i = 0; i < 2; i++) {
        CHECK_INT(lc_engine_tls_context(engine, &config, &context, reason), LC_EINVAL);
        CHECK(strstr(reason, "CA certificates cannot be loaded") != NULL);
        CHECK(context == NULL);
    }
    config.ca_file = NULL;
    for (uint64_t n = 1; n <= 2; n++) {
        lc_alloc_fail_after(n);
        CHECK_INT(lc_engine_tls_context(engine, &config, &context, reason), LC_ENOMEM);
    }
    CHECK_INT(lc_engine_tls_context(engine, &config, &context, reason), 0);
    lc_engine_free(engine);
}

int main(void)
{
    rig_prepare_process();
    RUN(test_equal_origins_are_one_object);
    RUN(test_whatever_differs_makes_another_origin);
    RUN(test_an_ipv6_address_gets_its_brackets_in_the_url_only);
    RUN(test_a_host_that_no_name_can_be_is_refused);
    RUN(test_without_memory_there_is_no_new_origin_but_the_known_one);
    RUN(test_equal_tls_configurations_share_a_context);
    RUN(test_a_configuration_that_cannot_be_used_is_not_kept);
    return 0;
}
