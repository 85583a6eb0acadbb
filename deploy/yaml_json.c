/* yaml_json: the API document from YAML, as people write it, to JSON, as programs fetch it. Run by make; stdin → stdout.
 *
 * Plain scalars that JSON has (null, true, false, numbers) become those; every other scalar a string. Anchors are not used
 * and refused.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

static void fail(const char *what, const yaml_mark_t *at)
{
	fprintf(stderr, "yaml_json: line %zu: %s\n", at->line + 1, what);
	exit(1);
}

static void print_string(const char *text, size_t length)
{
	putchar('"');
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];
		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < 0x20)
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

/* JSON's own grammar of numbers: -0 … 12, 1.5, 2e-3; not 01, 1., .5, 0x1. */
static bool is_number(const char *text)
{
	const char *p = text + (*text == '-');
	size_t whole = strspn(p, "0123456789");
	if (!whole || (whole > 1 && *p == '0'))
		return false;
	p += whole;
	if (*p == '.') {
		size_t fraction = strspn(++p, "0123456789");
		if (!fraction)
			return false;
		p += fraction;
	}
	if (*p == 'e' || *p == 'E') {
		p += 1 + (p[1] == '+' || p[1] == '-');
		size_t exponent = strspn(p, "0123456789");
		if (!exponent)
			return false;
		p += exponent;
	}
	return !*p;
}

static void print_scalar(const yaml_event_t *e, bool key)
{
	const char *text = (const char *)e->data.scalar.value;
	bool plain = !key && e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	if (plain && (!*text || !strcmp(text, "~")))
		text = "null";
	if (plain && (!strcmp(text, "null") || !strcmp(text, "true") || !strcmp(text, "false") || is_number(text)))
		fputs(text, stdout);
	else
		print_string(text, e->data.scalar.length);
}

static yaml_event_t next_event(yaml_parser_t *parser)
{
	yaml_event_t e;
	if (!yaml_parser_parse(parser, &e))
		fail(parser->problem, &parser->problem_mark);
	if (e.type == YAML_ALIAS_EVENT)
		fail("aliases are not supported", &e.start_mark);
	return e;
}

/* The value that begins with e, which it consumes. */
static void print_value(yaml_parser_t *parser, yaml_event_t e)
{
	bool mapping = e.type == YAML_MAPPING_START_EVENT;
	if (e.type == YAML_SCALAR_EVENT) {
		print_scalar(&e, false);
	} else {
		yaml_event_type_t end = mapping ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT;
		bool first = true;
		putchar(mapping ? '{' : '[');
		for (yaml_event_t child; (child = next_event(parser)).type != end; first = false) {
			if (!first)
				putchar(',');
			if (mapping) {
				if (child.type != YAML_SCALAR_EVENT)
					fail("a key must be a scalar", &child.start_mark);
				print_scalar(&child, true);
				putchar(':');
				yaml_event_delete(&child);
				child = next_event(parser);
			}
			print_value(parser, child);
		}
		putchar(mapping ? '}' : ']');
	}
	yaml_event_delete(&e);
}

int main(void)
{
	yaml_parser_t parser;
	if (!yaml_parser_initialize(&parser))
		return 1;
	yaml_parser_set_input_file(&parser, stdin);
	for (yaml_event_t e; (e = next_event(&parser)).type != YAML_STREAM_END_EVENT;)
		if (e.type == YAML_SCALAR_EVENT || e.type == YAML_MAPPING_START_EVENT || e.type == YAML_SEQUENCE_START_EVENT)
			print_value(&parser, e);
	yaml_parser_delete(&parser);
	putchar('\n');
	return ferror(stdout) || fflush(stdout) ? 1 : 0;
}
