/* manual_kinds: the manual's page of kinds, parameters and curves as Markdown, made of what GET /v1/kinds/{kind} answers. Run by
 * make; → stdout.
 */
#include "api/json.h"
#include "api/view.h"
#include "core/model/model.h"

#include "deploy/manual.h"

static const char INTRO[] =
	"# Kinds, parameters, curves\n\n"
	"A *kind* is something that can be submitted. Each has *presets*, which fill its parameters (the first one unless you name "
	"another), *parameters* of its own, which win over the preset, and *series*, the curves that it draws. The dashboard's form and "
	"its explanations say the same, and so does `GET /v1/kinds/{kind}`, as a JSON Schema, for programs.\n\n"
	"Marks: **live** may change while the run goes on (`PATCH /v1/jobs/{job}`). Of a fork, *fixed* parameters stay as they were, "
	"those that change what the *loss* means begin a new record of the best, all others are free.\n\n";

static void put_list(const struct json *kind, const char *key, const char *words)
{
	const struct json *list = json_get(kind, key);
	if (!list || json_type(list) != JSON_ARRAY || !json_count(list))
		return;
	printf("%s ", words);
	for
		EACH(one, list)
	printf("%s`%s`", one == json_first(list) ? "" : ", ", json_string(one));
	printf(". ");
}

/* What a preset has otherwise than the first one. */
static void put_differences(const struct json *params, const struct json *first)
{
	bool any = false;
	for
		EACH(value, params)
		{
			const struct json *other = json_get(first, json_key(value));
			if (other && values_equal(value, other))
				continue;
			fputs(any ? ", " : "", stdout);
			put_code(json_key(value));
			putchar(' ');
			put_value(value);
			any = true;
		}
}

static void put_presets(const struct json *kind)
{
	const struct json *presets = json_get(kind, "presets"), *first = presets ? json_first(presets) : NULL;
	if (!first)
		return;
	printf("| preset | what it is | other than `%s` |\n|---|---|---|\n", text_of(first, "name"));
	for
		EACH(preset, presets)
		{
			printf("| `%s` | ", text_of(preset, "name"));
			put_plain(text_of(preset, "description"));
			printf(" | ");
			if (preset != first)
				put_differences(json_get(preset, "params"), json_get(first, "params"));
			printf(" |\n");
		}
	putchar('\n');
}

static void put_bounds(const struct json *schema)
{
	const struct json *of = json_get(schema, "items") ? json_get(schema, "items") : schema;
	const struct json *low = json_get(of, "minimum"), *high = json_get(of, "maximum");
	const char *each = of == schema ? "" : "each ";
	if (json_get(of, "enum")) {
		printf("%s", each);
		for
			EACH(choice, json_get(of, "enum"))
			{
				fputs(choice == json_first(json_get(of, "enum")) ? "" : ", ", stdout);
				put_value(choice);
			}
	} else if (low && high) {
		printf("%s%.15g … %.15g", each, json_number(low), json_number(high));
	}
	if (*text_of(schema, "unit"))
		printf(" %s", text_of(schema, "unit"));
}

static void put_param(const char *kind, const char *owner, const struct json *schema)
{
	const char *fork = text_of(schema, "fork");
	const struct json *live = json_get(schema, "live");
	if (*owner)
		printf("| <span id=\"%s-%s-%s\">`%s.%s`</span> | ", kind, owner, json_key(schema), owner, json_key(schema));
	else
		printf("| <span id=\"%s-%s\">`%s`</span> | ", kind, json_key(schema), json_key(schema));
	if (json_get(schema, "default"))
		put_value(json_get(schema, "default"));
	printf(" | ");
	put_bounds(schema);
	printf(" | ");
	put_plain(text_of(schema, "description"));
	if (live && json_bool(live))
		printf(" **live**");
	if (*fork && strcmp(fork, "free"))
		printf(" *fork: %s*", fork);
	printf(" |\n");
	for
		EACH(member, json_get(schema, "properties"))
	put_param(kind, json_key(schema), member);
}

static const char *const groups[][2] = {
	{"study", "Study"},
	{"map", "Map"},
	{"net", "Net"},
	{"training", "Training"},
	{"data", "Data"},
	{"output", "Output"},
};

static void put_params(const char *kind, const struct json *properties)
{
	for (size_t g = 0; g < sizeof groups / sizeof *groups; g++) {
		bool any = false;
		for
			EACH(schema, properties)
			{
				if (strcmp(text_of(schema, "group"), groups[g][0]))
					continue;
				if (!any)
					printf("### %s: %s\n\n| parameter | default | may be | |\n|---|---|---|---|\n", kind, groups[g][1]);
				put_param(kind, "", schema);
				any = true;
			}
		fputs(any ? "\n" : "", stdout);
	}
}

static void put_series(const char *kind, const struct json *list)
{
	if (!list || !json_count(list))
		return;
	printf("### %s: curves\n\n| series | what it says | formula |\n|---|---|---|\n", kind);
	for
		EACH(series, list)
		{
			printf("| `%s` | ", text_of(series, "name"));
			put_plain(text_of(series, "help"));
		for
			EACH(line, json_get(series, "reference_lines"))
			{
				printf(" Reference: %.4g, ", json_number(json_get(line, "value")));
				put_plain(text_of(line, "label"));
				putchar('.');
			}
		printf(" | ");
		put_code(text_of(series, "formula"));
		if (*text_of(series, "unit")) {
			printf(" in ");
			put_plain(text_of(series, "unit"));
		}
		printf(" |\n");
		}
	putchar('\n');
}

static void put_kind(const struct json *kind)
{
	const char *name = text_of(kind, "kind");
	printf("## %s\n\n", name);
	put_plain(text_of(kind, "description"));
	printf("\n\n");
	put_list(kind, "abilities", "Its models can");
	put_list(kind, "from", "Goes on from a finished");
	put_list(kind, "results", "Its results:");
	printf("\n\n```sh\ncurl 'localhost:7117/v1/kinds/%s?pretty'\n```\n\n", name);
	put_presets(kind);
	put_params(name, json_get(json_get(kind, "params"), "properties"));
	put_series(name, json_get(kind, "series"));
}

int main(void)
{
	fputs(INTRO, stdout);
	for (int i = 0; family_at(i); i++) {
		struct buf b = BUF_INIT;
		struct jsonw w;
		struct err err;
		struct json *kind;
		size_t size;
		jw_init(&w, &b, false);
		view_kind(&w, family_at(i));
		char *text = buf_take(&b, &size);
		if (!text || json_parse(&kind, text, size, &err)) {
			fprintf(stderr, "manual_kinds: %s\n", text ? err.message : "out of memory");
			return 1;
		}
		put_kind(kind);
		json_free(kind);
		free(text);
	}
	return 0;
}
