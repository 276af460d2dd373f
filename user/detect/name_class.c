/* SPDX-License-Identifier: Apache-2.0 */
/* Words of tool names. */
#include "detect/name_class.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define NAME_MAX_BYTES 128
#define WORD_MAX       16

/* Roles of single words; NAME_* bits are set from them and from the place of the word. */
enum role {
	ROLE_POLL = 1 << 0,
	ROLE_READ = 1 << 1,
	ROLE_CHANGE = 1 << 2,  /* not a reader, wherever it stands */
	ROLE_WRITE = 1 << 3,
	ROLE_GESTURE = 1 << 4,
	ROLE_AGENT = 1 << 5,
	ROLE_START = 1 << 6,
	ROLE_SPAWN = 1 << 7,
};

static const struct {
	char word[WORD_MAX];
	uint8_t roles;
} words[] = {
	/* Sorted: looked up by halving. */
	{ "add", ROLE_WRITE },
	{ "agent", ROLE_AGENT },
	{ "agents", ROLE_AGENT },
	{ "append", ROLE_WRITE },
	{ "apply", ROLE_CHANGE | ROLE_WRITE },
	{ "await", ROLE_POLL },
	{ "click", ROLE_GESTURE },
	{ "create", ROLE_CHANGE | ROLE_WRITE | ROLE_START },
	{ "delegate", ROLE_SPAWN },
	{ "delete", ROLE_CHANGE | ROLE_WRITE },
	{ "describe", ROLE_READ },
	{ "dispatch", ROLE_START },
	{ "drag", ROLE_GESTURE },
	{ "edit", ROLE_WRITE },
	{ "execute", ROLE_CHANGE },
	{ "fetch", ROLE_READ },
	{ "find", ROLE_READ },
	{ "get", ROLE_READ },
	{ "glob", ROLE_READ },
	{ "grep", ROLE_READ },
	{ "health", ROLE_POLL },
	{ "healthcheck", ROLE_POLL },
	{ "heartbeat", ROLE_POLL },
	{ "hover", ROLE_GESTURE },
	{ "insert", ROLE_CHANGE | ROLE_WRITE },
	{ "keypress", ROLE_GESTURE },
	{ "launch", ROLE_START },
	{ "list", ROLE_READ },
	{ "lookup", ROLE_READ },
	{ "move", ROLE_WRITE },
	{ "patch", ROLE_WRITE },
	{ "ping", ROLE_POLL },
	{ "poll", ROLE_POLL },
	{ "polling", ROLE_POLL },
	{ "post", ROLE_WRITE },
	{ "press", ROLE_GESTURE },
	{ "progress", ROLE_POLL },
	{ "put", ROLE_WRITE },
	{ "queries", ROLE_READ },
	{ "query", ROLE_READ },
	{ "raw", ROLE_CHANGE },
	{ "read", ROLE_READ },
	{ "remove", ROLE_WRITE },
	{ "rename", ROLE_WRITE },
	{ "replace", ROLE_CHANGE | ROLE_WRITE },
	{ "resource", ROLE_READ },
	{ "resources", ROLE_READ },
	{ "retrieve", ROLE_READ },
	{ "run", ROLE_CHANGE | ROLE_START },
	{ "save", ROLE_WRITE },
	{ "scroll", ROLE_GESTURE },
	{ "search", ROLE_READ },
	{ "send", ROLE_CHANGE | ROLE_WRITE },
	{ "set", ROLE_WRITE },
	{ "sleep", ROLE_POLL },
	{ "spawn", ROLE_SPAWN },
	{ "sql", ROLE_CHANGE },
	{ "start", ROLE_START },
	{ "status", ROLE_POLL },
	{ "store", ROLE_WRITE },
	{ "subagent", ROLE_SPAWN },
	{ "subagents", ROLE_SPAWN },
	{ "swipe", ROLE_GESTURE },
	{ "tail", ROLE_POLL },
	{ "tap", ROLE_GESTURE },
	{ "task", ROLE_AGENT },
	{ "update", ROLE_CHANGE | ROLE_WRITE },
	{ "upload", ROLE_WRITE },
	{ "wait", ROLE_POLL },
	{ "waiting", ROLE_POLL },
	{ "write", ROLE_CHANGE | ROLE_WRITE },
};

static uint8_t roles_of(const char word[WORD_MAX])
{
	size_t lo = 0, hi = sizeof(words) / sizeof(words[0]);

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int d = strncmp(word, words[mid].word, WORD_MAX);

		if (!d)
			return words[mid].roles;
		if (d < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return 0;
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

/* The next word of @s from *@at on, lower-case, cut, NUL-padded; false at the end. "HTTPGet" is http, get. */
static bool next_word(struct sv s, size_t *at, char ret_word[WORD_MAX])
{
	size_t i = *at, n = 0;

	while (i < s.n && !is_lower(s.p[i]) && !is_upper(s.p[i]))
		i++;
	memset(ret_word, 0, WORD_MAX);
	for (size_t start = i; i < s.n && (is_lower(s.p[i]) || is_upper(s.p[i])); i++) {
		bool upper = is_upper(s.p[i]);

		if (upper && i > start &&
		    (is_lower(s.p[i - 1]) || (i + 1 < s.n && is_lower(s.p[i + 1]))))
			break;
		if (n < WORD_MAX - 1)
			ret_word[n++] = (char)(s.p[i] | 0x20);
	}
	*at = i;
	return n > 0;
}

struct seen_words {
	uint8_t all, first; /* roles of all words, of the first */
	unsigned int n;
	bool read_output, result_last, agent_or_task_only;
};

static void look_at(struct sv name, struct seen_words *w)
{
	char word[WORD_MAX], before[WORD_MAX] = "";
	size_t at = 0;
	uint8_t roles;

	while (next_word(name, &at, word)) {
		roles = roles_of(word);
		w->all |= roles;
		if (!w->n)
			w->first = roles;
		w->read_output |= !strcmp(before, "read") && !strcmp(word, "output");
		w->result_last = w->n > 0 && !strcmp(word, "result");
		w->agent_or_task_only = !w->n && (!strcmp(word, "task") || !strcmp(word, "agent"));
		memcpy(before, word, WORD_MAX);
		w->n++;
	}
}

static bool starts_agents(const struct seen_words *w, struct sv name)
{
	if (w->agent_or_task_only || (w->all & ROLE_SPAWN))
		return true;
	/* "create_task" is an entry in a list of things to do. */
	return (w->all & ROLE_AGENT) && (w->all & ROLE_START) && sv_ihas(name, SV("agent"));
}

uint8_t name_class(struct sv name)
{
	struct seen_words w = { 0 };
	uint8_t class = 0;

	if (name.n > NAME_MAX_BYTES)
		name.n = NAME_MAX_BYTES;
	look_at(name, &w);
	if ((w.all & ROLE_POLL) || w.read_output || w.result_last)
		class |= NAME_POLL;
	/* "get_post" reads, "post_query" does not. */
	if ((w.all & ROLE_READ) && !(w.all & ROLE_CHANGE) &&
	    (!(w.all & ROLE_WRITE) || (w.first & ROLE_READ)))
		class |= NAME_READ;
	else if (w.all & ROLE_WRITE)
		class |= NAME_WRITE;
	if (w.all & ROLE_GESTURE)
		class |= NAME_GESTURE;
	if (starts_agents(&w, name))
		class |= NAME_SPAWN;
	return class;
}
