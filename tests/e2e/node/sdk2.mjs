// SPDX-License-Identifier: Apache-2.0
// TypeScript SDK 2.x behind the interface that client.mjs and server.mjs use. Both eras.
import { randomUUID } from 'node:crypto';
import { packaged } from './peers.mjs';

const info = { name: 'truth-ts2', version: '1.0.0' };

export async function connect({ transport, url, era, server, elicit }) {
	const { Client } = await packaged('sdk2', 'client/dist/index.mjs');
	const client = new Client(info, {
		capabilities: { sampling: {}, roots: {}, ...(elicit && { elicitation: {} }) },
		versionNegotiation: { mode: era === 'modern' ? 'auto' : 'legacy' },
	});
	client.setRequestHandler('sampling/createMessage', async () => ({
		model: 'none',
		role: 'assistant',
		content: { type: 'text', text: '42' },
	}));
	client.setRequestHandler('roots/list', async () => ({ roots: [] }));
	if (elicit) client.setRequestHandler('elicitation/create', elicit);
	await client.connect(await clientTransport(transport, url, server));
	return {
		client,
		call: (params, options) => client.callTool(params, options),
		request: (method) => client.request({ method }, anything),
		heard: (method, fn) => client.setNotificationHandler(method, fn),
	};
}

// A result schema that takes everything (Standard Schema).
const anything = { '~standard': { version: 1, vendor: 'truth', validate: (value) => ({ value }) } };

async function clientTransport(transport, url, [command, ...args]) {
	if (transport === 'stdio') {
		const { StdioClientTransport } = await packaged('sdk2', 'client/dist/stdio.mjs');
		return new StdioClientTransport({ command, args, env: process.env, stderr: 'inherit' });
	}
	const { SSEClientTransport, StreamableHTTPClientTransport } = await packaged('sdk2', 'client/dist/index.mjs');
	return new (transport === 'sse' ? SSEClientTransport : StreamableHTTPClientTransport)(new URL(url));
}

async function serverFactory({ tools, call }) {
	const { Server, ProtocolError } = await packaged('sdk2', 'server/dist/index.mjs');
	const unknown = (s) => new ProtocolError(-32602, s);
	return () => {
		const server = new Server(info, { capabilities: { tools: {}, logging: {} } });
		server.setRequestHandler('tools/list', async () => ({ tools }));
		server.setRequestHandler('tools/call', async ({ params }, { mcpReq }) =>
			call(params.name, params.arguments ?? {}, {
				signal: mcpReq.signal,
				token: mcpReq._meta?.progressToken,
				state: mcpReq.requestState?.(),
				answers: mcpReq.inputResponses,
				notify: (method, params) => mcpReq.notify({ method, params }),
				ask: (params) => mcpReq.requestSampling(params),
			}, unknown));
		return server;
	};
}

export async function serveStdio(work) {
	const { serveStdio } = await packaged('sdk2', 'server/dist/stdio.mjs');
	serveStdio(await serverFactory(work));
}

// Answers a function (req, res, body) for each exchange on /mcp.
export async function serveHttp(work, era) {
	const { createMcpHandler } = await packaged('sdk2', 'server/dist/index.mjs');
	const { NodeStreamableHTTPServerTransport, toNodeHandler } = await packaged('sdk2', 'node/dist/index.mjs');
	const factory = await serverFactory(work);
	if (era === 'modern') return toNodeHandler(createMcpHandler(factory));
	const sessions = new Map();
	return async (req, res, body) => {
		let transport = sessions.get(req.headers['mcp-session-id']);
		if (!transport) {
			transport = new NodeStreamableHTTPServerTransport({
				sessionIdGenerator: randomUUID,
				onsessioninitialized: (id) => sessions.set(id, transport),
			});
			await factory().connect(transport);
		}
		await transport.handleRequest(req, res, body);
	};
}
