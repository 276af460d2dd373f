// SPDX-License-Identifier: Apache-2.0
// TypeScript SDK 1.x behind the interface that client.mjs and server.mjs use. Legacy era only.
import { randomUUID } from 'node:crypto';
import { packaged } from './peers.mjs';

const sdk = (path) => packaged('sdk1', `sdk/dist/esm/${path}.js`);
const info = { name: 'truth-ts1', version: '1.0.0' };

export async function connect({ transport, url, server }) {
	const { Client } = await sdk('client/index');
	const types = await sdk('types');
	const client = new Client(info, { capabilities: { sampling: {}, roots: {} } });
	client.setRequestHandler(types.CreateMessageRequestSchema, async () => ({
		model: 'none',
		role: 'assistant',
		content: { type: 'text', text: '42' },
	}));
	client.setRequestHandler(types.ListRootsRequestSchema, async () => ({ roots: [] }));
	await client.connect(await clientTransport(transport, url, server));
	return {
		client,
		call: (params, options) => client.callTool(params, undefined, options),
		request: (method) => client.request({ method }, types.EmptyResultSchema),
		heard: (method, fn) => client.setNotificationHandler(types.LoggingMessageNotificationSchema, fn),
	};
}

async function clientTransport(transport, url, [command, ...args]) {
	if (transport === 'stdio') {
		const { StdioClientTransport } = await sdk('client/stdio');
		return new StdioClientTransport({ command, args, env: process.env, stderr: 'inherit' });
	}
	if (transport === 'sse') {
		const { SSEClientTransport } = await sdk('client/sse');
		return new SSEClientTransport(new URL(url));
	}
	const { StreamableHTTPClientTransport } = await sdk('client/streamableHttp');
	return new StreamableHTTPClientTransport(new URL(url));
}

async function makeServer({ tools, call }) {
	const { Server } = await sdk('server/index');
	const types = await sdk('types');
	const server = new Server(info, { capabilities: { tools: {}, logging: {} } });
	const unknown = (s) => new types.McpError(types.ErrorCode.InvalidParams, s);
	server.setRequestHandler(types.ListToolsRequestSchema, async () => ({ tools }));
	server.setRequestHandler(types.CallToolRequestSchema, async ({ params }, extra) =>
		call(params.name, params.arguments ?? {}, {
			signal: extra.signal,
			token: params._meta?.progressToken,
			notify: (method, params) => extra.sendNotification({ method, params }),
			ask: (params) =>
				extra.sendRequest({ method: 'sampling/createMessage', params }, types.CreateMessageResultSchema),
		}, unknown));
	return server;
}

export async function serveStdio(work) {
	const { StdioServerTransport } = await sdk('server/stdio');
	await (await makeServer(work)).connect(new StdioServerTransport());
}

// Answers a function (req, res, body) for each exchange on /mcp.
export async function serveHttp(work) {
	const { StreamableHTTPServerTransport } = await sdk('server/streamableHttp');
	const sessions = new Map();
	return async (req, res, body) => {
		let transport = sessions.get(req.headers['mcp-session-id']);
		if (!transport) {
			transport = new StreamableHTTPServerTransport({
				sessionIdGenerator: randomUUID,
				onsessioninitialized: (id) => sessions.set(id, transport),
			});
			await (await makeServer(work)).connect(transport);
		}
		await transport.handleRequest(req, res, body);
	};
}

// Answers a function (req, res, body) for each exchange on /sse and /messages.
export async function serveSse(work) {
	const { SSEServerTransport } = await sdk('server/sse');
	const sessions = new Map();
	return async (req, res, body) => {
		if (req.method === 'POST') {
			const id = new URL(req.url, 'http://x').searchParams.get('sessionId');
			return sessions.get(id).handlePostMessage(req, res, body);
		}
		const transport = new SSEServerTransport('/messages', res);
		sessions.set(transport.sessionId, transport);
		await (await makeServer(work)).connect(transport);
	};
}
