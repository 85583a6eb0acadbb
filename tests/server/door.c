#include "server/door.h"

#include <stdio.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- Host --- */

static const struct {
	const char *host;
	int status; /* with listen 192.168.7.5 and allowed "gpu1.lab, gpu2.lab:8080 ,[fd00::7]" */
} hosts[] = {
	{"localhost", 0},
	{"LocalHost", 0},
	{"localhost:7117", 0},
	{"localhost:1", 0},
	{"localhost:65535", 0},
	{"127.0.0.1", 0},
	{"127.0.0.1:80", 0},
	{"127.255.3.9:80", 0},
	{"[::1]", 0},
	{"[::1]:7117", 0},
	{"[0:0:0:0:0:0:0:1]", 0},
	{"192.168.7.5", 0},
	{"192.168.7.5:9", 0},
	{"gpu1.lab", 0},
	{"GPU1.LAB", 0},
	{"gpu1.lab:443", 0},
	{"gpu2.lab:8080", 0},
	{"[fd00::7]:1", 0},
	{"gpu2.lab", 421},
	{"gpu2.lab:80", 421},
	{"gpu3.lab", 421},
	{"xgpu1.lab", 421},
	{"gpu1.lab.evil.example", 421},
	{"gpu1.lab.", 421},
	{"evil.example", 421},
	{"localhost.evil.example", 421},
	{"localhost.", 421},
	{"notlocalhost", 421},
	{"127.0.0.1.nip.io", 421},
	{"128.0.0.1", 421},
	{"0.0.0.0", 421},
	{"127.1", 421},
	{"127.0.0.256", 421},
	{"2130706433", 421},
	{"0x7f.0.0.1", 421},
	{"0177.0.0.1", 421},
	{"[::]", 421},
	{"[::ffff:127.0.0.1]", 421},
	{"[fe80::1]", 421},
	{"192.168.7.50", 421},
	{"", 400},
	{":80", 400},
	{"localhost:", 400},
	{"localhost:0x50", 400},
	{"localhost:65536", 400},
	{"localhost:123456", 400},
	{"localhost:-1", 400},
	{"localhost:80:80", 400},
	{"localhost :80", 400},
	{" localhost", 400},
	{"localhost,evil.example", 400},
	{"localhost/", 400},
	{"localhost#", 400},
	{"localhost@evil.example", 400},
	{"user@localhost", 400},
	{"user:pw@localhost", 400},
	{"local\thost", 400},
	{"b\xc3\xbc.example", 400},
	{"[::1", 400},
	{"::1", 400},
	{"[::1]x", 400},
	{"[::1]:", 400},
	{"[]", 400},
	{"[::1%lo]", 400},
	{"[127.0.0.1]", 400},
	{"%6c%6f%63%61%6chost", 400},
};

static void judges_hosts(void **state)
{
	(void)state;
	const struct door d = {.listen_host = "192.168.7.5", .allowed_hosts = "gpu1.lab, gpu2.lab:8080 ,[fd00::7]"};
	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
		struct err err = {0};
		int status = door_host(&d, hosts[i].host, &err);
		if (status != hosts[i].status || (status && !*err.message))
			fail_msg("Host '%s': %d, wanted %d", hosts[i].host, status, hosts[i].status);
	}
	assert_int_equal(door_host(&d, NULL, NULL), 400);
}

static void names_the_remedy(void **state)
{
	(void)state;
	const struct door d = {.listen_host = "", .allowed_hosts = ""};
	struct err err = {0};
	assert_int_equal(door_host(&d, "gpu1.lab:80", &err), 421);
	assert_string_equal(err.message, "Host 'gpu1.lab' is not allowed; start with --allowed-hosts gpu1.lab");
}

static void a_long_host_is_none(void **state)
{
	(void)state;
	char host[600];
	const struct door d = {.listen_host = "", .allowed_hosts = ""};
	memset(host, 'a', sizeof host - 1);
	host[sizeof host - 1] = '\0';
	assert_int_equal(door_host(&d, host, NULL), 400);
}

/* --- Origin and Sec-Fetch-Site --- */

static const struct {
	const char *host, *origin, *site;
	int status;
} origins[] = {
	{"localhost:7117", NULL, NULL, 0},
	{"localhost:7117", NULL, "same-origin", 0},
	{"localhost:7117", NULL, "none", 0},
	{"localhost:7117", "http://localhost:7117", "same-origin", 0},
	{"LOCALHOST:7117", "http://localhost:7117", NULL, 0},
	{"localhost", "http://localhost", NULL, 0},
	{"localhost", "http://localhost:80", NULL, 0},
	{"localhost:80", "http://localhost", NULL, 0},
	{"localhost:443", "https://localhost", NULL, 0},
	{"gpu1.lab", "https://gpu1.lab", NULL, 0}, /* behind a proxy that ends TLS */
	{"[::1]:7117", "http://[::1]:7117", NULL, 0},
	{"localhost:7117", NULL, "cross-site", 403},
	{"localhost:7117", "http://localhost:7117", "cross-site", 403},
	{"localhost:7117", "http://localhost:7117", "Cross-Site", 403},
	{"localhost:7117", "http://localhost:7118", NULL, 403},
	{"localhost:7117", "http://localhost", "same-site", 403},
	{"localhost", "http://localhost:7117", NULL, 403},
	{"localhost:7117", "http://127.0.0.1:7117", NULL, 403},
	{"localhost:7117", "http://evil.example", NULL, 403},
	{"localhost:7117", "http://localhost:7117.evil.example", NULL, 403},
	{"localhost:7117", "http://localhost:7117/", NULL, 403},
	{"localhost:7117", "http://localhost:7117@evil.example", NULL, 403},
	{"localhost:7117", "null", NULL, 403},
	{"localhost:7117", "", NULL, 403},
	{"localhost:7117", "file://", NULL, 403},
	{"localhost:7117", "localhost:7117", NULL, 403},
	{"localhost:7117", "chrome-extension://abc", NULL, 403},
	{"gpu1.lab", "https://gpu1.lab:8443", NULL, 403},
};

static void judges_origins(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof origins / sizeof *origins; i++) {
		int status = door_origin(origins[i].host, origins[i].origin, origins[i].site, NULL);
		if (status != origins[i].status)
			fail_msg("Host %s, Origin %s: %d", origins[i].host, origins[i].origin ? origins[i].origin : "-", status);
	}
}

/* --- framing --- */

static const struct {
	struct door_framing f;
	int status;
} framings[] = {
	{{1, 0, 0, 0, NULL, NULL, true}, 0},
	{{1, 1, 0, 0, "0", NULL, true}, 0},
	{{1, 1, 0, 0, "12", NULL, false}, 0},
	{{1, 0, 1, 0, NULL, "chunked", true}, 0},
	{{1, 0, 1, 0, NULL, "Chunked", true}, 0},
	{{0, 0, 0, 0, NULL, NULL, true}, 400},
	{{2, 0, 0, 0, NULL, NULL, true}, 400},
	{{1, 2, 0, 0, "1", NULL, true}, 400},
	{{1, 1, 1, 0, "1", "chunked", true}, 400},
	{{1, 0, 1, 0, NULL, "chunked", false}, 400},
	{{1, 0, 2, 0, NULL, "chunked", true}, 501},
	{{1, 0, 1, 0, NULL, "gzip", true}, 501},
	{{1, 0, 1, 0, NULL, "gzip, chunked", true}, 501},
	{{1, 0, 1, 0, NULL, "xchunked", true}, 501},
	{{1, 1, 0, 0, "", NULL, true}, 400},
	{{1, 1, 0, 0, "1x", NULL, true}, 400},
	{{1, 1, 0, 0, "-1", NULL, true}, 400},
	{{1, 0, 0, 1, NULL, NULL, true}, 400},
};

static void judges_framing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof framings / sizeof *framings; i++)
		if (door_framing(&framings[i].f, NULL) != framings[i].status)
			fail_msg("framing %zu: wanted %d", i, framings[i].status);
}

/* --- token --- */

static void judges_tokens(void **state)
{
	(void)state;
	const struct door open_door = {.token = ""}, d = {.token = "s3cret-token"};
	static const char *const wrong[] = {"", "s3cret-token", "Bearer", "Bearer ", "Bearer s3cret-toke", "Bearer s3cret-token2",
		"Bearer s3cret-tokeN", "Basic s3cret-token", "Bearer x s3cret-token", "Bearer s3cret-token "};
	assert_int_equal(door_token(&open_door, NULL, NULL), 0);
	assert_int_equal(door_token(&d, "Bearer s3cret-token", NULL), 0);
	assert_int_equal(door_token(&d, "bearer  s3cret-token", NULL), 0);
	assert_int_equal(door_token(&d, NULL, NULL), 401);
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		if (door_token(&d, wrong[i], NULL) != 401)
			fail_msg("'%s' was let in", wrong[i]);
}

static int read_token(const char *content, struct door *d)
{
	char path[] = "/tmp/latentd-token-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0 && write(fd, content, strlen(content)) == (ssize_t)strlen(content));
	close(fd);
	int code = door_read_token(d, path, NULL);
	unlink(path);
	return code;
}

static void reads_token_files(void **state)
{
	(void)state;
	struct door d = {.token = ""};
	char text[600];
	assert_int_equal(read_token("abc\nsecond line\n", &d), OK);
	assert_string_equal(d.token, "abc");
	assert_int_equal(read_token("xyz\r\n", &d), OK);
	assert_string_equal(d.token, "xyz");
	assert_int_equal(read_token("", &d), ERR_INVALID);
	assert_int_equal(read_token("\nabc\n", &d), ERR_INVALID);
	assert_int_equal(read_token("a b\n", &d), ERR_INVALID);
	assert_int_equal(read_token("b\xc3\xbc\n", &d), ERR_INVALID);
	memset(text, 'x', sizeof text);
	text[DOOR_TOKEN_MAX] = '\0';
	assert_int_equal(read_token(text, &d), OK);
	text[DOOR_TOKEN_MAX] = 'x';
	text[DOOR_TOKEN_MAX + 1] = '\0';
	assert_int_equal(read_token(text, &d), ERR_INVALID);
	assert_int_equal(door_read_token(&d, "/nonexistent/token", NULL), ERR_NOT_FOUND);
}

/* --- size and type --- */

static const struct {
	const char *type;
	int json_route, binary_route;
} content_types[] = {
	{"application/json", 0, 0},
	{"Application/JSON", 0, 0},
	{"application/json; charset=utf-8", 0, 0},
	{"application/json;charset=\"UTF-8\"", 0, 0},
	{"application/json ; q=1", 0, 0},
	{"application/json; charset=latin1", 415, 415},
	{"application/json; charset=utf-80", 415, 415},
	{"application/jsonx", 415, 415},
	{"application/x-www-form-urlencoded", 415, 415},
	{"multipart/form-data; boundary=x", 415, 415},
	{"text/plain", 415, 415},
	{"text/plain; application/json", 415, 415},
	{"", 415, 415},
	{NULL, 415, 415},
	{"image/png", 415, 0},
	{"application/x-npy", 415, 0},
	{"application/octet-stream", 415, 0},
	{"image/jpeg", 415, 415},
};

static void judges_bodies(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof content_types / sizeof *content_types; i++) {
		const char *type = content_types[i].type;
		if (door_content_type(type, DOOR_JSON, NULL) != content_types[i].json_route ||
			door_content_type(type, DOOR_PIXELS, NULL) != content_types[i].binary_route)
			fail_msg("content type '%s'", type ? type : "(none)");
	}
	assert_int_equal(door_size(DOOR_JSON_BYTES, DOOR_JSON_BYTES, NULL), 0);
	assert_int_equal(door_size(DOOR_JSON_BYTES + 1, DOOR_JSON_BYTES, NULL), 413);
	assert_int_equal(door_size(UINT64_MAX, DOOR_BINARY_BYTES, NULL), 413);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_hosts),
		cmocka_unit_test(names_the_remedy),
		cmocka_unit_test(a_long_host_is_none),
		cmocka_unit_test(judges_origins),
		cmocka_unit_test(judges_framing),
		cmocka_unit_test(judges_tokens),
		cmocka_unit_test(reads_token_files),
		cmocka_unit_test(judges_bodies),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
