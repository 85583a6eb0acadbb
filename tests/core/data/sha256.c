#include "core/data/sha256.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

/* FIPS 180-2, appendix B, and the empty message. */
static const struct {
	const char *text, *hex;
} vectors[] = {
	{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

static void test_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
		char text[SHA256_HEX];
		sha256_text(vectors[i].text, strlen(vectors[i].text), text);
		assert_string_equal(text, vectors[i].hex);
	}
}

static void test_in_pieces(void **state)
{
	(void)state;
	const char *text = vectors[2].text;
	struct sha256 h;
	uint8_t digest[SHA256_BYTES];
	char hex[SHA256_HEX];
	sha256_init(&h);
	for (size_t i = 0; i < strlen(text); i++)
		sha256_update(&h, text + i, 1);
	sha256_digest(&h, digest);
	sha256_hex(digest, hex);
	assert_string_equal(hex, vectors[2].hex);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_in_pieces),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
