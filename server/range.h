/* range.h: conditional and partial requests (RFC 9110 sections 13 and 14): pure functions over header texts. */
#ifndef LATENTD_SERVER_RANGE_H
#define LATENTD_SERVER_RANGE_H

#include <stdbool.h>
#include <stddef.h>

/* If-None-Match holds this entity tag ("*", or in a list, weak or strong). header may be NULL. */
bool etag_listed(const char *header, const char *etag);

enum range_result {
	RANGE_WHOLE,   /* no range, a malformed one, or several: send everything */
	RANGE_PART,    /* *first..*last, inclusive */
	RANGE_OUTSIDE, /* 416 */
};
/* "bytes=0-99", "bytes=100-", "bytes=-8" of `size` bytes. If-Range that names another entity: the whole. */
enum range_result range_parse(const char *range, const char *if_range, const char *etag, size_t size, size_t *ret_first,
	size_t *ret_last);

#endif
