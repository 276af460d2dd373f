/* SPDX-License-Identifier: Apache-2.0 */
/* The values that are taken out of JSON-RPC messages. */
#ifndef MCPVIGIL_PROTO_RPC_FIELD_H
#define MCPVIGIL_PROTO_RPC_FIELD_H

/* X(name, path). '.' separates keys; a key in [] may contain dots and slashes. MCP field names:
 * schema.ts of revisions 2024-11-05 ... 2026-07-28. */
#define RPC_FIELDS(X)                                                                              \
	X(JSONRPC, "jsonrpc")                                                                      \
	X(ID, "id")                                                                                \
	X(METHOD, "method")                                                                        \
	X(NAME, "params.name")                                                                     \
	X(URI, "params.uri")                                                                       \
	X(TASK_ID, "params.taskId")                                                                \
	X(REQUEST_ID, "params.requestId")                                                          \
	X(PROGRESS_TOKEN, "params.progressToken")                                                  \
	X(REQUEST_STATE, "params.requestState")                                                    \
	X(INPUT_RESPONSES, "params.inputResponses")                                                \
	X(CURSOR, "params.cursor")                                                                 \
	X(VERSION, "params.protocolVersion")                                                       \
	X(CLIENT_NAME, "params.clientInfo.name")                                                   \
	X(CLIENT_VERSION, "params.clientInfo.version")                                             \
	X(META_PROGRESS, "params._meta.progressToken")                                             \
	X(META_TRACEPARENT, "params._meta.traceparent")                                            \
	X(META_VERSION, "params._meta.[io.modelcontextprotocol/protocolVersion]")                  \
	X(META_CLIENT_NAME, "params._meta.[io.modelcontextprotocol/clientInfo].name")              \
	X(META_CLIENT_VER, "params._meta.[io.modelcontextprotocol/clientInfo].version")            \
	X(META_CLIENT_CAPS, "params._meta.[io.modelcontextprotocol/clientCapabilities]")           \
	X(META_SUBSCRIPTION, "params._meta.[io.modelcontextprotocol/subscriptionId]")              \
	X(META_TOOL_USE, "params._meta.[claudecode/toolUseId]")                                    \
	X(META_CALL_ID, "params._meta.callId")                                                     \
	X(META_ITEM, "params._meta.itemId")                                                        \
	X(META_THREAD, "params._meta.thread_id")                                                   \
	X(META_SESSION, "params._meta.session_id")                                                 \
	X(META_CODEX_THREAD, "params._meta.[x-codex-turn-metadata].thread_id")                     \
	X(META_CODEX_SESSION, "params._meta.[x-codex-turn-metadata].session_id")                   \
	X(IS_ERROR, "result.isError")                                                              \
	X(RESULT_TYPE, "result.resultType")                                                        \
	X(RESULT_VERSION, "result.protocolVersion")                                                \
	X(SERVER_NAME, "result.serverInfo.name")                                                   \
	X(SERVER_VERSION, "result.serverInfo.version")                                             \
	X(META_SERVER_NAME, "result._meta.[io.modelcontextprotocol/serverInfo].name")              \
	X(META_SERVER_VER, "result._meta.[io.modelcontextprotocol/serverInfo].version")            \
	X(RESULT_TASK_ID, "result.taskId")                                                         \
	X(RESULT_TASK_ID1, "result.task.taskId")                                                   \
	X(RESULT_TASK_STATUS, "result.task.status")                                                \
	X(RESULT_STATUS, "result.status")                                                          \
	X(RESULT_STATE, "result.requestState")                                                     \
	X(NEXT_CURSOR, "result.nextCursor")                                                        \
	X(RESULT_CAPS, "result.capabilities")                                                      \
	X(RESULT_INNER, "result.result")                                                           \
	X(RESULT_INNER_ERROR, "result.result.isError")                                             \
	X(RESULT_INNER_CODE, "result.error.code")                                                  \
	X(STATUS, "params.status")                                                                 \
	X(NOTE_RESULT, "params.result")                                                            \
	X(NOTE_ERROR, "params.result.isError")                                                     \
	X(NOTE_CODE, "params.error.code")                                                          \
	X(ERROR_CODE, "error.code")                                                                \
	X(ERROR_MESSAGE, "error.message")                                                          \
	X(PARAMS, "params")                                                                        \
	X(RESULT, "result")                                                                        \
	X(ERROR, "error")

enum rpc_field {
#define X(name, path) RPC_F_##name,
	RPC_FIELDS(X)
#undef X
	RPC_F_N
};

#endif
