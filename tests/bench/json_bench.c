/* SPDX-License-Identifier: Apache-2.0 */
/* Throughput of the JSON scanner and of JSON-RPC extraction, without and with marks: MB/s over made-up texts, fed in 64
 * KiB chunks. Usage: json_bench [SECONDS per figure] */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "proto/json.h"
#include "proto/jsonrpc.h"

#define TEXT_BYTES (4u << 20)
#define CHUNK	   65536

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Every text is a JSON-RPC result whose bulk is @row repeated. */
static struct sv text_make(const char *head, const char *row, const char *tail)
{
	char *p = malloc(TEXT_BYTES + 4096), *at = p;

	if (!p)
		exit(1);
	at = stpcpy(at, head);
	while (at - p < TEXT_BYTES)
		at = stpcpy(at, row);
	at = stpcpy(at, tail);
	return (struct sv){ p, (size_t)(at - p) };
}

/* All tokens, or all but the outermost, of @s. */
static void scan(struct sv s, bool skip)
{
	struct json j;
	struct json_token t;
	size_t n;
	int r;

	json_init(&j);
	for (size_t at = 0; at < s.n; at += n) {
		n = s.n - at < CHUNK ? s.n - at : CHUNK;
		json_feed(&j, (struct sv){ s.p + at, n });
		for (;;) {
			r = json_next(&j, &t);
			if (r <= 0)
				break;
			if (skip && t.type == JSON_OBJECT)
				json_skip(&j);
		}
	}
	if (!json_done(&j)) {
		fprintf(stderr, "json_bench: the text was refused\n");
		exit(1);
	}
}

static unsigned long messages;

static void count(void *ctx, const struct rpc_msg *m)
{
	(void)ctx;
	messages += m->kind == RPC_RESULT;
}

static void extract(struct rpc *r, struct sv s)
{
	unsigned long before = messages;
	ssize_t ret = 0;
	size_t n;

	for (size_t at = 0; at < s.n && ret == 0; at += n) {
		n = s.n - at < CHUNK ? s.n - at : CHUNK;
		ret = rpc_feed(r, (struct sv){ s.p + at, n });
	}
	if (ret <= 0 || messages != before + 1) {
		fprintf(stderr, "json_bench: the message was lost\n");
		exit(1);
	}
}

/* MB/s of @what: 0 all tokens, 1 skipped, else JSON-RPC with @r. */
static double rate(struct sv s, int what, double seconds, struct rpc *r)
{
	double beg = now(), end;
	unsigned long n = 0;

	do {
		if (what >= 2)
			extract(r, s);
		else
			scan(s, what == 1);
		n++;
		end = now();
	} while (end - beg < seconds);
	return (double)n * (double)s.n / (end - beg) / 1e6;
}

int main(int argc, char **argv)
{
	const char *head = "{\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"";
	const char *tail = "\"}],\"isError\":false},\"jsonrpc\":\"2.0\",\"id\":17}";
	const char *list = "{\"result\":{\"tools\":[{}",
		   *list_tail = "]},\"jsonrpc\":\"2.0\",\"id\":17}";
	struct rpc_opts opts = { .msg = count }, marks = { .msg = count, .marks = true };
	struct rpc *r[2] = { rpc_new(&opts), rpc_new(&marks) };
	double seconds = argc > 1 ? strtod(argv[1], NULL) : 1;
	struct {
		const char *name;
		struct sv text;
	} row[] = {
		{ "long string", text_make(head, "lorem ipsum dolor sit amet consectetur ", tail) },
		{ "source code in a string",
		  text_make(head, "\\tif (strcmp(name, \\\"x\\\") == 0)\\n\\t\\treturn -1;\\n",
			    tail) },
		{ "a log in a string",
		  text_make(head, "2024-05-26T10:11:12.123Z INFO [7f3a9c] GET /api/v1/users/10443 200 17ms\\n",
			    tail) },
		{ "ordinary, compact",
		  text_make(
			  list,
			  ",{\"name\":\"read_file\",\"description\":\"Read a file from disk\","
			  "\"inputSchema\":{\"type\":\"object\",\"properties\":{\"path\":{\"type\":"
			  "\"string\"},\"limit\":{\"type\":\"integer\",\"minimum\":0}},"
			  "\"required\":"
			  "[\"path\"]},\"annotations\":{\"readOnlyHint\":true}}",
			  list_tail) },
		{ "ordinary, indented",
		  text_make(list,
			    ",\n    {\n      \"id\": 10443,\n      \"name\": \"Ada\",\n"
			    "      \"tags\": [\"a\", \"bc\"],\n      \"score\": 0.75,\n"
			    "      \"parent\": null\n    }",
			    list_tail) },
		{ "numbers",
		  text_make(list, ",[-65.613616999999977,43.420273000000009]", list_tail) },
	};

	if (!r[0] || !r[1])
		return 1;
	printf("%-26s%12s%12s%12s%12s  MB/s\n", "", "tokens", "skipped", "json-rpc", "with marks");
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		printf("%-26s", row[i].name);
		for (int what = 0; what < 4; what++)
			printf("%12.0f", rate(row[i].text, what, seconds, r[what / 3]));
		printf("\n");
		free((void *)row[i].text.p);
	}
	rpc_free(r[0]);
	rpc_free(r[1]);
	return 0;
}
