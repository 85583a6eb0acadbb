/* log.h: one structured line per thing worth telling, on stderr: logfmt for people, JSON for collectors.
 *
 * Use: log_info("job started", "job=%s kind=%s", id, kind): a fixed message, then key=value fields in logfmt; values with
 * blanks or quotes go through log_quote. Under systemd (JOURNAL_STREAM) each line bears its <priority>.
 * Invariant: a line is one write(2), so lines of several threads never mix. Secrets are never given to it.
 */
#ifndef LATENTD_SERVER_LOG_H
#define LATENTD_SERVER_LOG_H

#include <stdbool.h>

/* level, name, syslog priority */
#define LOG_LEVELS(X) X(LOG_LEVEL_DEBUG, "debug", 7) X(LOG_LEVEL_INFO, "info", 6) X(LOG_LEVEL_WARN, "warn", 4) X(LOG_LEVEL_ERROR, "error", 3)
enum log_level {
#define X(level, name, priority) level,
	LOG_LEVELS(X)
#undef X
	LOG_LEVEL_COUNT
};

const char *log_level_name(enum log_level level);
bool log_level_parse(const char *name, enum log_level *ret);
void log_setup(enum log_level least, bool json);
void log_line(enum log_level level, const char *message, const char *fields, ...) __attribute__((format(printf, 3, 4)));
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_warn(...) log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)

/* A logfmt value, quoted and escaped, in a buffer of the calling thread (four at a time). */
const char *log_quote(const char *value);

#endif
