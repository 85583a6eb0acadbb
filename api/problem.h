/* problem.h: the table err code → HTTP status, and the RFC 9457 body. The only place that knows both. */
#ifndef LATENTD_API_PROBLEM_H
#define LATENTD_API_PROBLEM_H

#include "core/base/buf.h"
#include "core/base/err.h"

int problem_status(int code);
/* Title of an HTTP status ("Unprocessable Content"). */
const char *problem_title(int status);
/* The stable slug of a reply: the error's own, or the status's where the door chose one that no error code means (405
 * "method_not_allowed", 421 "misdirected_request", …). */
const char *problem_slug(int status, int code);
/* application/problem+json: type, title, status, detail, instance, code, request_id and, when err->pointer is set,
 * errors:[{pointer, detail}] with those of more (NULL: none); detail then names the field too ("params.lr: must be 0..10, got 11").
 * extra: raw JSON members to add (",\"current\":\"running\"") or NULL. */
void problem_write(struct buf *b, int status, const struct err *err, const struct err_more *more, const char *instance,
	const char *request_id, const char *extra);

#endif
