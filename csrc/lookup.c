#include "lookup.h"

enum { BUCKETS = 64 };

struct lc_lookup {
    struct lc_lookups *lookups;
    struct lc_lookup_job *job;
    struct lc_lookup *next, *prev; /* of the same job */
    void *owner;
    uint64_t start_ns;
};

struct lc_lookups {
    uv_async_t signal;
    struct lc_lookup_threads *threads;
    lc_lookup_cb done;
    size_t in_flight;
    struct lc_lookup_job *known[BUCKETS]; /* jobs that were put in line and not yet collected */
};

/* --- jobs --- */

/* FNV-1a. */
static struct lc_lookup_job **bucket_of(struct lc_lookups *lookups, const char *host, int family)
{
    uint32_t hash = 2166136261u ^ (uint32_t)family;
    for (const char *at = host; *at != '\0'; at++) {
        hash = (hash ^ (unsigned char)*at) * 16777619u;
    }
    return &lookups->known[hash % BUCKETS];
}

static struct lc_lookup_job *find_job(struct lc_lookups *lookups, const char *host, int family)
{
    struct lc_lookup_job *job = *bucket_of(lookups, host, family);
    while (job != NULL && (job->family != family || strcmp(job->host, host) != 0)) {
        job = job->next_known;
    }
    return job;
}

static void remember_job(struct lc_lookups *lookups, struct lc_lookup_job *job)
{
    struct lc_lookup_job **bucket = bucket_of(lookups, job->host, job->family);
    job->next_known = *bucket;
    *bucket = job;
}

static void forget_job(struct lc_lookups *lookups, struct lc_lookup_job *job)
{
    struct lc_lookup_job **at = bucket_of(lookups, job->host, job->family);
    while (*at != job) {
        at = &(*at)->next_known;
    }
    *at = job->next_known;
}

/* --- look-ups of a job --- */

static void attach(struct lc_lookup *lookup, struct lc_lookup_job *job)
{
    lookup->job = job;
    lookup->prev = job->last;
    if (job->last != NULL) {
        job->last->next = lookup;
    } else {
        job->first = lookup;
    }
    job->last = lookup;
    /* The loop stays alive as long as somebody waits. */
    if (lookup->lookups->in_flight++ == 0) {
        uv_ref((uv_handle_t *)&lookup->lookups->signal);
    }
}

static void detach_and_free(struct lc_lookup *lookup)
{
    struct lc_lookup_job *job = lookup->job;
    if (lookup->prev != NULL) {
        lookup->prev->next = lookup->next;
    } else {
        job->first = lookup->next;
    }
    if (lookup->next != NULL) {
        lookup->next->prev = lookup->prev;
    } else {
        job->last = lookup->prev;
    }
    if (--lookup->lookups->in_flight == 0) {
        uv_unref((uv_handle_t *)&lookup->lookups->signal);
    }
    lc_free(lookup);
}

/* --- results --- */

static int copy_addresses(const struct addrinfo *found, struct lc_address **out, size_t *count)
{
    size_t most = 0, used = 0;
    for (const struct addrinfo *at = found; at != NULL; at = at->ai_next) {
        most++;
    }
    struct lc_address *addresses = lc_alloc((most + 1) * sizeof *addresses);
    if (addresses == NULL) {
        return LC_ENOMEM;
    }
    for (const struct addrinfo *at = found; at != NULL; at = at->ai_next) {
        used += lc_address_from_socket(at->ai_addr, at->ai_addrlen, &addresses[used]);
    }
    *out = addresses;
    *count = used;
    return 0;
}

static void tell(struct lc_lookups *lookups, struct lc_lookup_job *job)
{
    struct lc_address *addresses = NULL;
    struct lc_lookup_result result = {.eai = job->eai, .os_errno = job->os_errno, .reason = ""};
    if (job->eai == 0 && job->first != NULL) {
        result.err = copy_addresses(job->found, &addresses, &result.count);
        result.addresses = addresses;
        if (result.err == 0 && result.count == 0) {
            result.eai = EAI_NONAME;
        }
    }
    if (result.eai != 0) {
        result.err = LC_ERESOLVE;
        result.reason =
            result.eai == EAI_SYSTEM ? strerror(job->os_errno) : gai_strerror(result.eai);
    }
    while (job->first != NULL) {
        struct lc_lookup *lookup = job->first;
        void *owner = lookup->owner;
        /* One that joined between the end and this moment did not wait at all. */
        result.duration_ns = job->end_ns > lookup->start_ns ? job->end_ns - lookup->start_ns : 0;
        detach_and_free(lookup);
        lookups->done(owner, &result);
    }
    lc_free(addresses);
}

static void on_signal(uv_async_t *signal)
{
    struct lc_lookups *lookups = signal->data;
    struct lc_lookup_job *next;
    for (struct lc_lookup_job *job = lc_lookup_threads_collect(lookups->threads); job != NULL;
         job = next) {
        next = job->next;
        forget_job(lookups, job);
        tell(lookups, job);
        lc_lookup_threads_free(lookups->threads, job);
    }
}

/* --- life cycle --- */

int lc_lookups_new(uv_loop_t *loop, const struct lc_lookup_config *config, lc_lookup_cb done,
                   struct lc_lookups **out)
{
    struct lc_lookups *lookups = lc_alloc_zero(sizeof *lookups);
    if (lookups == NULL) {
        return LC_ENOMEM;
    }
    lookups->done = done;
    int rc = lc_lookup_threads_new(config, &lookups->signal, &lookups->threads);
    if (rc < 0) {
        goto fail_threads;
    }
    if (uv_async_init(loop, &lookups->signal, on_signal) != 0) {
        rc = LC_ESYS;
        goto fail_signal;
    }
    lookups->signal.data = lookups;
    uv_unref((uv_handle_t *)&lookups->signal);
    *out = lookups;
    return 0;

fail_signal:
    lc_lookup_threads_close(lookups->threads);
fail_threads:
    lc_free(lookups);
    return rc;
}

static void on_signal_closed(uv_handle_t *handle)
{
    lc_free(handle->data);
}

void lc_lookups_close(struct lc_lookups *lookups)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct lc_lookup_job *job = lookups->known[i]; job != NULL; job = job->next_known) {
            while (job->first != NULL) {
                detach_and_free(job->first);
            }
        }
    }
    lc_lookup_threads_close(lookups->threads);
    uv_close((uv_handle_t *)&lookups->signal, on_signal_closed);
}

int lc_lookup_start(struct lc_lookups *lookups, const char *host, int family, void *owner,
                    struct lc_lookup **out)
{
    struct lc_lookup *lookup = lc_alloc_zero(sizeof *lookup);
    if (lookup == NULL) {
        return LC_ENOMEM;
    }
    lookup->lookups = lookups;
    lookup->owner = owner;
    lookup->start_ns = lc_now_ns();
    struct lc_lookup_job *job = find_job(lookups, host, family);
    if (job == NULL) {
        int rc = lc_lookup_threads_put(lookups->threads, host, family, &job);
        if (rc < 0) {
            lc_free(lookup);
            return rc;
        }
        remember_job(lookups, job);
    }
    attach(lookup, job);
    *out = lookup;
    return 0;
}

/* A job that nobody waits for leaves the line. One that is running stays, so that the next equal
 * look-up joins it instead of keeping one more thread busy with a name server that is silent. */
void lc_lookup_cancel(struct lc_lookup *lookup)
{
    struct lc_lookups *lookups = lookup->lookups;
    struct lc_lookup_job *job = lookup->job;
    detach_and_free(lookup);
    if (job->first == NULL && lc_lookup_threads_take_back(lookups->threads, job)) {
        forget_job(lookups, job);
        lc_lookup_threads_free(lookups->threads, job);
    }
}

size_t lc_lookups_threads(struct lc_lookups *lookups)
{
    return lc_lookup_threads_count(lookups->threads);
}
