// SPDX-License-Identifier: Apache-2.0
// TypeScript SDK 1.x: a server with tasks (2025-11-25, experimental) and streams that can be resumed.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { packaged } from '../node/peers.mjs';
import { end } from './tools.mjs';

const sdk = (path) => packaged('sdk1', `sdk/dist/esm/${path}.js`);
const info = { name: 'truth-logical', version: '1.0.0' };

// A job as a task: ends after a while as told, or never.
async function job({ name, arguments: args }, { taskStore }) {
	const task = await taskStore.createTask({ ttl: 60_000, pollInterval: 30 });
	const work = async () => {
		await sleep(args.ms);
		if (args.end === 'never') return;
		const status = args.end === 'broken' ? 'failed' : 'completed';
		const { status: now } = await taskStore.getTask(task.taskId);
		if (now === 'working') await taskStore.storeTaskResult(task.taskId, status, end(args.end === 'ok' ? 'ok' : 'fail'));
	};
	work().catch((e) => console.error(name, e));
	return { task };
}

async function makeServer({ tools, call }) {
	const { Server } = await sdk('server/index');
	const types = await sdk('types');
	const { InMemoryTaskStore } = await sdk('experimental/tasks/stores/in-memory');
	const tasks = { list: {}, cancel: {}, requests: { tools: { call: {} } } };
	const server = new Server(info, { capabilities: { tools: {}, tasks }, taskStore: new InMemoryTaskStore() });
	const refuse = (s) => new types.McpError(types.ErrorCode.InvalidParams, s);
	server.setRequestHandler(types.ListToolsRequestSchema, async () => ({ tools }));
	server.setRequestHandler(types.CallToolRequestSchema, async ({ params }, extra) =>
		params.task ? job(params, extra) : call(params.name, params.arguments, { leave: extra.closeSSEStream }, refuse));
	return server;
}

export async function serveStdio(work) {
	const { StdioServerTransport } = await sdk('server/stdio');
	await (await makeServer(work)).connect(new StdioServerTransport());
}

export async function serveHttp(work) {
	const { StreamableHTTPServerTransport } = await sdk('server/streamableHttp');
	const { InMemoryEventStore } = await sdk('examples/shared/inMemoryEventStore');
	const sessions = new Map();
	return async (req, res, body) => {
		let transport = sessions.get(req.headers['mcp-session-id']);
		if (!transport) {
			transport = new StreamableHTTPServerTransport({
				sessionIdGenerator: randomUUID,
				onsessioninitialized: (id) => sessions.set(id, transport),
				eventStore: new InMemoryEventStore(),
				retryInterval: 50,
			});
			await (await makeServer(work)).connect(transport);
		}
		await transport.handleRequest(req, res, body);
	};
}
