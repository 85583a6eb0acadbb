#include "server/range.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The text at *at is `"etag"`; if so *at moves past it. */
static bool take_tag(const char **at, const char *etag)
{
	size_t n = strlen(etag);
	if (**at != '"' || strncmp(*at + 1, etag, n) || (*at)[1 + n] != '"')
		return false;
	*at += n + 2;
	return true;
}

bool etag_listed(const char *header, const char *etag)
{
	if (!header)
		return false;
	if (!strcmp(header, "*"))
		return true;
	for (const char *at = header; *(at += strspn(at, " \t,"));) {
		if (!strncmp(at, "W/", 2))
			at += 2;
		if (take_tag(&at, etag))
			return true;
		if (*at != '"' || !(at = strchr(at + 1, '"')))
			return false;
		at++;
	}
	return false;
}

/* Digits only; false on overflow. */
static bool take_size(const char **at, size_t *ret)
{
	if (**at < '0' || **at > '9')
		return false;
	char *end;
	errno = 0;
	unsigned long long n = strtoull(*at, &end, 10);
	if (errno)
		return false;
	*at = end;
	*ret = (size_t)n;
	return true;
}

enum range_result range_parse(const char *range, const char *if_range, const char *etag, size_t size, size_t *ret_first,
	size_t *ret_last)
{
	if (!range || strncasecmp(range, "bytes=", 6))
		return RANGE_WHOLE;
	if (if_range && (!take_tag(&if_range, etag) || *if_range))
		return RANGE_WHOLE;
	const char *at = range + 6;
	size_t first = 0, last = size ? size - 1 : 0, n;
	if (*at == '-') {
		at++;
		if (!take_size(&at, &n) || *at)
			return RANGE_WHOLE;
		if (!n || !size)
			return RANGE_OUTSIDE;
		first = n < size ? size - n : 0;
	} else {
		if (!take_size(&at, &first) || *at++ != '-')
			return RANGE_WHOLE;
		if (*at) {
			if (!take_size(&at, &n) || *at || n < first)
				return RANGE_WHOLE;
			last = n < last ? n : last;
		}
		if (first >= size)
			return RANGE_OUTSIDE;
	}
	*ret_first = first;
	*ret_last = last;
	return RANGE_PART;
}
