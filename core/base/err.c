#include "core/base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const slugs[ERR_COUNT] = {
	[OK] = "ok",
#define X(code, slug) [code] = slug,
	ERR_CODES(X)
#undef X
};

static int set(struct err *err, int code, const char *pointer, const char *format, va_list args)
	__attribute__((format(printf, 4, 0)));

static int set(struct err *err, int code, const char *pointer, const char *format, va_list args)
{
	if (err) {
		err->code = code;
		snprintf(err->pointer, sizeof err->pointer, "%s", pointer);
		vsnprintf(err->message, sizeof err->message, format, args);
	}
	return code;
}

int err_set(struct err *err, int code, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	set(err, code, "", format, args);
	va_end(args);
	return code;
}

int err_field(struct err *err, int code, const char *pointer, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	set(err, code, pointer, format, args);
	va_end(args);
	return code;
}

int err_add(struct err *err, struct err_more *more, int code, const struct err *one)
{
	if (!code && err)
		*err = *one;
	else if (code && more && more->n < ERR_MORE_MAX)
		more->item[more->n++] = *one;
	return code ? code : one->code;
}

int err_wrap(struct err *err, const char *format, ...)
{
	if (!err)
		return ERR_INTERNAL;
	char inner[sizeof err->message], outer[sizeof err->message];
	memcpy(inner, err->message, sizeof inner);
	va_list args;
	va_start(args, format);
	vsnprintf(outer, sizeof outer, format, args);
	va_end(args);
	/* a context as long as the message itself leaves no room for the cause: the cause is what helps */
	snprintf(err->message, sizeof err->message, "%.200s: %.270s", outer, inner);
	return err->code;
}

int err_errno(struct err *err, int error_number, const char *format, ...)
{
	int code = error_number == ENOSPC || error_number == EDQUOT ? ERR_NO_SPACE
			   : error_number == ENOMEM						? ERR_NO_MEMORY
			   : error_number == ENOENT						? ERR_NOT_FOUND
															: ERR_IO;
	char context[300], reason[120];
	va_list args;
	va_start(args, format);
	vsnprintf(context, sizeof context, format, args);
	va_end(args);
	/* glibc's GNU strerror_r returns the text, which need not be in the buffer */
	return err_set(err, code, "%s: %s", context, strerror_r(error_number, reason, sizeof reason));
}

const char *err_slug(int code)
{
	return code >= 0 && code < ERR_COUNT ? slugs[code] : slugs[ERR_INTERNAL];
}
