/* listen.h: where the daemon listens: "127.0.0.1:7117", "localhost:0", "[::1]:7117", "unix:/run/latentd.sock". */
#ifndef LATENTD_SERVER_LISTEN_H
#define LATENTD_SERVER_LISTEN_H

#include "core/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct listen_address {
	struct sockaddr_storage address;
	socklen_t address_bytes;
	bool loopback; /* only this host can reach it; true for a unix socket */
	char path[108]; /* of a unix socket, else "" */
	char host[64];  /* as a Host header writes it: "127.0.0.1", "[::1]"; "" for a unix socket */
};

/* No names but localhost are looked up. ERR_INVALID. */
int listen_parse(struct listen_address *ret, const char *text, struct err *err);
/* A listening, non-blocking socket; *ret_port is what was bound (0: unix). ERR_IN_USE names the address. A stale unix
 * socket is replaced; its mode is 0600. */
int listen_open(const struct listen_address *a, int *ret_fd, int *ret_port, struct err *err);

#endif
