#include "core/data/tar.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { CHUNK = 1 << 16 };

/* One reading. */
struct reading {
	struct archive *archive;
	const struct tar_limits *limits;
	const struct tar_sink *sink;
	size_t entries, bytes; /* so far */
	char chunk[CHUNK];
};

/* A name that may be anything, for a message: what is no plain text is shown as '?'. */
struct shown {
	char text[100];
};

static struct shown show(const char *name)
{
	struct shown s;
	size_t n = 0;
	for (; name[n] && n < sizeof s.text - 1; n++)
		s.text[n] = (unsigned char)name[n] < ' ' || name[n] == 0x7f ? '?' : name[n];
	s.text[n] = '\0';
	return s;
}

static int damaged(const struct reading *r, struct err *err)
{
	const char *why = archive_error_string(r->archive);
	if (archive_errno(r->archive) == ENOMEM)
		return err_set(err, ERR_NO_MEMORY, "no memory to unpack");
	return err_set(
		err, ERR_SYNTAX, "this is no tar archive, or a damaged one: %s", why ? show(why).text : "it makes no sense");
}

/* Writes the path without "." parts and slashes at its ends. *ret_hidden: a part begins with a dot. */
static int clean_path(const char *name, char path[TAR_PATH_MAX + 1], bool *ret_hidden, struct err *err)
{
	size_t used = 0;
	int depth = 0;
	*ret_hidden = false;
	if (*name == '/')
		return err_set(
			err, ERR_INVALID, "the tar holds '%s', an absolute path; pack it with tar -C FOLDER -c .", show(name).text);
	if (strlen(name) > TAR_PATH_MAX)
		return err_set(
			err, ERR_INVALID, "the tar holds a path of more than %d bytes: '%s…'", TAR_PATH_MAX, show(name).text);
	for (const char *at = name; *at;) {
		size_t n = strcspn(at, "/");
		if (n == 2 && at[0] == '.' && at[1] == '.')
			return err_set(err, ERR_INVALID, "the tar holds '%s', which leads out of its folder", show(name).text);
		if (n && !(n == 1 && *at == '.')) {
			*ret_hidden = *ret_hidden || *at == '.';
			if (used)
				path[used++] = '/';
			memcpy(path + used, at, n);
			used += n;
			depth++;
		}
		at += n + (at[n] == '/');
	}
	path[used] = '\0';
	for (size_t i = 0; i < used; i++)
		if ((unsigned char)path[i] < ' ' || path[i] == 0x7f)
			return err_set(err, ERR_INVALID, "the tar holds '%s', a name with control characters", show(name).text);
	if (depth > TAR_DEPTH_MAX)
		return err_set(
			err, ERR_INVALID, "the tar holds '%s', more than %d folders deep", show(name).text, TAR_DEPTH_MAX);
	return OK;
}

static int too_large(const struct reading *r, const char *path, struct err *err)
{
	return err_set(err, ERR_TOO_LARGE, "the tar unpacks to more than %zu bytes; '%s' is where it gets too much",
		r->limits->bytes, show(path).text);
}

static int copy_file(struct reading *r, const char *path, struct err *err)
{
	const struct tar_sink *s = r->sink;
	int code = s->begin(s->ctx, path, err);
	while (!code) {
		la_ssize_t n = archive_read_data(r->archive, r->chunk, sizeof r->chunk);
		if (n < 0)
			return damaged(r, err);
		if (n == 0)
			break;
		r->bytes += (size_t)n;
		code = r->bytes > r->limits->bytes ? too_large(r, path, err) : s->write(s->ctx, r->chunk, (size_t)n, err);
	}
	return code ? code : s->end(s->ctx, err);
}

/* What kind of thing an entry is that may not be. */
static const char *kind_of(struct archive_entry *e)
{
	if (archive_entry_hardlink(e) || archive_entry_filetype(e) == AE_IFLNK)
		return "a link";
	return archive_entry_filetype(e) == AE_IFBLK || archive_entry_filetype(e) == AE_IFCHR ? "a device"
																						  : "neither file nor folder";
}

static int take_entry(struct reading *r, struct archive_entry *e, struct err *err)
{
	char path[TAR_PATH_MAX + 1];
	bool hidden;
	/* the bytes as they are in a plain tar; pax headers are UTF-8, which the C locale knows by the other name only */
	const char *name = archive_entry_pathname(e);
	if (!name)
		name = archive_entry_pathname_utf8(e);
	if (!name || !*name)
		return err_set(err, ERR_INVALID, "the tar holds an entry without a readable name");
	int code = clean_path(name, path, &hidden, err);
	if (code)
		return code;
	bool file = archive_entry_filetype(e) == AE_IFREG, folder = archive_entry_filetype(e) == AE_IFDIR;
	if (archive_entry_hardlink(e) || (!file && !folder))
		return err_set(err, ERR_INVALID, "the tar holds '%s', which is %s; only files and folders make a data set",
			show(path).text, kind_of(e));
	if (folder)
		return hidden || !*path ? OK : r->sink->folder(r->sink->ctx, path, err);
	/* its header says so already: nothing of it is written */
	uint64_t file_bytes = archive_entry_size(e) > 0 ? (uint64_t)archive_entry_size(e) : 0;
	if (file_bytes > r->limits->bytes - r->bytes)
		return too_large(r, path, err);
	if (!hidden && *path)
		return copy_file(r, path, err);
	r->bytes += file_bytes; /* to be skipped, it is unpacked, too */
	return OK;
}

static int take_all(struct reading *r, struct err *err)
{
	for (;;) {
		struct archive_entry *e;
		int status = archive_read_next_header(r->archive, &e);
		if (status == ARCHIVE_EOF)
			return r->entries ? OK : err_set(err, ERR_SYNTAX, "the tar is empty");
		if (status != ARCHIVE_OK && status != ARCHIVE_WARN)
			return damaged(r, err);
		if (++r->entries > r->limits->entries)
			return err_set(err, ERR_TOO_LARGE, "the tar has more than %zu entries", r->limits->entries);
		int code = take_entry(r, e, err);
		if (code)
			return code;
	}
}

int tar_read(
	const void *bytes, size_t size, const struct tar_limits *limits, const struct tar_sink *sink, struct err *err)
{
	struct reading r = {.archive = archive_read_new(), .limits = limits, .sink = sink};
	if (!r.archive)
		return err_set(err, ERR_NO_MEMORY, "no memory to unpack");
	archive_read_support_filter_gzip(r.archive);
	archive_read_support_format_tar(r.archive);
	int code = archive_read_open_memory(r.archive, bytes, size) == ARCHIVE_OK ? take_all(&r, err) : damaged(&r, err);
	archive_read_free(r.archive);
	return code;
}
