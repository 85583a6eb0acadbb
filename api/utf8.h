/* utf8.h: is this UTF-8? The one copy of the rule: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef LATENTD_API_UTF8_H
#define LATENTD_API_UTF8_H

#include <stddef.h>

/* Bytes of the character that starts at text[0], looking at no more than `left` bytes; 0 if it is not well-formed. */
size_t utf8_length(const char *text, size_t left);
/* Appends to `ret` (size bytes, always terminated) as much of `text` as fits, for a message of one line: control
 * characters become '?', a character that does not fit or is broken ends it. */
void utf8_show(char *ret, size_t size, const char *text);

#endif
