// SPDX-License-Identifier: Apache-2.0
// An agent that runs in circles, for the eyes: it reads, edits, tests; the test fails, and it tests again, and again.
//   circles.mjs client -- circles.mjs's command line    circles.mjs server
import { setTimeout as sleep } from 'node:timers/promises';
import { packaged, words } from './peers.mjs';

const sdk = (path) => packaged('sdk1', `sdk/dist/esm/${path}.js`);
const THINK = 400; // ms; models take longer
const text = (s, isError = false) => ({ content: [{ type: 'text', text: s }], isError });
const tools = {
	read_file: () => text('def login(user): ...'),
	edit_file: () => text('1 line changed'),
	run_tests: () => text('FAILED test_login: KeyError: user', true),
};

async function serve() {
	const { Server } = await sdk('server/index');
	const { StdioServerTransport } = await sdk('server/stdio');
	const types = await sdk('types');
	const server = new Server({ name: 'workspace', version: '1.0' }, { capabilities: { tools: {} } });
	server.setRequestHandler(types.CallToolRequestSchema, async ({ params }) => tools[params.name]());
	await server.connect(new StdioServerTransport());
}

async function circle([command, ...args]) {
	const { Client } = await sdk('client/index');
	const { StdioClientTransport } = await sdk('client/stdio');
	const client = new Client({ name: 'coding-agent', version: '1.0' }, { capabilities: {} });
	await client.connect(new StdioClientTransport({ command, args, env: process.env }));
	for (const name of ['read_file', 'edit_file', 'run_tests', 'run_tests', 'run_tests', 'run_tests']) {
		await sleep(THINK);
		await client.callTool({ name, arguments: { path: 'login.py' } });
	}
	await client.close();
}

if (process.argv[2] === 'server') await serve();
else await circle(words(process.argv.slice(3)).server);
