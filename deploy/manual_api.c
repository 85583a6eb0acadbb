/* manual_api: the manual's reference of the API as Markdown, made of its OpenAPI document as JSON. Run by make; stdin → stdout.
 *
 * What $ref names is looked up; schemas with a name have a place of their own at the end and are linked. An example of each
 * operation as a curl line: names in its path by their `example`, its body by the first example of it.
 */
#include "api/json.h"

#include "deploy/manual.h"

static const struct json *document;

/* The node itself, or what it refers to. */
static const struct json *resolved(const struct json *node)
{
	const char *ref = text_of(node, "$ref");
	if (strncmp(ref, "#/", 2))
		return node;
	const struct json *at = document;
	char path[256];
	snprintf(path, sizeof path, "%s", ref + 2);
	for (char *step = strtok(path, "/"); step && at; step = strtok(NULL, "/"))
		at = json_get(at, step);
	if (!at) {
		fprintf(stderr, "manual_api: nothing is at %s\n", ref);
		exit(1);
	}
	return at;
}

/* "Job" of "#/components/schemas/Job"; NULL of what has no name. */
static const char *schema_name(const struct json *schema)
{
	static const char where[] = "#/components/schemas/";
	const char *ref = text_of(schema, "$ref");
	return strncmp(ref, where, strlen(where)) ? NULL : ref + strlen(where);
}

static void put_lower(const char *text)
{
	for (; *text; text++)
		putchar(*text >= 'A' && *text <= 'Z' ? *text - 'A' + 'a' : *text);
}

static void put_type(const struct json *schema);

static void put_words(const struct json *list, const char *between)
{
	for
		EACH(one, list)
		{
			fputs(one == json_first(list) ? "" : between, stdout);
			put_value(one);
		}
}

static void put_alternatives(const struct json *list, const char *between)
{
	for
		EACH(one, list)
		{
			fputs(one == json_first(list) ? "" : between, stdout);
			put_type(one);
		}
}

static void put_range(const struct json *schema)
{
	static const char *const pairs[][2] = {
		{"minimum", "maximum"}, {"minItems", "maxItems"}, {"minLength", "maxLength"}};
	static const char *const of[] = {"", " entries", " characters"};
	for (int i = 0; i < 3; i++) {
		const struct json *low = json_get(schema, pairs[i][0]), *high = json_get(schema, pairs[i][1]);
		if (low && high)
			printf(", %.16g … %.16g%s", json_number(low), json_number(high), of[i]);
		else if (low)
			printf(", ≥ %.16g%s", json_number(low), of[i]);
		else if (high)
			printf(", ≤ %.16g%s", json_number(high), of[i]);
	}
}

static void put_plain_type(const struct json *schema)
{
	const struct json *type = json_get(schema, "type");
	if (json_get(schema, "items")) {
		printf("array of ");
		put_type(json_get(schema, "items"));
	} else if (type && json_type(type) == JSON_ARRAY) {
		for
			EACH(one, type)
		printf("%s%s", one == json_first(type) ? "" : " or ", json_string(one));
	} else {
		printf("%s", type ? json_string(type) : json_get(schema, "properties") ? "object" : "any");
	}
}

/* "integer, 1 … 100, default `20`" */
static void put_type(const struct json *schema)
{
	const char *name = schema_name(schema);
	if (name) {
		printf("[%s](#schema-", name);
		put_lower(name);
		putchar(')');
		return;
	}
	if (json_get(schema, "const"))
		put_value(json_get(schema, "const"));
	else if (json_get(schema, "enum"))
		put_words(json_get(schema, "enum"), ", ");
	else if (json_get(schema, "oneOf"))
		put_alternatives(json_get(schema, "oneOf"), " or ");
	else if (json_get(schema, "anyOf"))
		put_alternatives(json_get(schema, "anyOf"), " or ");
	else if (json_get(schema, "allOf"))
		put_alternatives(json_get(schema, "allOf"), " with ");
	else
		put_plain_type(schema);
	put_range(schema);
	if (json_get(schema, "default")) {
		printf(", default ");
		put_value(json_get(schema, "default"));
	}
}

static bool requires(const struct json *schema, const char *key)
{
	for
		EACH(one, json_get(schema, "required"))
	if (!strcmp(json_string(one), key))
		return true;
	return false;
}

/* Rows of a table: a property each, those of objects within it by "outer.inner". */
static void put_properties(const struct json *schema, const char *owner, bool mark)
{
	for
		EACH(part, json_get(schema, "allOf"))
	put_properties(resolved(part), owner, mark);
	for
		EACH(property, json_get(schema, "properties"))
		{
			char name[160];
			const struct json *items = json_get(property, "items");
			snprintf(name, sizeof name, "%s%s", owner, json_key(property));
			printf("| `%s`%s | ", name, mark && requires(schema, json_key(property)) ? " required" : "");
			put_type(property);
			printf(" | ");
			put_cell(text_of(property, "description"));
			printf(" |\n");
			snprintf(name, sizeof name, "%s%s%s.", owner, json_key(property), items ? "[]" : "");
			put_properties(items ? items : property, name, mark);
		}
}

static bool has_properties(const struct json *schema)
{
	for
		EACH(part, json_get(schema, "allOf"))
	if (has_properties(resolved(part)))
		return true;
	return json_get(schema, "properties");
}

/* --- an operation --- */

/* The parameters of a path, then those of the method. */
static const struct json *find_param(const struct json *path, const struct json *operation, const char *name)
{
	const struct json *lists[] = {json_get(path, "parameters"), json_get(operation, "parameters")};
	for (int i = 0; i < 2; i++)
		for
			EACH(one, lists[i])
	if (!strcmp(text_of(resolved(one), "name"), name))
		return resolved(one);
	return NULL;
}

static void put_param(const struct json *param)
{
	const struct json *must = json_get(param, "required");
	printf(
		"| `%s` in %s%s | ", text_of(param, "name"), text_of(param, "in"), must && json_bool(must) ? ", required" : "");
	put_type(json_get(param, "schema"));
	printf(" | ");
	put_cell(text_of(param, "description"));
	printf(" |\n");
}

static void put_params(const struct json *path, const struct json *operation)
{
	const struct json *lists[] = {json_get(path, "parameters"), json_get(operation, "parameters")};
	if (!lists[0] && !lists[1])
		return;
	printf("| parameter | type | |\n|---|---|---|\n");
	for (int i = 0; i < 2; i++)
		for
			EACH(one, lists[i])
	put_param(resolved(one));
	putchar('\n');
}

static void put_body(const struct json *body)
{
	const struct json *content = json_get(body, "content"),
					  *schema = content ? json_get(json_first(content), "schema") : NULL;
	printf("Body: ");
	for
		EACH(type, content)
	printf("%s`%s`", type == json_first(content) ? "" : ", ", json_key(type));
	printf(".\n\n");
	if (!schema || !has_properties(resolved(schema)))
		return;
	printf("| field | type | |\n|---|---|---|\n");
	put_properties(resolved(schema), "", true);
	putchar('\n');
}

static const struct json *example_of(const struct json *media)
{
	const struct json *examples = media ? json_get(media, "examples") : NULL;
	if (examples)
		return json_get(json_first(examples), "value");
	const struct json *own = media ? json_get(media, "example") : NULL;
	const struct json *schema = media ? json_get(media, "schema") : NULL;
	return own || !schema ? own : json_get(resolved(schema), "example");
}

/* What the address has in place of {name}: a value in the parameter or in its schema. */
static const struct json *example_of_param(const struct json *param)
{
	const struct json *own = json_get(param, "example"), *schema = json_get(param, "schema");
	return own ? own : schema && json_get(schema, "example") ? json_get(schema, "example") : NULL;
}

static void put_example_param(const struct json *param)
{
	const struct json *example = param ? example_of_param(param) : NULL;
	if (example && json_type(example) == JSON_NUMBER)
		printf("%.16g", json_number(example));
	else
		printf("%s", example && json_type(example) == JSON_STRING ? json_string(example) : "NAME");
}

static bool has_required_query(const struct json *operation)
{
	for
		EACH(one, json_get(operation, "parameters"))
		{
			const struct json *param = resolved(one), *must = json_get(param, "required");
			if (!strcmp(text_of(param, "in"), "query") && must && json_bool(must))
				return true;
		}
	return false;
}

static void put_address(const char *route, const struct json *path, const struct json *operation)
{
	char name[64];
	const char *quote = has_required_query(operation) ? "'" : "", *mark = "?";
	printf("%slocalhost:7117", quote);
	for (; *route; route++) {
		if (*route != '{') {
			putchar(*route);
			continue;
		}
		size_t n = strcspn(route + 1, "}");
		snprintf(name, sizeof name, "%.*s", (int)n, route + 1);
		put_example_param(find_param(path, operation, name));
		route += n + 1;
	}
	for
		EACH(one, json_get(operation, "parameters"))
		{
			const struct json *param = resolved(one), *must = json_get(param, "required");
			if (strcmp(text_of(param, "in"), "query") || !must || !json_bool(must))
				continue;
			printf("%s%s=", mark, text_of(param, "name"));
			put_example_param(param);
			mark = "&";
		}
	printf("%s", quote);
}

/* -o where what comes is nothing to read. */
static void put_output(const struct json *operation)
{
	const struct json *reply = json_get(json_get(operation, "responses"), "200");
	const struct json *content = reply ? json_get(resolved(reply), "content") : NULL;
	const char *type = content ? json_key(json_first(content)) : "";
	if (!strcmp(type, "image/png"))
		printf("-o picture.png ");
	else if (!strcmp(type, "application/octet-stream"))
		printf("-o weights.safetensors ");
	else if (!strcmp(type, "application/x-tar"))
		printf("-o bundle.tar ");
}

static void put_request_body(const struct json *body)
{
	const struct json *content = body ? json_get(resolved(body), "content") : NULL;
	const struct json *media = content ? json_first(content) : NULL, *example = example_of(media);
	if (example) {
		struct buf b = BUF_INIT;
		json_print(&b, example);
		char *text = buf_take(&b, NULL);
		printf("--json '%s' ", text ? text : "");
		free(text);
	} else if (media && strcmp(json_key(media), "application/json")) {
		printf("-T FILE -H 'Content-Type: %s' ", json_key(media));
	}
}

static void put_curl(const char *verb, const char *route, const struct json *path, const struct json *operation)
{
	const struct json *body = json_get(operation, "requestBody");
	bool implied = !strcmp(verb, "GET") || !strcmp(verb, "PUT") ||
				   (!strcmp(verb, "POST") && body && example_of(json_first(json_get(resolved(body), "content"))));
	printf("```text\ncurl ");
	if (!implied)
		printf("-X %s ", verb);
	put_output(operation);
	put_request_body(body);
	put_address(route, path, operation);
	printf("\n```\n\n");
}

static void put_answers(const struct json *responses)
{
	printf("Answers: ");
	for
		EACH(one, responses)
		{
			const struct json *reply = resolved(one), *content = json_get(reply, "content");
			const struct json *schema = content ? json_get(json_first(content), "schema") : NULL;
			if (!strcmp(json_key(one), "default") || !strcmp(json_key(one), "4XX"))
				continue;
			printf("%s**%s** ", one == json_first(responses) ? "" : "; ", json_key(one));
			put_cell(text_of(reply, "description"));
			if (schema && schema_name(schema)) {
				printf(": ");
				put_type(schema);
			}
		}
	printf(".\n\n");
}

static void put_operation(const char *verb, const char *route, const struct json *path, const struct json *operation)
{
	printf("### `%s %s`\n\n**%s.** ", verb, route, text_of(operation, "summary"));
	printf("%s\n\n", text_of(operation, "description"));
	put_curl(verb, route, path, operation);
	put_params(path, operation);
	if (json_get(operation, "requestBody"))
		put_body(resolved(json_get(operation, "requestBody")));
	put_answers(json_get(operation, "responses"));
}

static void put_tag(const struct json *tag)
{
	static const char *const verbs[][2] = {
		{"get", "GET"}, {"post", "POST"}, {"put", "PUT"}, {"patch", "PATCH"}, {"delete", "DELETE"}};
	const char *name = text_of(tag, "name");
	printf("## %c%s\n\n%s.\n\n", name[0] - 'a' + 'A', name + 1, text_of(tag, "description"));
	for
		EACH(path, json_get(document, "paths"))
		{
			for (size_t v = 0; v < sizeof verbs / sizeof *verbs; v++) {
				const struct json *operation = json_get(path, verbs[v][0]),
								  *tags = operation ? json_get(operation, "tags") : NULL;
				if (tags && !strcmp(json_string(json_first(tags)), name))
					put_operation(verbs[v][1], json_key(path), path, operation);
			}
		}
}

static void put_schema(const struct json *schema)
{
	const char *name = json_key(schema);
	printf("### <span id=\"schema-");
	put_lower(name);
	printf("\">%s</span>\n\n%s\n\n", name, text_of(schema, "description"));
	if (has_properties(schema)) {
		printf("| field | type | |\n|---|---|---|\n");
		put_properties(schema, "", false);
		putchar('\n');
	} else {
		put_type(schema);
		printf("\n\n");
	}
}

int main(void)
{
	struct buf b = BUF_INIT;
	struct json *root;
	struct err err;
	size_t n;
	char *room;
	while ((room = buf_reserve(&b, 65536)) && (n = fread(room, 1, 65536, stdin)) > 0)
		b.len += n;
	if (!room || json_parse(&root, room - b.len, b.len, &err)) {
		fprintf(stderr, "manual_api: %s\n", room ? err.message : "out of memory");
		return 1;
	}
	document = root;
	printf("# API reference\n\n%s\n\nThe same as a document for programs: `GET /v1/openapi.json`.\n\n",
		text_of(json_get(root, "info"), "description"));
	for
		EACH(tag, json_get(root, "tags"))
	put_tag(tag);
	printf("## Schemas\n\nWhat is in the answers.\n\n");
	for
		EACH(schema, json_get(json_get(root, "components"), "schemas"))
	put_schema(schema);
	json_free(root);
	buf_free(&b);
	return 0;
}
