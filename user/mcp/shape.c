/* SPDX-License-Identifier: Apache-2.0 */
/* Telling MCP from its neighbours.
 *
 * MCP: an initialize whose protocolVersion is a date, a method that only MCP has, the _meta keys of the modern era, or
 * a result that answers initialize. A lone ping, an unknown method or a plain result say nothing. The neighbours are
 * named by methods that only they have; ACP by the integer protocolVersion of its initialize. */
#include "mcp/shape.h"

#include "mcp/method.h"

/* A name that ends in '/' stands for all that begin with it. */
static const struct {
	struct sv name;
	enum shape shape;
} others[] = {
	{ { "session/", 8 }, SHAPE_ACP },
	{ { "fs/read_text_file", 17 }, SHAPE_ACP },
	{ { "fs/write_text_file", 18 }, SHAPE_ACP },
	{ { "terminal/", 9 }, SHAPE_ACP },
	{ { "message/send", 12 }, SHAPE_A2A },
	{ { "message/stream", 14 }, SHAPE_A2A },
	{ { "tasks/resubscribe", 17 }, SHAPE_A2A },
	{ { "tasks/pushNotificationConfig/", 29 }, SHAPE_A2A },
	{ { "agent/", 6 }, SHAPE_A2A },
	{ { "SendMessage", 11 }, SHAPE_A2A },
	{ { "SendStreamingMessage", 20 }, SHAPE_A2A },
	{ { "textDocument/", 13 }, SHAPE_LSP },
	{ { "workspace/", 10 }, SHAPE_LSP },
	{ { "window/", 7 }, SHAPE_LSP },
	{ { "$/", 2 }, SHAPE_LSP },
	{ { "client/registerCapability", 25 }, SHAPE_LSP },
	{ { "client/unregisterCapability", 27 }, SHAPE_LSP },
	{ { "initialized", 11 }, SHAPE_LSP },
};

static enum shape other_of(struct sv method)
{
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct sv name = others[i].name;

		if (name.p[name.n - 1] == '/' ? sv_starts(method, name) : sv_eq(method, name))
			return others[i].shape;
	}
	return SHAPE_UNDECIDED;
}

static bool is_digits(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] < '0' || p[i] > '9')
			return false;
	return true;
}

bool shape_is_version(struct sv t)
{
	if (sv_starts(t, SV("DRAFT-")))
		return true;
	return t.n == 10 && is_digits(t.p, 4) && t.p[4] == '-' && is_digits(t.p + 5, 2) && t.p[7] == '-' &&
	       is_digits(t.p + 8, 2);
}

static bool is_version(const struct rpc_value *v)
{
	return v->type == RPC_STRING && shape_is_version(v->text);
}

bool shape_is_modern(const struct rpc_msg *rpc)
{
	static const uint8_t keys[] = { RPC_F_META_VERSION, RPC_F_META_CLIENT_NAME, RPC_F_META_CLIENT_CAPS,
					RPC_F_META_SUBSCRIPTION };

	for (size_t i = 0; i < sizeof(keys); i++)
		if (rpc->f[keys[i]].type != RPC_ABSENT)
			return true;
	return sv_eq(rpc->f[RPC_F_METHOD].text, SV("server/discover"));
}

static enum shape shape_of_initialize(const struct rpc_msg *rpc)
{
	const struct rpc_value *version = &rpc->f[RPC_F_VERSION];

	if (version->type == RPC_NUMBER)
		return SHAPE_ACP;
	return is_version(version) ? SHAPE_MCP : SHAPE_UNDECIDED;
}

enum shape shape_of(const struct rpc_msg *rpc)
{
	struct sv name = rpc->f[RPC_F_METHOD].text;
	const struct method *me;

	if (rpc->kind == RPC_RESULT)
		return is_version(&rpc->f[RPC_F_RESULT_VERSION]) ||
				       rpc->f[RPC_F_META_SERVER_NAME].type == RPC_STRING ?
			       SHAPE_MCP :
			       SHAPE_UNDECIDED;
	if (rpc->kind != RPC_REQUEST && rpc->kind != RPC_NOTIFICATION)
		return SHAPE_UNDECIDED;
	if (sv_eq(name, SV("initialize")))
		return shape_of_initialize(rpc);
	me = method_find(name);
	if ((me && me->mcp_only) || shape_is_modern(rpc))
		return SHAPE_MCP;
	return me ? SHAPE_UNDECIDED : other_of(name);
}

const char *shape_name(enum shape s)
{
	static const char *const names[] = {
		[SHAPE_MCP] = "mcp", [SHAPE_ACP] = "acp", [SHAPE_A2A] = "a2a",
		[SHAPE_LSP] = "lsp",
	};

	return s < sizeof(names) / sizeof(names[0]) && names[s] ? names[s] : "unknown";
}

uint8_t shape_sender(const struct rpc_msg *rpc)
{
	const struct method *me;

	if (rpc->kind == RPC_RESULT) {
		static const uint8_t servers[] = { RPC_F_RESULT_VERSION, RPC_F_SERVER_NAME,
						   RPC_F_META_SERVER_NAME, RPC_F_IS_ERROR };

		for (size_t i = 0; i < sizeof(servers); i++)
			if (rpc->f[servers[i]].type != RPC_ABSENT)
				return SENT_BY_SERVER;
		return SENT_BY_BOTH;
	}
	me = method_find(rpc->f[RPC_F_METHOD].text);
	if (me)
		return me->sender;
	return rpc->kind == RPC_REQUEST && shape_is_modern(rpc) ? SENT_BY_CLIENT : SENT_BY_BOTH;
}
