#include "core/data/sha256.h"

#include <nettle/sha2.h>

/* Nettle claims the plain names by macro; here they are ours. */
#undef sha256_init
#undef sha256_update
#undef sha256_digest

_Static_assert(sizeof(struct sha256_ctx) <= sizeof(struct sha256), "nettle's context outgrew its place");
_Static_assert(_Alignof(struct sha256_ctx) <= _Alignof(struct sha256), "nettle's context is misaligned");

static struct sha256_ctx *context(struct sha256 *h)
{
	return (struct sha256_ctx *)h->opaque;
}

void sha256_init(struct sha256 *h)
{
	nettle_sha256_init(context(h));
}

void sha256_update(struct sha256 *h, const void *bytes, size_t size)
{
	nettle_sha256_update(context(h), size, bytes);
}

void sha256_digest(struct sha256 *h, uint8_t digest[SHA256_BYTES])
{
	nettle_sha256_digest(context(h), SHA256_BYTES, digest);
}

void sha256_hex(const uint8_t digest[SHA256_BYTES], char text[SHA256_HEX])
{
	static const char digits[] = "0123456789abcdef";
	for (int i = 0; i < SHA256_BYTES; i++) {
		text[2 * i] = digits[digest[i] >> 4];
		text[2 * i + 1] = digits[digest[i] & 15];
	}
	text[2 * SHA256_BYTES] = '\0';
}

void sha256_text(const void *bytes, size_t size, char text[SHA256_HEX])
{
	struct sha256 h;
	uint8_t digest[SHA256_BYTES];
	sha256_init(&h);
	sha256_update(&h, bytes, size);
	sha256_digest(&h, digest);
	sha256_hex(digest, text);
}
