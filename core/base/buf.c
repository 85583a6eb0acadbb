#include "core/base/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_free(struct buf *b)
{
	free(b->data);
	*b = BUF_INIT;
}

char *buf_reserve(struct buf *b, size_t extra)
{
	if (b->failed)
		return NULL;
	if (extra >= SIZE_MAX / 2 - b->len) {
		b->failed = true;
		return NULL;
	}
	size_t need = b->len + extra + 1; /* +1: the NUL after the end */
	if (need > b->cap) {
		size_t cap = b->cap ? b->cap : 256;
		while (cap < need)
			cap += cap / 2;
		char *data = realloc(b->data, cap);
		if (!data) {
			b->failed = true;
			return NULL;
		}
		b->data = data;
		b->cap = cap;
	}
	return b->data + b->len;
}

void buf_append(struct buf *b, const void *bytes, size_t size)
{
	char *end = buf_reserve(b, size);
	if (!end)
		return;
	if (size)
		memcpy(end, bytes, size);
	b->len += size;
	b->data[b->len] = '\0';
}

void buf_str(struct buf *b, const char *text)
{
	buf_append(b, text, strlen(text));
}

void buf_printf(struct buf *b, const char *format, ...)
{
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	char *end = length < 0 ? NULL : buf_reserve(b, (size_t)length);
	if (end) {
		vsnprintf(end, (size_t)length + 1, format, again);
		b->len += (size_t)length;
	} else {
		b->failed = true;
	}
	va_end(again);
}

char *buf_take(struct buf *b, size_t *ret_size)
{
	char *data = NULL;
	if (!b->failed && buf_reserve(b, 0)) {
		data = b->data;
		data[b->len] = '\0';
		if (ret_size)
			*ret_size = b->len;
	} else {
		free(b->data);
	}
	*b = BUF_INIT;
	return data;
}
