#include "core/data/font.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

/* Every glyph is there, differs from all others and stays within its five dots; only tails go below the seventh row. */
static void test_all_glyphs(void **state)
{
	(void)state;
	for (int a = FONT_FIRST; a <= FONT_LAST; a++) {
		const uint8_t *glyph = font_glyph((char)a);
		int dots = 0;
		for (int row = 0; row < FONT_H; row++) {
			assert_true(glyph[row] < 1 << FONT_W);
			dots += __builtin_popcount(glyph[row]);
			if (row >= 7 && glyph[row])
				assert_non_null(strchr("gjpqy,;", a));
		}
		assert_true(a == ' ' ? dots == 0 : dots >= 3);
		for (int b = FONT_FIRST; b < a; b++)
			assert_memory_not_equal(glyph, font_glyph((char)b), FONT_H);
	}
}

static void test_not_ascii(void **state)
{
	(void)state;
	assert_ptr_equal(font_glyph('\n'), font_glyph('?'));
	assert_ptr_equal(font_glyph('\x7f'), font_glyph('?'));
	assert_ptr_equal(font_glyph((char)0xe9), font_glyph('?'));
}

static void test_a_letter(void **state)
{
	(void)state;
	static const uint8_t f[FONT_H] = {0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x10};
	assert_memory_equal(font_glyph('F'), f, FONT_H);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_glyphs),
		cmocka_unit_test(test_not_ascii),
		cmocka_unit_test(test_a_letter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
