/* admit.h: from headers to a call that its handler may see, or to the reply that refuses it. No sockets: a pure rule. */
#ifndef LATENTD_SERVER_ADMIT_H
#define LATENTD_SERVER_ADMIT_H

#include "server/door.h"
#include "server/route.h"

struct admission {
	const struct door *door;
	const struct door_framing *framing;
	const char *prefix;   /* --path-prefix */
	size_t *ret_limit;    /* bytes a body may have */
	bool *ret_close;      /* the connection must end with this reply */
};

/* c->req holds method, target and headers; body not yet. True: go on (read the body, then call_run). False: c->resp is the
 * reply: a problem, or 204 for OPTIONS. */
bool call_admit(struct call *c, const struct admission *a);
/* Runs the route's handler on the whole request; its error becomes the reply. Leaves c parked or answered. */
void call_run(struct call *c);

#endif
