#include "server/door.h"

#include "server/call.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static int refuse(struct err *err, int status, int code, const char *message)
{
	err_set(err, code, "%s", message);
	return status;
}

int door_framing(const struct door_framing *f, struct err *err)
{
	if (f->strange_names)
		return refuse(err, 400, ERR_SYNTAX, "a header's name holds a blank or another character that is not allowed in it");
	if (f->hosts != 1)
		return refuse(err, 400, ERR_SYNTAX, "a request needs exactly one Host header");
	if (f->content_lengths > 1)
		return refuse(err, 400, ERR_SYNTAX, "more than one Content-Length");
	if (f->content_lengths && f->transfer_encodings)
		return refuse(err, 400, ERR_SYNTAX, "both Content-Length and Transfer-Encoding");
	if (f->transfer_encodings && !f->http_1_1)
		return refuse(err, 400, ERR_SYNTAX, "Transfer-Encoding needs HTTP/1.1");
	if (f->transfer_encodings > 1 || (f->transfer_encodings && strcasecmp(f->transfer_encoding, "chunked")))
		return refuse(err, 501, ERR_INVALID, "the only Transfer-Encoding understood here is chunked");
	if (f->content_lengths && (!*f->content_length || f->content_length[strspn(f->content_length, "0123456789")]))
		return refuse(err, 400, ERR_SYNTAX, "Content-Length is not a number");
	return 0;
}

/* A registered name or dotted quad; brackets hold an IPv6 address. */
static bool name_valid(const char *name)
{
	size_t n = strlen(name);
	if (*name == '[') {
		char text[64];
		struct in6_addr address;
		if (n < 4 || n > sizeof text || name[n - 1] != ']')
			return false;
		snprintf(text, sizeof text, "%.*s", (int)n - 2, name + 1);
		return inet_pton(AF_INET6, text, &address) == 1;
	}
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
	return n && n <= 253 && strspn(name, allowed) == n;
}

bool host_split(const char *text, char *name, size_t size, int *ret_port)
{
	const char *bracket = *text == '[' ? strchr(text, ']') : NULL;
	const char *colon = strchr(bracket ? bracket : text, ':');
	size_t n = colon ? (size_t)(colon - text) : strlen(text);
	int port = -1;
	if (n >= size)
		return false;
	if (colon) {
		size_t digits = strspn(colon + 1, "0123456789");
		if (!digits || digits > 5 || colon[1 + digits] || (port = atoi(colon + 1)) > 65535)
			return false;
	}
	char copy[256];
	snprintf(copy, sizeof copy, "%.*s", (int)n, text);
	if (n >= sizeof copy || !name_valid(copy))
		return false;
	snprintf(name, size, "%s", copy);
	*ret_port = port;
	return true;
}

bool host_is_loopback(const char *name)
{
	struct in_addr v4;
	struct in6_addr v6;
	char text[64];
	if (!strcasecmp(name, "localhost"))
		return true;
	if (*name != '[')
		return inet_pton(AF_INET, name, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127;
	snprintf(text, sizeof text, "%.*s", (int)strcspn(name + 1, "]"), name + 1);
	return inet_pton(AF_INET6, text, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

/* One entry of --allowed-hosts: a name for any port, or name:port. */
static bool entry_allows(const char *entry, size_t n, const char *name, int port)
{
	char text[260], entry_name[256];
	int entry_port;
	if (n >= sizeof text)
		return false;
	snprintf(text, sizeof text, "%.*s", (int)n, entry);
	return host_split(text, entry_name, sizeof entry_name, &entry_port) && !strcasecmp(entry_name, name) &&
	       (entry_port < 0 || entry_port == port);
}

static bool list_allows(const char *list, const char *name, int port)
{
	for (const char *at = list; *(at += strspn(at, ", \t"));) {
		size_t n = strcspn(at, ", \t");
		if (entry_allows(at, n, name, port))
			return true;
		at += n;
	}
	return false;
}

int door_host(const struct door *d, const char *host, struct err *err)
{
	char name[256];
	int port;
	if (!host || !host_split(host, name, sizeof name, &port))
		return refuse(err, 400, ERR_SYNTAX, "the Host header is not a host name with an optional port");
	if (host_is_loopback(name) || (*d->listen_host && !strcasecmp(name, d->listen_host)) ||
		list_allows(d->allowed_hosts, name, port))
		return 0;
	err_set(err, ERR_DENIED, "Host '%s' is not allowed; start with --allowed-hosts %s", name, name);
	return 421;
}

/* "http://localhost:7117" → host part, and its port or the scheme's. */
static bool origin_split(const char *origin, char *name, size_t size, int *ret_port)
{
	static const struct {
		const char *scheme;
		int port;
	} schemes[] = {{"http://", 80}, {"https://", 443}};
	for (size_t i = 0; i < 2; i++) {
		size_t n = strlen(schemes[i].scheme);
		if (strncasecmp(origin, schemes[i].scheme, n) || !host_split(origin + n, name, size, ret_port))
			continue;
		if (*ret_port < 0)
			*ret_port = schemes[i].port;
		return true;
	}
	return false;
}

/* Behind a proxy that ends TLS the Host bears no port while the origin's is 443: an absent port is either default. */
static bool same_origin(const char *host, const char *origin)
{
	char host_name[256], origin_name[256];
	int host_port, origin_port;
	if (!host_split(host, host_name, sizeof host_name, &host_port) ||
		!origin_split(origin, origin_name, sizeof origin_name, &origin_port) || strcasecmp(host_name, origin_name))
		return false;
	return host_port < 0 ? origin_port == 80 || origin_port == 443 : host_port == origin_port;
}

int door_origin(const char *host, const char *origin, const char *sec_fetch_site, struct err *err)
{
	if (sec_fetch_site && !strcasecmp(sec_fetch_site, "cross-site"))
		return refuse(err, 403, ERR_DENIED, "a page of another site may not do this (Sec-Fetch-Site: cross-site)");
	if (!origin || same_origin(host, origin))
		return 0;
	err_set(err, ERR_DENIED, "a page of origin '%.100s' may not do this: it differs from Host '%.100s'", origin, host);
	return 403;
}

/* Time depends on the lengths only. */
static bool same_secret(const char *secret, const char *given)
{
	size_t n = strlen(secret), given_bytes = strlen(given);
	unsigned differs = n != given_bytes;
	for (size_t i = 0; i < given_bytes; i++)
		differs |= (unsigned)(given[i] ^ secret[n ? i % n : 0]);
	return !differs;
}

int door_token(const struct door *d, const char *authorization, struct err *err)
{
	if (!*d->token)
		return 0;
	if (!authorization)
		return refuse(err, 401, ERR_DENIED, "this daemon asks for a token: send 'Authorization: Bearer <token>'");
	if (strncasecmp(authorization, "Bearer ", 7))
		return refuse(err, 401, ERR_DENIED, "the Authorization header must be 'Bearer <token>'");
	const char *given = authorization + 7 + strspn(authorization + 7, " ");
	return same_secret(d->token, given) ? 0 : refuse(err, 401, ERR_DENIED, "this is not the token of this daemon");
}

int door_size(uint64_t bytes, size_t limit, struct err *err)
{
	if (bytes <= limit)
		return 0;
	err_set(err, ERR_TOO_LARGE, "the body is larger than %zu bytes, the limit of this route", limit);
	return 413;
}

static const struct {
	enum door_body body;
	const char *type;
} body_types[] = {
	{DOOR_PIXELS, "image/png"},
	{DOOR_PIXELS, "application/x-npy"},
	{DOOR_PIXELS, "application/npy"},
	{DOOR_PIXELS, "application/octet-stream"},
	{DOOR_TAR, "application/x-tar"},
	{DOOR_TAR, "application/x-gtar"},
	{DOOR_TAR, "application/gzip"},
	{DOOR_TAR, "application/x-gzip"},
	{DOOR_TAR, "application/octet-stream"},
	{DOOR_PATCH, "application/merge-patch+json"},
};

static const char *const body_words[] = {
	[DOOR_JSON] = "send Content-Type: application/json, or use curl --json",
	[DOOR_PIXELS] = "send Content-Type: application/json (curl --json), image/png or application/x-npy",
	[DOOR_TAR] = "send Content-Type: application/x-tar (curl -T set.tar -H 'Content-Type: application/x-tar')",
	[DOOR_PATCH] = "send Content-Type: application/merge-patch+json or application/json",
};

static bool is_of(const char *content_type, enum door_body body)
{
	for (size_t i = 0; i < sizeof body_types / sizeof *body_types; i++)
		if (body_types[i].body == body && media_is(content_type, body_types[i].type))
			return true;
	return false;
}

bool door_is_binary(const char *content_type)
{
	return is_of(content_type, DOOR_PIXELS);
}

size_t door_limit(const char *content_type, enum door_body body)
{
	bool large = (body == DOOR_PIXELS || body == DOOR_TAR) && is_of(content_type, body);
	return large ? DOOR_BINARY_BYTES : DOOR_JSON_BYTES;
}

/* No charset, or UTF-8: JSON knows no other. */
static bool charset_fits(const char *content_type)
{
	const char *charset = strcasestr(content_type, "charset=");
	if (!charset)
		return true;
	charset += 8;
	charset += *charset == '"';
	return !strncasecmp(charset, "utf-8", 5) && !strchr("abcdefghijklmnopqrstuvwxyz0123456789-", charset[5] | 0x20);
}

int door_content_type(const char *content_type, enum door_body body, struct err *err)
{
	bool json = body != DOOR_TAR && media_is(content_type, "application/json");
	if ((json || is_of(content_type, body)) && charset_fits(content_type))
		return 0;
	return refuse(err, 415, ERR_MEDIA, body_words[body]);
}

int door_read_token(struct door *d, const char *path, struct err *err)
{
	char text[DOOR_TOKEN_MAX + 2];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, errno, "token file %s", path);
	ssize_t n = read(fd, text, sizeof text - 1);
	int failed = n < 0 ? errno : 0;
	close(fd);
	if (failed)
		return err_errno(err, failed, "token file %s", path);
	text[n] = '\0';
	text[strcspn(text, "\r\n")] = '\0';
	size_t size = strlen(text);
	for (size_t i = 0; i < size; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return err_set(err, ERR_INVALID, "token file %s: a token is visible ASCII characters without blanks", path);
	if (!size || size > DOOR_TOKEN_MAX)
		return err_set(err, ERR_INVALID, "token file %s: the first line must hold 1..%d characters", path, DOOR_TOKEN_MAX);
	memcpy(d->token, text, size + 1);
	return OK;
}
