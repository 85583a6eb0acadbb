/* http.h: the libmicrohttpd door: sockets and its repeated callbacks become one call (call.h), one reply.
 *
 * Threads: two network threads parse and send; handlers run there only if they neither compute nor block, else on a lane while
 * the connection is suspended. Streams and parked calls hold no thread at all.
 * Deadlines: 10 s until the headers are complete (then the connection is cut), 30 s for a body (then 408 and cut).
 * Invariants: a connection is suspended only inside a callback and resumed exactly once; every one is resumed before the
 * library stops.
 */
#ifndef LATENTD_SERVER_HTTP_H
#define LATENTD_SERVER_HTTP_H

#include "server/daemon.h"
#include "server/door.h"

enum { HTTP_HEADER_MS = 10000, HTTP_BODY_MS = 30000, HTTP_IDLE_MS = 60000, HTTP_CONNECTIONS_MAX = 2048 };

struct http;

/* Serves on a listening socket, which it takes over. */
int http_open(struct http **ret, struct daemon *d, const struct door *door, int listen_fd, struct err *err);
/* Ends streams and answers parked calls (the caller has set d->draining); new requests are still answered. */
void http_drain(struct http *h);
/* Lets replies under way finish for a moment, then stops. */
void http_close(struct http *h);

#endif
