#include "server/handlers/handlers.h"

#include "core/data/sha256.h"
#include "server/asset.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PATH_SIZE = 512, FILE_BYTES_MAX = 16 << 20 };

static const struct {
	const char *suffix, *type;
} types[] = {
	{".html", "text/html; charset=utf-8"},
	{".js", "text/javascript; charset=utf-8"},
	{".mjs", "text/javascript; charset=utf-8"},
	{".css", "text/css; charset=utf-8"},
	{".json", "application/json"},
	{".svg", "image/svg+xml"},
	{".png", "image/png"},
	{".ico", "image/x-icon"},
	{".woff2", "font/woff2"},
	{".yaml", "application/yaml"},
};

static const char *type_of(const char *path)
{
	const char *dot = strrchr(path, '.');
	for (size_t i = 0; dot && i < sizeof types / sizeof *types; i++)
		if (!strcmp(types[i].suffix, dot))
			return types[i].type;
	return "text/plain; charset=utf-8"; /* LICENSE */
}

/* Replies with bytes[size], or 304. */
static int reply_file(struct call *c, const char *path, const void *bytes, size_t size)
{
	char hex[SHA256_HEX], etag[33];
	sha256_text(bytes, size, hex);
	snprintf(etag, sizeof etag, "%.32s", hex);
	c->resp.type = type_of(path);
	if (!call_etag(c, etag)) {
		c->resp.status = 200;
		c->resp.fixed = bytes;
		c->resp.fixed_bytes = size;
	}
	return OK;
}

static int not_found(struct call *c, struct err *err)
{
	return err_set(err, ERR_NOT_FOUND, "nothing is at %.*s; the API begins at /v1/info, its description is /v1/openapi.json",
		(int)strcspn(c->req.target, "?"), c->req.target);
}

static int from_program(struct call *c, const char *path, struct err *err)
{
	for (const struct asset *a = assets; a->path; a++)
		if (!strcmp(a->path, path))
			return reply_file(c, path, a->start, (size_t)(a->end - a->start));
	return not_found(c, err);
}

/* Opened so that no symlink or ".." can lead out of the folder. */
static int open_beneath(const char *folder, const char *path)
{
	int dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -1;
	struct open_how how = {.flags = O_RDONLY | O_CLOEXEC, .resolve = RESOLVE_BENEATH};
	int fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
	close(dir);
	return fd;
}

static int from_disk(struct call *c, const char *folder, const char *path, struct err *err)
{
	int fd = open_beneath(folder, path);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size > FILE_BYTES_MAX) {
		if (fd >= 0)
			close(fd);
		return not_found(c, err);
	}
	size_t size = (size_t)st.st_size;
	struct buf *b = &c->resp.body;
	char *bytes = buf_reserve(b, size);
	ssize_t n = bytes ? read(fd, bytes, size) : -1;
	close(fd);
	if (n != (ssize_t)size)
		return err_set(err, ERR_IO, "%s cannot be read", path);
	b->len += size;
	c->resp.type = type_of(path);
	c->resp.status = 200;
	return OK;
}

/* Links of a page are relative: a folder's address ends with '/'. */
static int to_folder(struct call *c, const char *folder)
{
	c->resp.status = 308;
	call_header(c, "Location", "%s%s/", c->daemon->config->path_prefix, folder);
	return OK;
}

int h_page(struct call *c, struct err *err)
{
	char path[PATH_SIZE] = "index.html";
	size_t used = 0;
	if (c->req.uri.bare)
		return to_folder(c, "");
	for (int i = 0; i < c->req.uri.nsegments && used < sizeof path; i++)
		used += (size_t)snprintf(path + used, sizeof path - used, "%s%s", i ? "/" : "", c->req.uri.segment[i]);
	if (used >= sizeof path)
		return not_found(c, err);
	if (!strcmp(path, "docs"))
		return to_folder(c, "/docs");
	if (!strcmp(path, "docs/"))
		snprintf(path, sizeof path, "docs/index.html");
	const char *folder = c->daemon->config->web_dir;
	int code = *folder ? from_disk(c, folder, path, err) : ERR_NOT_FOUND;
	/* What make writes is not in the folder: pages of the manual, and the pictures in them. */
	return *folder && (code != ERR_NOT_FOUND || strncmp(path, "docs/", 5)) ? code : from_program(c, path, err);
}

int h_openapi(struct call *c, struct err *err)
{
	return from_program(c, "openapi.json", err);
}
