#include "server/log.h"

#include "core/base/buf.h"
#include "server/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const names[LOG_LEVEL_COUNT] = {
#define X(level, name, priority) [level] = name,
	LOG_LEVELS(X)
#undef X
};
static const int priorities[LOG_LEVEL_COUNT] = {
#define X(level, name, priority) [level] = priority,
	LOG_LEVELS(X)
#undef X
};

static enum log_level least_level = LOG_LEVEL_INFO;
static bool as_json;
static bool in_journal;

const char *log_level_name(enum log_level level)
{
	return names[level];
}

bool log_level_parse(const char *name, enum log_level *ret)
{
	for (int i = 0; i < LOG_LEVEL_COUNT; i++)
		if (!strcmp(names[i], name)) {
			*ret = (enum log_level)i;
			return true;
		}
	return false;
}

void log_setup(enum log_level least, bool json)
{
	least_level = least;
	as_json = json;
	in_journal = getenv("JOURNAL_STREAM") != NULL;
}

static void append_quoted(struct buf *b, const char *value, size_t size)
{
	buf_str(b, "\"");
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)value[i];
		if (c == '"' || c == '\\')
			buf_printf(b, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			buf_printf(b, "\\u%04x", c);
		else
			buf_append(b, &c, 1);
	}
	buf_str(b, "\"");
}

const char *log_quote(const char *value)
{
	static _Thread_local char texts[4][640];
	static _Thread_local unsigned next;
	char *text = texts[next++ % 4];
	struct buf b = BUF_INIT;
	append_quoted(&b, value, strlen(value));
	snprintf(text, sizeof texts[0], "%s", b.failed || b.len >= sizeof texts[0] ? "\"…\"" : b.data);
	buf_free(&b);
	return text;
}

/* key=value key="quoted value" … → ,"key":"value" … (values stay strings: a collector knows its types) */
static void append_json_fields(struct buf *b, const char *fields)
{
	while (*(fields += strspn(fields, " "))) {
		size_t key = strcspn(fields, "= ");
		buf_str(b, ",");
		append_quoted(b, fields, key);
		buf_str(b, ":");
		fields += key + (fields[key] == '=');
		size_t size = 0;
		if (*fields == '"') {
			size = 1;
			while (fields[size] && fields[size] != '"')
				size += fields[size] == '\\' && fields[size + 1] ? 2 : 1;
			size += fields[size] == '"';
			buf_append(b, fields, size);
		} else {
			size = strcspn(fields, " ");
			append_quoted(b, fields, size);
		}
		fields += size;
	}
}

static void append_time(struct buf *b)
{
	int64_t now = clock_wall_ms();
	time_t seconds = (time_t)(now / 1000);
	struct tm utc;
	char text[32];
	gmtime_r(&seconds, &utc);
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
	buf_printf(b, "%s.%03dZ", text, (int)(now % 1000));
}

void log_line(enum log_level level, const char *message, const char *fields, ...)
{
	if (level < least_level)
		return;
	char text[1600];
	va_list args;
	va_start(args, fields);
	vsnprintf(text, sizeof text, fields, args);
	va_end(args);
	struct buf b = BUF_INIT;
	if (in_journal)
		buf_printf(&b, "<%d>", priorities[level]);
	buf_str(&b, as_json ? "{\"time\":\"" : "time=");
	append_time(&b);
	buf_printf(&b, as_json ? "\",\"level\":\"%s\",\"msg\":" : " level=%s msg=", names[level]);
	append_quoted(&b, message, strlen(message));
	if (as_json)
		append_json_fields(&b, text);
	else
		buf_printf(&b, "%s%s", *text ? " " : "", text);
	buf_str(&b, as_json ? "}\n" : "\n");
	if (!b.failed) {
		ssize_t ignored = write(STDERR_FILENO, b.data, b.len);
		(void)ignored; /* nobody left to tell */
	}
	buf_free(&b);
}
