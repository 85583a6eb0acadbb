/* json.h: the cJSON door: a strict reader whose errors name the field, and a writer that streams into a buf.
 *
 * Reader (json.c, json_scan.c): RFC 8259 to the letter: UTF-8 only, no duplicate keys, depth ≤ JSON_DEPTH_MAX, finite
 * numbers, nothing after the value, no leading zeros, no raw control characters; keys compare case-sensitively.
 * Writer (jsonw.c): commas and escapes are its business; floats as %.9g, a non-finite number as null; `<`, `>`, `&` are
 * escaped, and bytes that are not UTF-8 become U+FFFD: what comes out is JSON whatever went in.
 * Owner: json_free frees a whole tree; nodes inside it are borrowed.
 */
#ifndef LATENTD_API_JSON_H
#define LATENTD_API_JSON_H

#include "core/base/buf.h"
#include "core/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JSON_DEPTH_MAX = 32 };

struct json; /* a node; the root of a parsed text or inside one */

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

/* ERR_SYNTAX "line 1, column 17: …", or "duplicate field 'kind'" with its pointer. */
int json_parse(struct json **ret, const char *text, size_t size, struct err *err);
void json_free(struct json *root);

enum json_type json_type(const struct json *node);
const char *json_type_name(enum json_type type); /* "a string" */
const struct json *json_get(const struct json *object, const char *key); /* NULL if absent */
const struct json *json_first(const struct json *container);             /* first child, or NULL */
const struct json *json_next(const struct json *node);                   /* next sibling, or NULL */
const char *json_key(const struct json *member);
size_t json_count(const struct json *container);
double json_number(const struct json *node);
const char *json_string(const struct json *node);
bool json_bool(const struct json *node);

/* Typed access with errors that name the field; pointer is the field's own ("#/seed"). Absent → *ret untouched, OK. */
int json_take_int(const struct json *object, const char *key, const char *pointer, int64_t min, int64_t max,
	int64_t *ret, struct err *err);
int json_take_real(const struct json *object, const char *key, const char *pointer, double min, double max, double *ret,
	struct err *err);
/* Borrowed string of 1..max_characters without control characters. */
int json_take_string(const struct json *object, const char *key, const char *pointer, size_t max_characters,
	const char **ret, struct err *err);
int json_take_bool(const struct json *object, const char *key, const char *pointer, bool *ret, struct err *err);
/* ERR_INVALID at `pointer`: "must be <wanted>, got "8" (a string)". */
int json_fail_type(const struct json *got, const char *pointer, const char *wanted, struct err *err);
/* ERR_INVALID "unknown field; did you mean 'latent_dim'?" for the keys of `object` that are not in allowed[] (ends NULL): the
 * first in err, others in *more (NULL: the first is enough). */
int json_only(const struct json *object, const char *const *allowed, const char *pointer_prefix, struct err *err,
	struct err_more *more);
/* Compact text of a node, appended; numbers keep every digit a double has. */
void json_print(struct buf *b, const struct json *node);
/* Appends one step to a JSON pointer ("#/params" → "#/params/latent_dim"), escaped; cut where it does not fit. */
void json_pointer_add(char *pointer, size_t size, const char *key);

struct jsonw {
	struct buf *b;
	bool pretty;
	int depth;
	/* no member written yet at this depth; a stored text may be nested in a list's entry */
	bool first[JSON_DEPTH_MAX + 8];
	bool after_key;
};

/* Appends to b; a document ends with jw_end_document (newline). */
void jw_init(struct jsonw *w, struct buf *b, bool pretty);
void jw_object(struct jsonw *w);
void jw_end_object(struct jsonw *w);
void jw_array(struct jsonw *w);
void jw_end_array(struct jsonw *w);
void jw_key(struct jsonw *w, const char *key);
void jw_string(struct jsonw *w, const char *value); /* NULL → null */
void jw_int(struct jsonw *w, int64_t value);
void jw_real(struct jsonw *w, double value);
void jw_number(struct jsonw *w, double value); /* with as many digits as it takes to read the same double again */
void jw_bool(struct jsonw *w, bool value);
void jw_null(struct jsonw *w);
/* JSON text made elsewhere (stored params): inserted as it is, or indented when pretty. NULL → null. */
void jw_raw(struct jsonw *w, const char *json);
void jw_node(struct jsonw *w, const struct json *node);
void jw_reals(struct jsonw *w, const float *values, size_t n); /* [..], fast */
void jw_end_document(struct jsonw *w);
/* key + value at once */
void jw_kstring(struct jsonw *w, const char *key, const char *value);
/* What was printed into a buf of its own, as a string; its failure becomes the document's. */
void jw_kbuf(struct jsonw *w, const char *key, const struct buf *text);
void jw_kint(struct jsonw *w, const char *key, int64_t value);
void jw_kreal(struct jsonw *w, const char *key, double value);
void jw_kbool(struct jsonw *w, const char *key, bool value);
void jw_kreals(struct jsonw *w, const char *key, const double *values, size_t n);

#endif
