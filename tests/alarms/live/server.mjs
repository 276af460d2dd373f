// SPDX-License-Identifier: Apache-2.0
// Answers as the transcript says, faster than it was:
//	server.mjs --script FILE --speed N --transport stdio --session NAME
//	server.mjs --script FILE --speed N --transport http --port N
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { packaged, words } from '../../e2e/node/peers.mjs';
import { scripts } from './script.mjs';

const sdk = (path) => packaged('sdk1', `sdk/dist/esm/${path}.js`);
const { Server } = await sdk('server/index');

const options = words();
const speed = Number(options.speed);
const all = await scripts(options.script);

function serverOf(name) {
	const { calls } = all.get(name);
	const server = new Server({ name: 'scripted', version: '1' }, { capabilities: { tools: {} } });

	server.fallbackRequestHandler = async ({ params }) => {
		const { took, result, error } = calls[params._meta.n];
		if (took === undefined) return new Promise(() => {});
		await sleep(took / speed);
		if (error) throw error;
		return result;
	};
	return server;
}

if (options.transport === 'stdio') {
	const { StdioServerTransport } = await sdk('server/stdio');
	await serverOf(options.session).connect(new StdioServerTransport());
} else {
	const { StreamableHTTPServerTransport } = await sdk('server/streamableHttp');
	const sessions = new Map();
	createServer(async (req, res) => {
		let transport = sessions.get(req.headers['mcp-session-id']);
		if (!transport) {
			transport = new StreamableHTTPServerTransport({
				sessionIdGenerator: randomUUID,
				onsessioninitialized: (id) => sessions.set(id, transport),
			});
			await serverOf(decodeURIComponent(req.headers['x-script'])).connect(transport);
		}
		await transport.handleRequest(req, res);
	}).listen(Number(options.port), '127.0.0.1');
}
