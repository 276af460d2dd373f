/* SPDX-License-Identifier: Apache-2.0 */
/* The words of the output contract for the enumerations of model/. */
#include "sink/label.h"

#include <stddef.h>

#include "model/call.h"
#include "tls_stack.h"

static const char *label(const char *const *names, size_t n, uint8_t value)
{
	return value < n ? names[value] : NULL;
}

#define LABEL(names, value) label(names, sizeof(names) / sizeof((names)[0]), value)

const char *label_side(uint8_t side)
{
	static const char *const names[] = { [SIDE_CLIENT] = "client", [SIDE_SERVER] = "server" };

	return LABEL(names, side);
}

const char *label_view(uint8_t view)
{
	static const char *const names[] = {
		[VIEW_BOTH] = "both", [VIEW_ASKER] = "asker", [VIEW_ANSWERER] = "answerer"
	};

	return LABEL(names, view);
}

const char *label_outcome(uint8_t outcome)
{
	return label(call_outcome_names, CALL_OUTCOMES, outcome);
}

const char *label_era(uint8_t era)
{
	static const char *const names[] = { [ERA_LEGACY] = "legacy", [ERA_MODERN] = "modern" };

	return LABEL(names, era);
}

const char *label_transport(uint8_t transport)
{
	static const char *const names[] = {
		[TRANSPORT_STDIO] = "stdio", [TRANSPORT_HTTP] = "http", [TRANSPORT_SSE] = "sse"
	};

	return LABEL(names, transport);
}

const char *label_channel(uint8_t channel)
{
	static const char *const names[] = {
		[CHANNEL_PIPE] = "pipe", [CHANNEL_UNIX] = "unix", [CHANNEL_TCP] = "tcp"
	};

	return LABEL(names, channel);
}

const char *label_part(uint8_t part)
{
	static const char *const names[] = {
		[PART_INPUT] = "input", [PART_TASK] = "task", [PART_POLL] = "poll", [PART_LAST] = "last"
	};

	return LABEL(names, part);
}

const char *label_tls(uint8_t stack)
{
	static const char *const names[] = {
#define X(name, value, text) [value] = text,
		TLS_STACK_LIST(X)
#undef X
	};

	return LABEL(names, stack);
}

const char *label_http(uint8_t version)
{
	switch (version) {
	case 10:
		return "1.0";
	case 11:
		return "1.1";
	case 20:
		return "2";
	default:
		return NULL;
	}
}
