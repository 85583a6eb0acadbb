#include "server/config.h"

#include "server/door.h"
#include "server/listen.h"

#include <ctype.h>
#include <errno.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum row_type { ROW_TEXT, ROW_INT, ROW_DIRS, ROW_LOG_LEVEL, ROW_LOG_FORMAT, ROW_CPU, ROW_ACTION };

struct row {
	const char *name; /* of the flag without its dashes; LATENTD_NAME; the key in the file */
	enum row_type type;
	size_t offset, size;
	int min, max;
	const char *argument, *help;
};

#define AT(field) offsetof(struct config, field), sizeof(((struct config *)0)->field)

/* clang-format off */
static const struct row rows[] = {
	{"config", ROW_TEXT, AT(file), 0, 0, "FILE", "read settings from FILE (lines of `key = value`, keys as the flags here)"},
	{"listen", ROW_TEXT, AT(listen), 0, 0, "ADDR:PORT", "or unix:PATH; port 0 takes a free one (default 127.0.0.1:7117)"},
	{"port-file", ROW_TEXT, AT(port_file), 0, 0, "FILE", "write the bound port there once the socket listens"},
	{"data-dir", ROW_TEXT, AT(data_dir), 0, 0, "DIR", "jobs, checkpoints, database (default $XDG_DATA_HOME/latentd)"},
	{"dataset-dir", ROW_DIRS, 0, 0, 0, 0, "DIR", "look for data sets in DIR; may be repeated"},
	{"workers", ROW_INT, AT(workers), 1, 64, "N", "jobs that run at once (default 2)"},
	{"threads", ROW_INT, AT(threads), 1, 256, "N", "compute threads they share (default: the processors online)"},
	{"token-file", ROW_TEXT, AT(token_file), 0, 0, "FILE", "ask every client for the token in FILE"},
	{"allowed-hosts", ROW_TEXT, AT(allowed_hosts), 0, 0, "LIST", "names this daemon is reached by, besides loopback (a,b:8080)"},
	{"path-prefix", ROW_TEXT, AT(path_prefix), 0, 0, "P", "serve below P (\"/latentd\"), behind a proxy"},
	{"web-dir", ROW_TEXT, AT(web_dir), 0, 0, "DIR", "serve the page from DIR instead of from this program"},
	{"log-level", ROW_LOG_LEVEL, 0, 0, 0, 0, "L", "debug, info, warn or error (default info)"},
	{"log-format", ROW_LOG_FORMAT, 0, 0, 0, 0, "F", "logfmt or json (default logfmt)"},
	{"cpu", ROW_CPU, 0, 0, 0, 0, "LEVEL", "numeric level: baseline, avx2, avx512, neon (default: the best this processor runs)"},
	{"check-config", ROW_ACTION, AT(check_config), 0, 0, NULL, "check the settings and exit"},
	{"print-config", ROW_ACTION, AT(print_config), 0, 0, NULL, "print the settings as a file for --config and exit"},
	{"dump-routes", ROW_ACTION, AT(dump_routes), 0, 0, NULL, "print the routes of the API and exit"},
	{"version", ROW_ACTION, AT(version), 0, 0, NULL, "print the version and exit"},
	{"help", ROW_ACTION, AT(help), 0, 0, NULL, "print this and exit"},
	{NULL, 0, 0, 0, 0, 0, NULL, NULL},
};
/* clang-format on */

/* Where a value came from, for messages and for lists: a source replaces what a weaker one said, then adds. */
struct source {
	const char *text; /* "--workers", "LATENTD_WORKERS", "latentd.conf:3: workers" */
	int rank;
};

struct loading {
	struct config *c;
	int dirs_rank; /* of the source that filled dataset_dirs */
};

static const struct row *row_find(const char *name, size_t n)
{
	for (const struct row *r = rows; r->name; r++)
		if (strlen(r->name) == n && !strncmp(r->name, name, n))
			return r;
	return NULL;
}

static int set_int(const struct row *r, struct config *c, const char *value, const char *from, struct err *err)
{
	char *end;
	errno = 0;
	long n = strtol(value, &end, 10);
	if (!isdigit((unsigned char)*value) || *end || errno || n < r->min || n > r->max)
		return err_set(err, ERR_INVALID, "%s must be a whole number %d..%d, got '%.60s'", from, r->min, r->max, value);
	*(int *)((char *)c + r->offset) = (int)n;
	return OK;
}

static int set_text(const struct row *r, struct config *c, const char *value, const char *from, struct err *err)
{
	if (strlen(value) >= r->size)
		return err_set(err, ERR_INVALID, "%s is longer than %zu characters", from, r->size - 1);
	strcpy((char *)c + r->offset, value);
	return OK;
}

static int add_dir(struct config *c, const char *value, size_t n, const char *from, struct err *err)
{
	if (c->ndataset_dirs == CONFIG_DIRS_MAX - 1) /* the last place is <data-dir>/datasets */
		return err_set(err, ERR_INVALID, "%s: more than %d folders", from, CONFIG_DIRS_MAX - 1);
	char *copy = strndup(value, n);
	if (!copy)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	c->dataset_dirs[c->ndataset_dirs++] = copy;
	return OK;
}

/* "a:b": a list, in one value or over several. */
static int set_dirs(struct loading *l, const char *value, struct source from, struct err *err)
{
	if (from.rank > l->dirs_rank)
		config_free(l->c);
	l->dirs_rank = from.rank;
	for (const char *at = value; *at;) {
		size_t n = strcspn(at, ":");
		int code = n ? add_dir(l->c, at, n, from.text, err) : OK;
		if (code)
			return code;
		at += n + (at[n] == ':');
	}
	return OK;
}

static int set_cpu(struct config *c, const char *value, const char *from, struct err *err)
{
	enum cpu_level level;
	if (!cpu_parse(value, &level))
		return err_set(err, ERR_INVALID, "%s must be baseline, avx2, avx512 or neon, got '%.60s'", from, value);
	if (!cpu_runs(level))
		return err_set(err, ERR_INVALID, "%s: this processor does not run %s; its best is %s", from, value, cpu_name(cpu_best()));
	c->cpu = level;
	return OK;
}

static int set(struct loading *l, const struct row *r, const char *value, struct source from, struct err *err)
{
	struct config *c = l->c;
	switch (r->type) {
	case ROW_TEXT:
		return set_text(r, c, value, from.text, err);
	case ROW_INT:
		return set_int(r, c, value, from.text, err);
	case ROW_DIRS:
		return set_dirs(l, value, from, err);
	case ROW_CPU:
		return set_cpu(c, value, from.text, err);
	case ROW_LOG_LEVEL:
		if (log_level_parse(value, &c->log_level))
			return OK;
		return err_set(err, ERR_INVALID, "%s must be debug, info, warn or error, got '%.60s'", from.text, value);
	case ROW_LOG_FORMAT:
		c->log_json = !strcmp(value, "json");
		if (c->log_json || !strcmp(value, "logfmt"))
			return OK;
		return err_set(err, ERR_INVALID, "%s must be logfmt or json, got '%.60s'", from.text, value);
	case ROW_ACTION:
		*(bool *)((char *)c + r->offset) = true;
	}
	return OK;
}

/* --- the command line --- */

/* Calls fn for each flag and its value; ERR_INVALID for what is no flag. */
static int each_flag(int argc, char **argv, int (*fn)(struct loading *, const struct row *, const char *, struct err *),
	struct loading *l, struct err *err)
{
	for (int i = 1; i < argc; i++) {
		const char *arg = argv[i];
		if (strncmp(arg, "--", 2))
			return err_set(err, ERR_INVALID, "unexpected word '%.80s'; see latentd --help", arg);
		size_t n = strcspn(arg + 2, "=");
		const struct row *r = row_find(arg + 2, n);
		if (!r)
			return err_set(err, ERR_INVALID, "unknown flag '%.*s'; see latentd --help", (int)(n + 2 < 80 ? n + 2 : 80), arg);
		const char *value = arg[2 + n] ? arg + 3 + n : NULL;
		if (r->type == ROW_ACTION ? value != NULL : !value && ++i == argc)
			return err_set(err, ERR_INVALID, "--%s takes %s", r->name, r->type == ROW_ACTION ? "no value" : r->argument);
		int code = fn(l, r, r->type == ROW_ACTION ? "" : value ? value : argv[i], err);
		if (code)
			return code;
	}
	return OK;
}

static int take_config_path(struct loading *l, const struct row *r, const char *value, struct err *err)
{
	return r == rows ? set(l, r, value, (struct source){"--config", 3}, err) : OK;
}

static int take_flag(struct loading *l, const struct row *r, const char *value, struct err *err)
{
	char text[48];
	snprintf(text, sizeof text, "--%s", r->name);
	return set(l, r, value, (struct source){text, 3}, err);
}

/* --- the environment --- */

static void variable_name(char *text, size_t size, const char *row_name)
{
	snprintf(text, size, "LATENTD_%s", row_name);
	for (char *c = text; *c; c++)
		*c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
}

static int load_environment(struct loading *l, struct err *err)
{
	for (const struct row *r = rows; r->name; r++) {
		char name[48];
		variable_name(name, sizeof name, r->name);
		const char *value = r->type == ROW_ACTION ? NULL : getenv(name);
		int code = value && *value ? set(l, r, value, (struct source){name, 2}, err) : OK;
		if (code)
			return code;
	}
	return OK;
}

/* --- the file --- */

static char *trim(char *text)
{
	text += strspn(text, " \t\r\n");
	size_t n = strlen(text);
	while (n && strchr(" \t\r\n", text[n - 1]))
		text[--n] = '\0';
	return text;
}

static int load_line(struct loading *l, char *line, const char *path, int number, struct err *err)
{
	line = trim(line);
	if (!*line || *line == '#' || *line == ';' || !strcmp(line, "[latentd]"))
		return OK;
	char *equals = strchr(line, '=');
	if (!equals)
		return err_set(err, ERR_INVALID, "%s:%d: expected `key = value`, got '%.60s'", path, number, line);
	*equals = '\0';
	char *key = trim(line);
	for (char *c = key; *c; c++)
		if (*c == '_')
			*c = '-';
	const struct row *r = row_find(key, strlen(key));
	if (!r || r->type == ROW_ACTION || r == rows)
		return err_set(err, ERR_INVALID, "%s:%d: unknown key '%.60s'; latentd --print-config lists them", path, number, key);
	char text[4200];
	snprintf(text, sizeof text, "%s:%d: %s", path, number, key);
	return set(l, r, trim(equals + 1), (struct source){text, 1}, err);
}

static int load_file(struct loading *l, const char *path, struct err *err)
{
	FILE *f = fopen(path, "re");
	if (!f)
		return err_errno(err, errno, "config file %s", path);
	char *line = NULL;
	size_t size = 0;
	int code = OK;
	for (int number = 1; !code && getline(&line, &size, f) >= 0; number++)
		code = load_line(l, line, path, number, err);
	free(line);
	fclose(f);
	return code;
}

/* --- what follows from them --- */

static int online_threads(void)
{
	cpu_set_t set;
	int n = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
	return n < 1 ? 1 : n > 256 ? 256 : n;
}

static int default_data_dir(struct config *c, struct err *err)
{
	const char *state = getenv("STATE_DIRECTORY"), *xdg = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	int n = 0;
	if (*c->data_dir)
		return OK;
	if (state && *state)
		n = snprintf(c->data_dir, sizeof c->data_dir, "%.*s", (int)strcspn(state, ":"), state);
	else if (xdg && *xdg)
		n = snprintf(c->data_dir, sizeof c->data_dir, "%s/latentd", xdg);
	else if (home && *home)
		n = snprintf(c->data_dir, sizeof c->data_dir, "%s/.local/share/latentd", home);
	if (n <= 0 || (size_t)n >= sizeof c->data_dir)
		return err_set(err, ERR_INVALID, "no data directory: set --data-dir (neither XDG_DATA_HOME nor HOME is set)");
	return OK;
}

static int check_prefix(const char *prefix, struct err *err)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._~-";
	size_t n = strlen(prefix);
	if (n && (*prefix != '/' || prefix[n - 1] == '/' || strspn(prefix, allowed) != n || strstr(prefix, "//")))
		return err_set(err, ERR_INVALID, "path-prefix must look like /latentd, got '%s'", prefix);
	return OK;
}

static int check_hosts(const char *list, struct err *err)
{
	for (const char *at = list; *(at += strspn(at, ", \t"));) {
		char entry[256], name[256];
		int port;
		size_t n = strcspn(at, ", \t");
		snprintf(entry, sizeof entry, "%.*s", (int)n, at);
		if (n >= sizeof entry || !host_split(entry, name, sizeof name, &port))
			return err_set(err, ERR_INVALID, "allowed-hosts: '%s' is not a host name with an optional port", entry);
		at += n;
	}
	return OK;
}

static int finish(struct config *c, struct err *err)
{
	struct listen_address address;
	int code = listen_parse(&address, c->listen, err);
	if (!code)
		code = check_prefix(c->path_prefix, err);
	if (!code)
		code = check_hosts(c->allowed_hosts, err);
	if (!code)
		code = default_data_dir(c, err);
	if (!code && !address.loopback && !*c->token_file)
		code = err_set(err, ERR_INVALID,
			"%s can be reached from other hosts: give it a token with --token-file FILE, or listen on 127.0.0.1", c->listen);
	struct door door = {0};
	if (!code && *c->token_file)
		code = door_read_token(&door, c->token_file, err);
	if (code)
		return code;
	char *datasets;
	if (asprintf(&datasets, "%s/datasets", c->data_dir) < 0)
		return err_set(err, ERR_NO_MEMORY, "out of memory");
	c->dataset_dirs[c->ndataset_dirs++] = datasets;
	return OK;
}

static int load(struct loading *l, int argc, char **argv, int *ret_exit, struct err *err)
{
	*ret_exit = EXIT_USAGE;
	int code = each_flag(argc, argv, take_config_path, l, err);
	if (code)
		return code;
	*ret_exit = EXIT_CONFIG;
	const char *file = getenv("LATENTD_CONFIG");
	if (!*l->c->file && file && *file)
		code = set(l, rows, file, (struct source){"LATENTD_CONFIG", 2}, err);
	if (!code && *l->c->file)
		code = load_file(l, l->c->file, err);
	char path[sizeof l->c->file]; /* the environment may not undo the flag */
	strcpy(path, l->c->file);
	if (!code)
		code = load_environment(l, err);
	strcpy(l->c->file, path);
	if (code)
		return code;
	*ret_exit = EXIT_USAGE;
	code = each_flag(argc, argv, take_flag, l, err);
	if (code || l->c->help || l->c->version || l->c->dump_routes)
		return code;
	*ret_exit = EXIT_CONFIG;
	return finish(l->c, err);
}

int config_load(struct config *ret, int argc, char **argv, int *ret_exit, struct err *err)
{
	*ret = (struct config){.listen = "127.0.0.1:7117",
		.workers = 2,
		.threads = online_threads(),
		.log_level = LOG_LEVEL_INFO,
		.cpu = cpu_best()};
	struct loading l = {.c = ret};
	int code = load(&l, argc, argv, ret_exit, err);
	if (code)
		config_free(ret);
	else
		*ret_exit = EXIT_OK;
	return code;
}

void config_free(struct config *c)
{
	for (int i = 0; i < c->ndataset_dirs; i++)
		free((char *)c->dataset_dirs[i]);
	c->ndataset_dirs = 0;
}

void config_help(void)
{
	for (const struct row *r = rows; r->name; r++) {
		char flag[40];
		snprintf(flag, sizeof flag, "--%s%s%s", r->name, r->argument ? " " : "", r->argument ? r->argument : "");
		printf("  %-24s %s\n", flag, r->help);
	}
	printf("\nA flag goes before its environment variable (--data-dir: LATENTD_DATA_DIR), that before the file.\n"
		   "Exit codes: 0 clean stop, 1 error, 64 usage, 69 address in use, 73 data directory in use, 74 I/O, 78 configuration.\n");
}

static void print_row(const struct row *r, const struct config *c)
{
	switch (r->type) {
	case ROW_TEXT:
		if (r != rows)
			printf("%s = %s\n", r->name, (const char *)c + r->offset);
		break;
	case ROW_INT:
		printf("%s = %d\n", r->name, *(const int *)((const char *)c + r->offset));
		break;
	case ROW_DIRS:
		for (int i = 0; i < c->ndataset_dirs - 1; i++) /* the last one follows from data-dir */
			printf("%s = %s\n", r->name, c->dataset_dirs[i]);
		break;
	case ROW_LOG_LEVEL:
		printf("%s = %s\n", r->name, log_level_name(c->log_level));
		break;
	case ROW_LOG_FORMAT:
		printf("%s = %s\n", r->name, c->log_json ? "json" : "logfmt");
		break;
	case ROW_CPU:
		printf("%s = %s\n", r->name, cpu_name(c->cpu));
		break;
	case ROW_ACTION:
		break;
	}
}

void config_print(const struct config *c)
{
	for (const struct row *r = rows; r->name; r++)
		print_row(r, c);
}
