/* SPDX-License-Identifier: Apache-2.0 */
/* Words about loops. Tool names come from peers: only harmless characters of them get into sentences. */
#include "detect/loop_text.h"

#include <inttypes.h>

#include "base/jsonw.h"

/* "<tool><before><count><after>". */
static const struct {
	const char *before, *after, *advice;
} words[LOOP_N] = {
	[LOOP_SAME_ERROR] = { " failed ", " times in a row with the same arguments and the same error",
			      "Stop the agent or tell it that this call cannot succeed as it is." },
	[LOOP_SAME_FAILS] = { " failed ", " times in a row with the same arguments",
			      "Stop the agent or tell it that this call cannot succeed as it is." },
	[LOOP_SAME_RESULT] = { " was called ", " times in a row with the same arguments and brought the same result",
			       "Tell the agent that it has this result already; if the tool is made for polling, "
			       "list it as such." },
	[LOOP_SAME_RESULT_WINDOW] = { " was called ", " times within a few calls, with the same arguments and result",
				      "Tell the agent that it has this result already; if the tool is made for polling, "
				      "list it as such." },
	[LOOP_VOLATILE] = { " was called ", " times in a row with results equal but for ids and times",
			    "Check whether each call does something again, such as sending a message." },
	[LOOP_ERROR_STREAK] = { " is the last of ", " failures in a row with one and the same error",
				"Mend what the error names; other arguments have not helped so far." },
	[LOOP_ERROR_WINDOW] = { " failed ", " times within a few calls with the same arguments and error",
				"What the agent does between the attempts does not help: stop it or change the task." },
	[LOOP_ERROR_STORM] = { " is the last of ", " failures in the last 8 rounds",
			       "Check the servers of this agent: nearly nothing that it calls works." },
	[LOOP_CYCLE] = { " is one of a few calls that repeat in the same order, ", " calls so far, with the same results",
			 "Stop the agent or give it what is missing to go on." },
	[LOOP_STANDSTILL] = { " is the last call of ", " rounds that brought nothing but what came twice before",
			      "Stop the agent or give it what is missing to go on." },
	[LOOP_NEAR_DUPLICATE] = { " was called ", " times in a row with nearly the same arguments and the same result",
				  "Tell the agent that variations of this call bring nothing new." },
	[LOOP_NO_PROGRESS] = { " was called ", " times with different arguments and always brought the same",
			       "Check whether what the agent looks for exists, and tell it." },
	[LOOP_CONSTANT] = { " is one of several tools that gave the same answer ", " times in a row",
			    "Check the server or gateway: different tools should not answer the same." },
	[LOOP_PAGING] = { " has read through its pages and started over ", " times",
			  "Tell the agent that it has seen all pages, or offer a search instead." },
	[LOOP_STUCK_CURSOR] = { " returned ", " times the cursor that it was sent as the next one",
				"Report it to the maker of the server: its paging does not advance." },
	[LOOP_CALL_STORM] = { " is the last of ", " calls in 60 seconds",
			      "Stop the agent if this is not a planned batch; limit its rate." },
	[LOOP_FAN_OUT] = { " is the last of ", " calls that wait for an answer at once",
			   "Check whether the server hangs; limit how much the agent does in parallel." },
	[LOOP_SPAWN_STORM] = { " started ", " agents in 60 seconds",
			       "Stop the agent if this is not planned; limit how many agents it may start." },
	[LOOP_CIRCLING] = { " was called ", " times in a row with nearly the same arguments, coming back to earlier ones",
			    "Look at what the agent tries to achieve: it varies a call without getting closer." },
	[LOOP_SLOW_SAME] = { " was called ", " times, minutes apart, with the same arguments and result",
			     "If no schedule does this, the agent is caught in a slow loop: stop it." },
	[LOOP_SLOW_LOOP] = { " was called ", " times within an hour with the same arguments and result",
			     "If no schedule does this, look at the agent." },
	[LOOP_SESSION_BUDGET] = { " is call number ", " of its session",
				  "Few sessions need so many calls: look at what the agent does." },
	[LOOP_CHURN] = { " was called ", " times in a row with nearly the same arguments and other results",
			 "Look at what the agent tries to achieve." },
};

static const uint8_t severities[LOOP_N] = {
#define X(name, text, severity, threshold, poll, help) [LOOP_##name] = severity,
	LOOP_RULES(X)
#undef X
};

/* Where the text of the error says what to do, that is better advice. */
static const char *const error_advice[ERROR_CLASSES] = {
	[ERROR_VALIDATION] = "Compare the arguments with the tool's schema; a model's output limit may cut them off.",
	[ERROR_AUTH] = "Renew the credentials that the server needs; calling again does not help.",
	[ERROR_TIMEOUT] = "Check why the server is slow; the agent waits for it in vain.",
	[ERROR_RATE_LIMIT] = "Make the client wait as the server asks, and do less in parallel.",
	[ERROR_UNAVAILABLE] = "Check that the server and what is behind it are up.",
};

uint8_t loop_severity(enum loop_rule rule)
{
	return severities[rule];
}

const char *loop_advice(const struct episode *x)
{
	const char *advice = error_advice[x->error_class];

	return advice ? advice : words[x->rule].advice;
}

static void add_name(struct buf *out, const char *name)
{
	if (!*name)
		buf_add_str(out, "A tool");
	for (; *name; name++) {
		bool plain = (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') ||
			     (*name >= '0' && *name <= '9') || *name == '_' || *name == '-' || *name == '.' ||
			     *name == '/' || *name == ':';

		buf_add_ch(out, plain ? *name : '?');
	}
}

void loop_summary(const struct episode *x, struct buf *out)
{
	add_name(out, x->tool);
	buf_add_str(out, words[x->rule].before);
	buf_addf(out, "%" PRIu64, x->count);
	buf_add_str(out, words[x->rule].after);
	if (x->sessions > 1)
		buf_addf(out, ", over %" PRIu32 " sessions", x->sessions);
}

static void add_fp(struct jsonw *w, const char *key, const struct fp *fp, const char *scope)
{
	char hex[33];

	if (!fp_is(fp))
		return;
	fp_hex(fp, scope, hex);
	jsonw_cstr(w, key, hex);
}

void loop_evidence(const struct episode *x, struct buf *out)
{
	struct jsonw w;

	jsonw_init(&w, out);
	jsonw_open(&w, NULL, '{');
	jsonw_cstr(&w, "scope", x->agent_scope ? "agent" : "session");
	if (x->tool[0])
		jsonw_cstr(&w, "tool", x->tool);
	jsonw_u64(&w, "count", x->count);
	if (x->period)
		jsonw_u64(&w, "period", x->period);
	if (x->window)
		jsonw_u64(&w, "window", x->window);
	if (x->sessions > 1)
		jsonw_u64(&w, "sessions", x->sessions);
	add_fp(&w, "args_fp", &x->args_fp, "args");
	add_fp(&w, "result_fp", &x->result_fp, "result");
	if (x->error_class != ERROR_NONE)
		jsonw_cstr(&w, "error_class", error_class_names[x->error_class]);
	jsonw_close(&w, '}');
}
