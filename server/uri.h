/* uri.h: a request target in parts: decoded path segments and query parameters.
 *
 * Why: libmicrohttpd decodes before it splits and stops at %00, so the raw target is read here, once, strictly.
 * Owner: uri_free gives back the one allocation that everything points into.
 * Invariants: segments and values are well-formed UTF-8 without control characters; no segment is "." or "..", so nothing
 * can climb; a decoded '/' never splits.
 */
#ifndef LATENTD_SERVER_URI_H
#define LATENTD_SERVER_URI_H

#include "core/base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum { URI_SEGMENTS_MAX = 12, URI_PARAMS_MAX = 24 };

struct uri {
	char *text;      /* malloc'd copy; decoded in place */
	char *authority; /* of "GET http://host:port/path", or NULL */
	bool asterisk;   /* "OPTIONS *" */
	bool bare;       /* the prefix without the '/' that follows it: a page here would resolve its links one level up */
	int nsegments;   /* "/" has none; "/v1/" has two, the second empty */
	char *segment[URI_SEGMENTS_MAX];
	int nparams;
	struct uri_param {
		char *key, *value;
	} param[URI_PARAMS_MAX];
};

/* prefix: "" or "/latentd"; taken off where the path begins with it. ERR_SYNTAX says what is malformed. */
int uri_parse(struct uri *ret, const char *target, const char *prefix, struct err *err);
void uri_free(struct uri *u);

/* Value of a query parameter; NULL if absent. */
const char *uri_get(const struct uri *u, const char *key);
/* A flag: absent → false; "", "1", "true" → true; "0", "false" → false; else ERR_INVALID. */
int uri_bool(const struct uri *u, const char *key, bool *ret, struct err *err);
/* Absent → *ret untouched. ERR_INVALID "limit must be a whole number 1..100, got '0'". */
int uri_int(const struct uri *u, const char *key, int64_t min, int64_t max, int64_t *ret, struct err *err);
int uri_real(const struct uri *u, const char *key, double min, double max, double *ret, struct err *err);
/* order=asc or desc: ascending? Absent → *ret untouched. */
int uri_order(const struct uri *u, bool *ret_ascending, struct err *err);
/* Every key is one of the blank-separated words of `allowed` (or "pretty") and none comes twice. "*": whatever there is. */
int uri_only(const struct uri *u, const char *allowed, struct err *err);

#endif
