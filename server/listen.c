#include "server/listen.h"

#include "server/door.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 511 };

static int parse_unix(struct listen_address *a, const char *path, struct err *err)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&a->address;
	if (!*path || strlen(path) >= sizeof un->sun_path)
		return err_set(err, ERR_INVALID, "listen: a unix socket's path has 1..%zu characters", sizeof un->sun_path - 1);
	un->sun_family = AF_UNIX;
	strcpy(un->sun_path, path);
	strcpy(a->path, path);
	a->address_bytes = sizeof *un;
	a->loopback = true;
	return OK;
}

static bool parse_ip(struct listen_address *a, const char *name, int port)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&a->address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&a->address;
	if (*name == '[') {
		char text[64];
		snprintf(text, sizeof text, "%.*s", (int)strcspn(name + 1, "]"), name + 1);
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)port);
		a->address_bytes = sizeof *v6;
		return inet_pton(AF_INET6, text, &v6->sin6_addr) == 1;
	}
	v4->sin_family = AF_INET;
	v4->sin_port = htons((uint16_t)port);
	a->address_bytes = sizeof *v4;
	return inet_pton(AF_INET, strcasecmp(name, "localhost") ? name : "127.0.0.1", &v4->sin_addr) == 1;
}

int listen_parse(struct listen_address *ret, const char *text, struct err *err)
{
	struct listen_address a = {0};
	char name[256];
	int port;
	if (!strncmp(text, "unix:", 5)) {
		int code = parse_unix(&a, text + 5, err);
		if (!code)
			*ret = a;
		return code;
	}
	if (!host_split(text, name, sizeof name, &port) || port < 0 || !parse_ip(&a, name, port))
		return err_set(err, ERR_INVALID,
			"listen must be ADDRESS:PORT (127.0.0.1:7117, localhost:0, [::1]:7117, 0.0.0.0:7117) or unix:PATH, got '%.100s'",
			text);
	a.loopback = host_is_loopback(name);
	snprintf(a.host, sizeof a.host, "%.63s", strcasecmp(name, "localhost") ? name : "127.0.0.1");
	*ret = a;
	return OK;
}

/* A socket file that nobody answers at was left by a kill. */
static bool remove_stale(const struct listen_address *a)
{
	struct stat st;
	if (lstat(a->path, &st) || !S_ISSOCK(st.st_mode))
		return false; /* somebody's file */
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool stale = fd >= 0 && connect(fd, (const struct sockaddr *)&a->address, a->address_bytes) && errno == ECONNREFUSED;
	if (fd >= 0)
		close(fd);
	return stale && !unlink(a->path);
}

static int bind_it(const struct listen_address *a, int fd)
{
	const struct sockaddr *address = (const struct sockaddr *)&a->address;
	int on = 1;
	if (!*a->path) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
		return bind(fd, address, a->address_bytes);
	}
	mode_t mask = umask(0177);
	int failed = bind(fd, address, a->address_bytes);
	if (failed && errno == EADDRINUSE && remove_stale(a))
		failed = bind(fd, address, a->address_bytes);
	umask(mask);
	return failed;
}

static int bound_port(int fd)
{
	struct sockaddr_storage s = {0};
	socklen_t n = sizeof s;
	if (getsockname(fd, (struct sockaddr *)&s, &n))
		return 0;
	if (s.ss_family == AF_INET)
		return ntohs(((struct sockaddr_in *)&s)->sin_port);
	return s.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&s)->sin6_port) : 0;
}

int listen_open(const struct listen_address *a, int *ret_fd, int *ret_port, struct err *err)
{
	int fd = socket(a->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && !bind_it(a, fd) && !listen(fd, BACKLOG)) {
		*ret_fd = fd;
		*ret_port = bound_port(fd);
		return OK;
	}
	int failed = errno, port = ntohs(((const struct sockaddr_in *)&a->address)->sin_port);
	if (fd >= 0)
		close(fd);
	char text[180];
	if (*a->path)
		snprintf(text, sizeof text, "unix:%s", a->path);
	else
		snprintf(text, sizeof text, "%s:%d", a->host, port);
	if (failed == EADDRINUSE)
		return err_set(err, ERR_IN_USE, "address %s is in use; choose another with --listen (port 0: any free one)", text);
	return err_errno(err, failed, "cannot listen on %s", text);
}
