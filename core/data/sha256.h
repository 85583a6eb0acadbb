/* sha256.h: the nettle door: SHA-256 of data sets, checkpoints and replies (ETag). */
#ifndef LATENTD_CORE_DATA_SHA256_H
#define LATENTD_CORE_DATA_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_BYTES = 32, SHA256_HEX = 65 };

struct sha256 {
	uint64_t opaque[16]; /* holds nettle's context (checked in sha256.c) */
};

void sha256_init(struct sha256 *h);
void sha256_update(struct sha256 *h, const void *bytes, size_t size);
void sha256_digest(struct sha256 *h, uint8_t digest[SHA256_BYTES]);
void sha256_hex(const uint8_t digest[SHA256_BYTES], char text[SHA256_HEX]);
/* All of it at once, as hex. */
void sha256_text(const void *bytes, size_t size, char text[SHA256_HEX]);

#endif
