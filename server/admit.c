#include "server/admit.h"

#include "server/hub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool refuse(struct call *c, int status, const struct err *err)
{
	call_problem(c, status, err);
	return false;
}

static bool admit_address(struct call *c, const struct admission *a)
{
	struct err err = {0};
	int status = door_framing(a->framing, &err);
	if (status)
		return refuse(c, status, &err);
	*a->ret_close = false;
	if (uri_parse(&c->req.uri, c->req.target, a->prefix, &err))
		return refuse(c, 0, &err);
	if (c->req.uri.authority)
		c->req.host = c->req.uri.authority;
	status = door_host(a->door, c->req.host, &err);
	return !status || refuse(c, status, &err);
}

static bool answer_options(struct call *c, const char *allow)
{
	c->resp.status = 204;
	call_header(c, "Allow", "%s", *allow ? allow : "GET, HEAD, POST, OPTIONS");
	return false;
}

static bool admit_route(struct call *c)
{
	struct err err = {0};
	char allow[ROUTE_ALLOW_SIZE];
	int status = route_find(c, allow, &err);
	if (c->req.method == METHOD_OPTIONS && (status == 405 || c->req.uri.asterisk))
		return answer_options(c, allow);
	if (status) {
		refuse(c, status, &err);
		if (status == 405)
			call_header(c, "Allow", "%s", allow);
		return false;
	}
	return true;
}

/* After the client: what a route takes is told to those who may use it. */
static bool admit_query(struct call *c)
{
	struct err err = {0};
	if (uri_bool(&c->req.uri, "pretty", &c->req.pretty, &err) || uri_only(&c->req.uri, c->route->query, &err))
		return refuse(c, 0, &err);
	return true;
}

static bool admit_client(struct call *c, const struct admission *a)
{
	struct err err = {0};
	int status = 0;
	if (method_changes(c->req.method))
		status = door_origin(c->req.host, c->req.origin, c->req.sec_fetch_site, &err);
	if (!status && !(c->route->flags & ROUTE_OPEN)) {
		status = door_token(a->door, c->req.authorization, &err);
		if (status) {
			refuse(c, status, &err);
			call_header(c, "WWW-Authenticate", "Bearer realm=\"latentd\"");
			return false;
		}
	}
	return !status || refuse(c, status, &err);
}

static bool admit_body(struct call *c, const struct admission *a)
{
	const struct door_framing *f = a->framing;
	enum door_body body = route_body(c->route);
	struct err err = {0};
	uint64_t declared = f->content_lengths ? strtoull(f->content_length, NULL, 10) : 0;
	*a->ret_limit = door_limit(c->req.content_type, body);
	if ((c->route->flags & ROUTE_BODY) && !f->content_lengths && !f->transfer_encodings) {
		err_set(&err, ERR_INVALID, "no body came: send one with its Content-Length, as curl --json does");
		return refuse(c, 411, &err);
	}
	int status = door_size(declared, *a->ret_limit, &err);
	if (!status && method_changes(c->req.method) && (declared || f->transfer_encodings))
		status = door_content_type(c->req.content_type, body, &err);
	return !status || refuse(c, status, &err);
}

bool call_admit(struct call *c, const struct admission *a)
{
	*a->ret_close = true;
	return admit_address(c, a) && admit_route(c) && admit_client(c, a) && admit_query(c) && admit_body(c, a);
}

void call_run(struct call *c)
{
	struct err err = {0};
	struct daemon *d = c->daemon;
	int code;
	c->park_until_ms = 0;
	c->seen_commits = d->hub ? hub_commits(d->hub) : 0;
	if ((c->route->flags & ROUTE_WORK) && atomic_load(&d->draining))
		code = err_set(&err, ERR_UNAVAILABLE, "the daemon is stopping and takes no new work");
	else
		code = c->route->handler(c, &err);
	if (code)
		call_problem(c, 0, &err);
}
