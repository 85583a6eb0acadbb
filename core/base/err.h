/* err.h: how a fallible call says what went wrong.
 *
 * Why: one value travels from the deepest reader to the HTTP reply and the log line without translation.
 * Use: a fallible call returns int (OK == 0, else an enum err_code) and takes `struct err *err` last; outputs are
 * untouched on failure. `err` may be NULL when the caller needs only the code.
 * Invariants: the message is one line without a final full stop; `pointer` is a JSON pointer ("#/params/lr") or "".
 * Not here: HTTP statuses (api/problem.h).
 */
#ifndef LATENTD_CORE_BASE_ERR_H
#define LATENTD_CORE_BASE_ERR_H

/* code, stable slug (public: problem+json `code`, log field) */
#define ERR_CODES(X) \
	X(ERR_SYNTAX, "syntax_error")             /* bytes that are not what they claim to be: JSON, PNG, npy */ \
	X(ERR_INVALID, "invalid_field")           /* well-formed but not acceptable; pointer names the field */ \
	X(ERR_NOT_FOUND, "not_found")             \
	X(ERR_CONFLICT, "conflict")               /* illegal transition, wrong state */ \
	X(ERR_UNSUPPORTED, "not_supported_by_kind") \
	X(ERR_NO_JUDGE, "no_judge")              /* the evaluator does not know this data set */ \
	X(ERR_ACCEPT, "not_acceptable")           /* format asked for does not exist here */ \
	X(ERR_MEDIA, "unsupported_media_type")    \
	X(ERR_TOO_LARGE, "too_large")             \
	X(ERR_FULL, "queue_full")                 \
	X(ERR_UNAVAILABLE, "unavailable")         /* starting or draining */ \
	X(ERR_DENIED, "forbidden")                \
	X(ERR_IO, "io_error")                     \
	X(ERR_NO_SPACE, "no_space")               \
	X(ERR_NO_MEMORY, "out_of_memory")         \
	X(ERR_CORRUPT, "corrupt_data")            /* checksum or structure of a file of ours is wrong */ \
	X(ERR_DATASET, "dataset_unavailable")     /* data set missing or unreadable */ \
	X(ERR_DATASET_CHANGED, "dataset_changed") /* content differs from the checkpoint's */ \
	X(ERR_DIVERGED, "diverged")               /* NaN or Inf in training */ \
	X(ERR_IN_USE, "in_use")                   /* data directory locked, address taken */ \
	X(ERR_KEY_REUSED, "idempotency_key_reused") /* one key, two different requests */ \
	X(ERR_INTERNAL, "internal_error")

enum err_code {
	OK = 0,
#define X(code, slug) code,
	ERR_CODES(X)
#undef X
	ERR_COUNT
};

struct err {
	int code;
	char pointer[160]; /* JSON pointer of the offending field, or "" */
	char message[480];
};

/* Room for further fields at fault, beside the first; begins as {0}. */
enum { ERR_MORE_MAX = 8 };
struct err_more {
	int n;
	struct err item[ERR_MORE_MAX];
};

/* Sets code and message; returns `code`, so that `return err_set(err, ERR_IO, "…")` reads well. */
int err_set(struct err *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* As err_set, with the JSON pointer of the field at fault. */
int err_field(struct err *err, int code, const char *pointer, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* For a reader that looks at every field: `one`, which is set, becomes *err if nothing was wrong before (code OK), else one of
 * *more while there is room. Either may be NULL. Returns the code of the first. */
int err_add(struct err *err, struct err_more *more, int code, const struct err *one);

/* Puts "context: " before the message that is there ("while loading x: no such file"); returns err's code. */
int err_wrap(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Sets code from errno value `error_number` (ENOSPC → ERR_NO_SPACE, ENOMEM → ERR_NO_MEMORY, ENOENT → ERR_NOT_FOUND,
 * else ERR_IO); message "context: strerror". */
int err_errno(struct err *err, int error_number, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The stable slug of a code; "ok" for OK, "internal_error" for anything unknown. */
const char *err_slug(int code);

#endif
