/* door.h: who may come in: every check of a request before a handler sees it, in one place and in this order:
 * framing → Host → (route) → Sec-Fetch-Site and Origin → token → size → content type.
 *
 * Why: a daemon on loopback is reachable by every web page its user opens; DNS rebinding, forms and smuggling end here.
 * Pure functions over header texts. Each answers 0 or the HTTP status to refuse with, err saying why.
 */
#ifndef LATENTD_SERVER_DOOR_H
#define LATENTD_SERVER_DOOR_H

#include "core/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Every place that says a limit to a client says it from here. */
enum {
	DOOR_JSON_BYTES = 1 << 20,
	DOOR_BINARY_BYTES = 64 << 20,
	DOOR_TOKEN_MAX = 512,
};

struct door {
	char listen_host[256];     /* "192.168.1.5", "[fe80::1]"; "" for a unix socket */
	const char *allowed_hosts; /* comma list, borrowed */
	char token[DOOR_TOKEN_MAX + 1]; /* "" = none asked for */
};

/* How often a header came, and its first value. */
struct door_framing {
	int hosts, content_lengths, transfer_encodings;
	int strange_names; /* headers whose name is not a token */
	const char *content_length, *transfer_encoding;
	bool http_1_1;
};
int door_framing(const struct door_framing *f, struct err *err);
/* `host`: the Host header, or the authority of the target. 421. */
int door_host(const struct door *d, const char *host, struct err *err);
/* For requests that change state. 403. origin and site may be NULL. */
int door_origin(const char *host, const char *origin, const char *sec_fetch_site, struct err *err);
/* 401. authorization may be NULL. */
int door_token(const struct door *d, const char *authorization, struct err *err);
/* A declared length; the same rule counts the bytes of a chunked body. 413. */
int door_size(uint64_t bytes, size_t limit, struct err *err);
/* What a route takes: JSON; or JSON, npy or PNG; or a tar, raw or gzip; or JSON, also as a merge patch. */
enum door_body { DOOR_JSON, DOOR_PIXELS, DOOR_TAR, DOOR_PATCH };
/* A body came with this content type (NULL: none). 415. */
int door_content_type(const char *content_type, enum door_body body, struct err *err);
/* Most bytes of such a body. */
size_t door_limit(const char *content_type, enum door_body body);
/* npy or PNG. */
bool door_is_binary(const char *content_type);

/* "[::1]:7117" → "[::1]", 7117 (-1: no port). False: not a host. */
bool host_split(const char *text, char *name, size_t size, int *ret_port);
/* localhost, 127.0.0.0/8, [::1]. */
bool host_is_loopback(const char *name);
/* First line of the token file. ERR_INVALID when it cannot be a token. */
int door_read_token(struct door *d, const char *path, struct err *err);

#endif
