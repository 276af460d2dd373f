// SPDX-License-Identifier: Apache-2.0
// Plays sessions of a transcript through the SDK, at the times of the transcript, but faster:
//	client.mjs --script FILE --sessions NAME,NAME,... --speed N --tag TEXT --transport stdio|http [--url URL] [-- SERVER...]
// The session's name goes out behind the tag as clientInfo.name, the number of a call as _meta.n.
import { setTimeout as sleep } from 'node:timers/promises';
import { packaged, words } from '../../e2e/node/peers.mjs';
import { scripts } from './script.mjs';

const sdk = (path) => packaged('sdk1', `sdk/dist/esm/${path}.js`);
const { Client } = await sdk('client/index');
const { StdioClientTransport } = await sdk('client/stdio');
const { StreamableHTTPClientTransport } = await sdk('client/streamableHttp');
const { ResultSchema } = await sdk('types');

const options = words();
const speed = Number(options.speed);

function transport(name) {
	const [command, ...args] = options.server;

	const headers = { 'x-script': encodeURIComponent(name) };

	if (options.transport === 'http')
		return new StreamableHTTPClientTransport(new URL(options.url), { requestInit: { headers } });
	return new StdioClientTransport({ command, args: [...args, '--session', name], env: process.env, stderr: 'inherit' });
}

async function connect(script) {
	const client = new Client({ name: `${options.tag}${script.name}`, version: '1' }, { capabilities: {} });

	await client.connect(transport(script.name));
	return client;
}

async function play(script, client) {
	const done = [], ended = [];
	const begun = performance.now();

	for (const [n, call] of script.calls.entries()) {
		if (call.after >= 0) await done[call.after];
		const left = (ended[call.after] ?? begun) + call.wait / speed - performance.now();
		if (left > 0) await sleep(left);
		const params = { ...call.params, _meta: { ...call.params?._meta, n } };
		done.push(client.request({ method: call.method, params }, ResultSchema, { timeout: 2 ** 31 - 1 })
			.catch(() => {}).then(() => { ended[n] = performance.now(); }));
	}
	await Promise.all(done.filter((_, n) => 'took' in script.calls[n]));
	await client.close();
}

const all = await scripts(options.script);
const mine = options.sessions.split(',').map((name) => all.get(name));
const first = Math.min(...mine.map((script) => script.begun));
const clients = []; // first, so that starting them costs no time of the script; and in its order, which detection looks at
for (const script of mine) clients.push(await connect(script));
await Promise.all(mine.map(async (script, n) => {
	await sleep((script.begun - first) / speed);
	await play(script, clients[n]);
}));
await sleep(50);
process.exit(0);
