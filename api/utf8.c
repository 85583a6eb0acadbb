#include "api/utf8.h"

#include <stdbool.h>
#include <string.h>

/* Unicode 15, table 3-7: lead bytes, how long, and which second byte each allows. */
static const struct lead {
	unsigned char first, last, length, second_min, second_max;
} leads[] = {
	{0x00, 0x7f, 1, 0, 0},
	{0xc2, 0xdf, 2, 0x80, 0xbf},
	{0xe0, 0xe0, 3, 0xa0, 0xbf},
	{0xe1, 0xec, 3, 0x80, 0xbf},
	{0xed, 0xed, 3, 0x80, 0x9f},
	{0xee, 0xef, 3, 0x80, 0xbf},
	{0xf0, 0xf0, 4, 0x90, 0xbf},
	{0xf1, 0xf3, 4, 0x80, 0xbf},
	{0xf4, 0xf4, 4, 0x80, 0x8f},
};

static bool follows(const struct lead *l, const unsigned char *byte)
{
	if (l->length > 1 && (byte[1] < l->second_min || byte[1] > l->second_max))
		return false;
	for (int i = 2; i < l->length; i++)
		if ((byte[i] & 0xc0) != 0x80)
			return false;
	return true;
}

size_t utf8_length(const char *text, size_t left)
{
	const unsigned char *byte = (const unsigned char *)text;
	if (!left)
		return 0;
	for (size_t i = 0; i < sizeof leads / sizeof *leads; i++) {
		const struct lead *l = &leads[i];
		if (byte[0] >= l->first && byte[0] <= l->last)
			return l->length <= left && follows(l, byte) ? l->length : 0;
	}
	return 0;
}

void utf8_show(char *ret, size_t size, const char *text)
{
	size_t used = strlen(ret), left = strlen(text);
	while (left) {
		size_t length = utf8_length(text, left);
		if (!length || used + length >= size)
			break;
		bool control = length == 1 && ((unsigned char)*text < 0x20 || *text == 0x7f);
		memcpy(ret + used, control ? "?" : text, length);
		used += length;
		text += length;
		left -= length;
	}
	ret[used] = '\0';
}
