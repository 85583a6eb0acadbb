/* font.h: a 5x7 face of our own for the labels of pictures: printable ASCII, one byte a row of dots.
 *
 * The tails of "g", "j", "p", "q", "y" and of "," reach two rows below the seven.
 */
#ifndef LATENTD_CORE_DATA_FONT_H
#define LATENTD_CORE_DATA_FONT_H

#include <stdint.h>

enum { FONT_FIRST = ' ', FONT_LAST = '~', FONT_W = 5, FONT_H = 9, FONT_ADVANCE = 6 };

/* FONT_H rows from the top; bit 4 is the leftmost dot. Any char: what is not printable ASCII gives '?'. */
const uint8_t *font_glyph(char ch);

#endif
