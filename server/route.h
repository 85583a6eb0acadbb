/* route.h: every address the daemon answers, one row each: the table that serves, documents (--dump-routes) and labels metrics.
 *
 * Patterns: literal segments and {parameters}; a last segment may bear the suffix of one of the row's formats. "/" + "*" at the
 * end takes what no other row has. HEAD is served wherever GET is.
 * Not here: who may call (door.h), what is answered (h_*.c).
 */
#ifndef LATENTD_SERVER_ROUTE_H
#define LATENTD_SERVER_ROUTE_H

#include "server/call.h"
#include "server/door.h"

#include <stdio.h>

enum {
	ROUTE_OPEN = 1,   /* no token needed: the page and health */
	ROUTE_INLINE = 2, /* neither computes nor blocks: runs on the thread that read the request */
	ROUTE_WORK = 4,   /* refused while draining */
	ROUTE_BODY = 8,   /* says nothing without a body */
	ROUTE_BINARY = 16, /* takes npy and PNG bodies too */
	ROUTE_TAR = 32,    /* takes a tar and nothing else */
	ROUTE_PATCH = 64,  /* takes JSON also as a merge patch */
};
enum { ROUTE_FORMATS_MAX = 4 };

struct route {
	enum method method;
	const char *pattern;
	handler_fn *handler;
	int nformats;
	enum format format[ROUTE_FORMATS_MAX]; /* the first is the default */
	const char *query;                     /* parameters it takes, blank-separated */
	unsigned flags;
	const char *help;
};
/* Ends with a row whose pattern is NULL. */
extern const struct route routes[];

/* Finds the row for c->req; sets c->route, c->arg and c->format. Otherwise the status to refuse with (404, 405, 406) and err;
 * `allow` gets the methods the path knows ("" if it is unknown). */
enum { ROUTE_ALLOW_SIZE = 64 };
int route_find(struct call *c, char allow[ROUTE_ALLOW_SIZE], struct err *err);
/* What bodies it takes. */
enum door_body route_body(const struct route *r);
/* Which of the route's formats the Accept header prefers; FORMAT_COUNT if none. NULL: the first. */
enum format route_accept(const struct route *r, const char *accept);
/* A line per row: method, pattern, formats, help, by tabs. */
void route_dump(FILE *out);

#endif
