#include "server/command.h"

#include "server/config.h"
#include "server/store/backup.h"
#include "server/store/recover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { WORDS_MAX = 64 };

struct request {
	const struct config *config;
	const char *to; /* --to, or NULL */
};

static int fail(const struct err *err)
{
	fprintf(stderr, "latentd: %s\n", err->message);
	return err->code == ERR_IN_USE ? EXIT_DIR_IN_USE : EXIT_IO;
}

static int recover(const struct request *q)
{
	const char *dir = q->config->data_dir;
	struct recovery r;
	struct err err = {0};
	if (store_recover(dir, &r, &err))
		return fail(&err);
	if (r.sound) {
		printf("%s/latentd.db is sound: nothing was changed\n", dir);
		return EXIT_OK;
	}
	printf(
		"%s: %lld jobs are there again: %lld of what could be read of the old database (%lld without some of their events or points),"
		" %lld from their folders and the journal\n",
		dir, (long long)(r.from_rows + r.refound), (long long)r.from_rows, (long long)r.incomplete,
		(long long)r.refound);
	if (r.refound)
		printf(
			"those have no curve and no events from before; one that had finished goes to its end again from its last checkpoint, and one"
			" that was changed while it ran has the parameters that it was submitted with\n");
	if (r.unknown)
		printf("%lld folders beneath %s/jobs do not say what they are and were left as they are\n",
			(long long)r.unknown, dir);
	if (*r.kept)
		printf("the damaged file is %s\n", r.kept);
	return EXIT_OK;
}

static int backup(const struct request *q)
{
	struct backup b;
	struct err err = {0};
	if (!q->to) {
		fprintf(stderr, "latentd: backup needs --to DIR, a directory that is not there yet\n");
		return EXIT_USAGE;
	}
	if (store_backup(q->config->data_dir, q->to, &b, &err))
		return fail(&err);
	printf("%s holds %lld jobs in %lld files beside its database. It starts as any other: latentd --data-dir %s\n",
		q->to, (long long)b.jobs, (long long)b.files, q->to);
	return EXIT_OK;
}

static const struct command {
	const char *name, *usage, *help;
	int (*run)(const struct request *q);
	bool takes_to;
} commands[] = {
	{"recover", "recover", "make a new database of what is left of a damaged one, and of the jobs' folders", recover,
		false},
	{"backup", "backup --to DIR", "a data directory like this one, also while a daemon works in it", backup, true},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

void command_help(void)
{
	for (int i = 0; i < COMMANDS; i++)
		printf("  %-24s %s\n", commands[i].usage, commands[i].help);
}

/* The flags without the command and without --to: what config_load knows. */
static int flags_of(int argc, char **argv, bool takes_to, char **ret_words, const char **ret_to)
{
	int n = 0;
	ret_words[n++] = argv[0];
	for (int i = 2; i < argc && n < WORDS_MAX; i++) {
		if (takes_to && !strncmp(argv[i], "--to=", 5))
			*ret_to = argv[i] + 5;
		else if (takes_to && !strcmp(argv[i], "--to") && i + 1 < argc)
			*ret_to = argv[++i];
		else
			ret_words[n++] = argv[i];
	}
	return n;
}

static int run(const struct command *command, int argc, char **argv)
{
	struct config config;
	struct err err = {0};
	struct request q = {.config = &config};
	char *words[WORDS_MAX + 1] = {0};
	int exit_code, n = flags_of(argc, argv, command->takes_to, words, &q.to);
	if (config_load(&config, n, words, &exit_code, &err)) {
		fprintf(stderr, "latentd: %s\n", err.message);
		return exit_code;
	}
	umask(077);
	log_setup(config.log_level, config.log_json);
	if (config.help)
		printf("latentd %s: %s\n", command->usage, command->help);
	else
		exit_code = command->run(&q);
	config_free(&config);
	return exit_code;
}

bool command_run(int argc, char **argv, int *ret_exit)
{
	for (int i = 0; argc > 1 && i < COMMANDS; i++)
		if (!strcmp(argv[1], commands[i].name)) {
			*ret_exit = run(&commands[i], argc, argv);
			return true;
		}
	return false;
}
