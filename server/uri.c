#include "server/uri.h"

#include "api/utf8.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decodes in place. plus_is_space: the form encoding of queries. */
static int decode(char *text, bool plus_is_space, struct err *err)
{
	char *out = text;
	for (const char *in = text; *in; in++) {
		int c = (unsigned char)*in;
		if (c == '%') {
			int high = hex_digit(in[1]);
			int low = high < 0 ? -1 : hex_digit(in[2]);
			if (low < 0)
				return err_set(err, ERR_SYNTAX, "the URL holds a '%%' that two hexadecimal digits do not follow");
			c = high * 16 + low;
			in += 2;
		} else if (c == '+' && plus_is_space) {
			c = ' ';
		}
		if (c < 0x20 || c == 0x7f)
			return err_set(err, ERR_SYNTAX, "the URL holds a control character (%%%02X)", (unsigned)c);
		*out++ = (char)c;
	}
	*out = '\0';
	size_t left = (size_t)(out - text);
	for (size_t n; left; text += n, left -= n)
		if (!(n = utf8_length(text, left)))
			return err_set(err, ERR_SYNTAX, "the URL is not UTF-8");
	return OK;
}

static int split_path(struct uri *u, char *path, struct err *err)
{
	if (!strcmp(path, "/"))
		return OK;
	for (char *next = path; next;) {
		char *segment = next + 1; /* past the '/' */
		if ((next = strchr(segment, '/')))
			*next = '\0';
		int code = decode(segment, false, err);
		if (code)
			return code;
		if (!strcmp(segment, ".") || !strcmp(segment, ".."))
			return err_set(err, ERR_SYNTAX, "the path holds a '%s' segment", segment);
		if (u->nsegments == URI_SEGMENTS_MAX)
			return err_set(err, ERR_NOT_FOUND, "no route is this deep");
		u->segment[u->nsegments++] = segment;
	}
	return OK;
}

static int split_query(struct uri *u, char *query, struct err *err)
{
	char *save = NULL;
	for (char *pair = strtok_r(query, "&", &save); pair; pair = strtok_r(NULL, "&", &save)) {
		if (u->nparams == URI_PARAMS_MAX)
			return err_set(err, ERR_SYNTAX, "more than %d query parameters", URI_PARAMS_MAX);
		char *equals = strchr(pair, '=');
		struct uri_param *p = &u->param[u->nparams++];
		p->key = pair;
		p->value = equals ? equals + 1 : pair + strlen(pair);
		if (equals)
			*equals = '\0';
		int code = decode(p->key, true, err);
		if (!code && equals)
			code = decode(p->value, true, err);
		if (code)
			return code;
	}
	return OK;
}

/* "http://host:port/path" → the path; the authority is kept. */
static char *take_authority(struct uri *u, char *target)
{
	static const char *const schemes[] = {"http://", "https://"};
	for (size_t i = 0; i < 2; i++) {
		size_t n = strlen(schemes[i]);
		if (strncasecmp(target, schemes[i], n))
			continue;
		char *path = strchr(target + n, '/');
		if (!path)
			return NULL;
		/* the scheme's room makes a terminator fit between authority and path */
		memmove(target, target + n, (size_t)(path - target) - n);
		target[(size_t)(path - target) - n] = '\0';
		u->authority = target;
		return path;
	}
	return target;
}

static void strip_prefix(char **path, const char *prefix)
{
	size_t n = strlen(prefix);
	if (n && !strncmp(*path, prefix, n) && ((*path)[n] == '/' || (*path)[n] == '\0'))
		*path += n;
}

static int parse(struct uri *u, const char *prefix, struct err *err)
{
	if (!strcmp(u->text, "*")) {
		u->asterisk = true;
		return OK;
	}
	char *query = strchr(u->text, '?');
	if (query)
		*query++ = '\0';
	char *path = take_authority(u, u->text);
	if (!path || *path != '/' || strchr(path, '#'))
		return err_set(err, ERR_SYNTAX, "the request target must be a path that begins with '/'");
	strip_prefix(&path, prefix);
	u->bare = !*path;
	int code = *path ? split_path(u, path, err) : OK;
	return code || !query ? code : split_query(u, query, err);
}

int uri_parse(struct uri *ret, const char *target, const char *prefix, struct err *err)
{
	struct uri u = {.text = strdup(target)};
	if (!u.text)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	int code = parse(&u, prefix, err);
	if (code)
		uri_free(&u);
	else
		*ret = u;
	return code;
}

void uri_free(struct uri *u)
{
	free(u->text);
	*u = (struct uri){0};
}

const char *uri_get(const struct uri *u, const char *key)
{
	for (int i = 0; i < u->nparams; i++)
		if (!strcmp(u->param[i].key, key))
			return u->param[i].value;
	return NULL;
}

int uri_bool(const struct uri *u, const char *key, bool *ret, struct err *err)
{
	const char *value = uri_get(u, key);
	if (!value)
		*ret = false;
	else if (!*value || !strcmp(value, "1") || !strcmp(value, "true"))
		*ret = true;
	else if (!strcmp(value, "0") || !strcmp(value, "false"))
		*ret = false;
	else
		return err_set(err, ERR_INVALID, "%s must be true or false, got '%.60s'", key, value);
	return OK;
}

int uri_int(const struct uri *u, const char *key, int64_t min, int64_t max, int64_t *ret, struct err *err)
{
	const char *value = uri_get(u, key);
	if (!value)
		return OK;
	char *end;
	errno = 0;
	long long n = strtoll(value, &end, 10);
	bool digits = strspn(value, "-0123456789") == strlen(value);
	if (!*value || *end || errno || !digits || n < min || n > max)
		return err_set(err, ERR_INVALID, "%s must be a whole number %lld..%lld, got '%.60s'", key, (long long)min,
			(long long)max, value);
	*ret = n;
	return OK;
}

int uri_real(const struct uri *u, const char *key, double min, double max, double *ret, struct err *err)
{
	const char *value = uri_get(u, key);
	if (!value)
		return OK;
	char *end;
	double x = strtod(value, &end);
	bool plain = strspn(value, "+-.0123456789eE") == strlen(value);
	if (!*value || *end || !plain || !isfinite(x) || x < min || x > max)
		return err_set(err, ERR_INVALID, "%s must be a number %.9g..%.9g, got '%.60s'", key, min, max, value);
	*ret = x;
	return OK;
}

static bool has_word(const char *words, const char *word)
{
	size_t n = strlen(word);
	for (const char *at = words; n && (at = strstr(at, word)); at += n)
		if ((at == words || at[-1] == ' ') && (at[n] == ' ' || !at[n]))
			return true;
	return false;
}

int uri_order(const struct uri *u, bool *ret_ascending, struct err *err)
{
	const char *order = uri_get(u, "order");
	if (order && strcmp(order, "asc") != 0 && strcmp(order, "desc") != 0)
		return err_set(err, ERR_INVALID, "order must be asc or desc, got '%.60s'", order);
	if (order)
		*ret_ascending = !strcmp(order, "asc");
	return OK;
}

int uri_only(const struct uri *u, const char *allowed, struct err *err)
{
	for (int i = 0; strcmp(allowed, "*") && i < u->nparams; i++) {
		const char *key = u->param[i].key;
		if (strcmp(key, "pretty") && !has_word(allowed, key))
			return err_set(err, ERR_INVALID, "unknown query parameter '%.60s'; this route takes: %s%spretty", key, allowed,
				*allowed ? " " : "");
		if (uri_get(u, key) != u->param[i].value)
			return err_set(err, ERR_INVALID, "query parameter '%.60s' is given twice", key);
	}
	return OK;
}
