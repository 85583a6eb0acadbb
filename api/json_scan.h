/* json_scan.h: is this text JSON, to the letter? Says where it is not.
 *
 * Why: cJSON forgives too much (01, 1., raw control characters, broken UTF-8, 1e400, \u0000, trailing text), so nothing
 * reaches it that this scanner has not read first.
 * Invariants: RFC 8259 grammar, well-formed UTF-8 (escaped surrogates come in pairs), depth ≤ JSON_DEPTH_MAX, finite
 * numbers. \u0000 is refused: texts here are C strings.
 */
#ifndef LATENTD_API_JSON_SCAN_H
#define LATENTD_API_JSON_SCAN_H

#include "core/base/err.h"

#include <stddef.h>

/* ERR_SYNTAX "line 1, column 17: …" (columns count characters). text[size] must be a NUL. */
int json_scan(const char *text, size_t size, struct err *err);

#endif
