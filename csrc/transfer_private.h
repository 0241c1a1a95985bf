/* What the files of transfer share; nobody else includes it. */
#ifndef LC_TRANSFER_PRIVATE_H
#define LC_TRANSFER_PRIVATE_H

#include "buf.h"
#include "curl_loop.h"
#include "transfer.h"

/* Where the transfers of one scope to one origin meet, and the connections that they share: in
 * libcurl's words a share handle. While none of them has a connection that works, one goes ahead
 * and the others wait: each would make a connection. */
struct lc_transfer_group {
    struct lc_transfer_group *next; /* of the scope, the most recently used first */
    struct lc_transfer_scope *scope;
    const struct lc_origin *origin;
    CURLSH *share;
    size_t transfers;
    bool exclusive; /* its transfer may hold up others */
    uint8_t spoken; /* there: HTTP/1 or 2; 0: not known yet */
    size_t ready;   /* transfers that have a connection */
    int *sockets;   /* connections that work */
    size_t socket_count, socket_cap;
    struct lc_transfer *leader; /* goes ahead */
    struct lc_transfer *waiting_first, *waiting_last;
    bool may_let_in; /* in the list of those whose waiting transfers may begin */
    struct lc_transfer_group *next_let_in;
    struct curl_slist address; /* an address for the host, so that libcurl looks nothing up */
};

struct lc_transfer_scope {
    struct lc_transfer_scope *next, *prev;
    struct lc_transfers *transfers; /* NULL: they were closed */
    struct lc_transfer_group *groups;
    size_t max_idle;
    long lifetime_s;
    bool closed;
};

/* What libcurl takes a request for. */
enum lc_transfer_kind { LC_TRANSFER_GET, LC_TRANSFER_HEAD, LC_TRANSFER_UPLOAD };

/* A transfer together with its easy handle, which goes back to a pool with all its options: what
 * the next transfer has in common with the last need not be set again. */
struct lc_transfer {
    struct lc_curl_job job;
    struct lc_transfers *transfers;
    struct lc_transfer_group *group; /* NULL when idle */
    struct lc_transfer *next, *prev; /* of all that are begun; or next of the idle */
    struct lc_transfer *next_waiting, *prev_waiting;
    struct lc_transfer *next_resumed;
    /* options as they are set on the handle */
    struct lc_transfer_group *shares; /* NULL: not set */
    const struct lc_origin *origin;
    CURLU *url; /* the origin's, read once and not for each request */
    long version;
    long lifetime_s;
    bool forbids_reuse;
    bool connects_anew;
    uint8_t kind;
    char method[32];
    /* the request */
    struct lc_buf fields; /* its head, cut into strings, behind the list that libcurl takes */
    const char *request_method, *request_target;
    const struct lc_transfer_events *events;
    void *owner;
    int64_t body_len;
    bool has_body;
    bool may_pause;
    /* how it goes */
    bool waits;        /* for its leader */
    bool ready;        /* counted in its group */
    bool paused;       /* an event returned LC_EAGAIN */
    bool resumed;      /* in the list of those to resume */
    bool must_connect; /* there was no connection to reuse */
    bool comes_again;  /* it may be sent again */
    bool reused;       /* the last try was on a connection that had served before */
    bool refused;      /* by the server, unprocessed */
    bool lost;         /* without a response */
    bool silent;       /* libcurl had no words for either */
    bool wants_http1;  /* the server asked for it */
    bool read_body;    /* a piece of it */
    bool told_head;
    uint32_t resend; /* how often it may still be sent again if it is lost */
    uint32_t tries;  /* how often it was sent */
    int owner_err;   /* what an event returned */
    struct lc_connect *attempt;
    int fd;       /* connected, for libcurl to take; -1: none */
    int stand_in; /* libcurl's descriptor, of which it is to take the place; -1: none */
    int taken;    /* libcurl's descriptor for the next try; -1: a connection that was there */
    uint64_t lookup_ns, connect_ns, connected_ns, sent_ns, first_byte_ns;
    struct lc_buf answer; /* the lines of the response's head */
    char reason[CURL_ERROR_SIZE];
};

struct lc_transfers {
    struct lc_curl_loop *loop;
    struct lc_connector *connector;
    struct lc_transfer_scope *scopes;
    struct lc_transfer *first, *last; /* all that are begun */
    struct lc_transfer *idle;
    size_t idle_count;
    bool before_8;         /* the version of libcurl that runs */
    bool began_connecting; /* in the present turn */
    struct lc_transfer *resumed;
    struct lc_transfer_group *let_in;
    struct lc_transfer_counts counts;
};

/* transfer_scope.c: who shares connections with whom. */
struct lc_transfer_group *lc_transfer_scope_enter(struct lc_transfer_scope *scope,
                                                  const struct lc_origin *origin,
                                                  bool exclusive) LC_MUST_USE;
/* The group goes if the scope keeps enough of them or is closed. */
void lc_transfer_scope_leave(struct lc_transfer_group *group);
/* Closes all connections; no transfer is left. */
void lc_transfer_scope_drop(struct lc_transfer_scope *scope);

/* transfer_group.c: who goes ahead, and who waits. */
struct lc_transfer_group *lc_transfer_group_new(struct lc_transfer_scope *scope,
                                                const struct lc_origin *origin) LC_MUST_USE;
/* Closes its connections: no transfer uses them. */
void lc_transfer_group_free(struct lc_transfer_group *group);
/* To an HTTP proxy in the place of the server. */
bool lc_transfer_group_speaks_to_proxy(const struct lc_origin *origin);
/* True if the transfer may begin now; it may be the leader then. Else it waits. */
bool lc_transfer_group_admit(struct lc_transfer *transfer);
/* The next that waited and may begin now, NULL if there is none. */
struct lc_transfer *lc_transfer_group_next(struct lc_transfer_group *group);
/* A connection works, or is to be closed; one that is not known is left alone. */
void lc_transfer_group_opened(struct lc_transfer_group *group, int fd);
void lc_transfer_group_closed(struct lc_transfer_group *group, int fd);
/* Connections that the peer has closed are not counted upon; nobody uses the group. */
void lc_transfer_group_forget_stale(struct lc_transfer_group *group);
/* It has a connection that works. */
void lc_transfer_group_reached(struct lc_transfer *transfer);
/* It is neither waiting nor leader nor ready any more. */
void lc_transfer_group_left(struct lc_transfer *transfer);

/* transfer_easy.c: easy handles and their options. */
struct lc_transfer *lc_transfer_easy_take(struct lc_transfers *transfers);
void lc_transfer_easy_put(struct lc_transfer *transfer);
void lc_transfer_easy_free(struct lc_transfer *transfer);
/* Cuts the head into the list that libcurl takes. */
int lc_transfer_easy_read(struct lc_transfer *transfer, struct lc_sv head) LC_MUST_USE;
/* All that is to be set before the handle is added: to use a connection that is there, or to make
 * one of `transfer->fd`. */
CURLcode lc_transfer_easy_prepare(struct lc_transfer *transfer) LC_MUST_USE;
/* Its connection closes with it, if nobody else uses it. */
void lc_transfer_easy_forbid_reuse(struct lc_transfer *transfer);

/* transfer_events.c: libcurl's callbacks. */
void lc_transfer_events_set(struct lc_transfer *transfer);
/* The body is to be read anew; not 0: it cannot. */
int lc_transfer_events_rewind(struct lc_transfer *transfer) LC_MUST_USE;
/* Whether to send once more what came to nothing; counts it. */
bool lc_transfer_events_may_resend(struct lc_transfer *transfer) LC_MUST_USE;

/* transfer_result.c: what became of it. */
void lc_transfer_result_of(struct lc_transfer *transfer, CURLcode code,
                           struct lc_transfer_result *result);
/* The same without a connection. */
void lc_transfer_result_of_connect(struct lc_transfer *transfer,
                                   const struct lc_connect_result *connect,
                                   struct lc_transfer_result *result);

#endif
