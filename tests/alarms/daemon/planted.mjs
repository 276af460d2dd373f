// SPDX-License-Identifier: Apache-2.0
// A TypeScript SDK client with secrets, in a loop: planted.mjs --transport stdio|http [--url URL] [-- SERVER...]
// $PLANTED and what it prints: planted.py.
import { setTimeout as sleep } from 'node:timers/promises';
import { packaged, words } from '../../e2e/node/peers.mjs';

const sdk = (path) => packaged('sdk1', `sdk/dist/esm/${path}.js`);
const { Client } = await sdk('client/index');
const { StdioClientTransport } = await sdk('client/stdio');
const { StreamableHTTPClientTransport } = await sdk('client/streamableHttp');

const { transport, url, server: [command, ...args] } = words();
const secret = JSON.parse(process.env.PLANTED);
const headers = { Authorization: `Bearer ${secret.bearer}`, Cookie: `sid=${secret.cookie}`, 'X-Api-Key': secret.custom };
const client = new Client({ name: 'planted-ts', version: '1' }, { capabilities: {} });

console.log('client initialize ');
console.log('client notifications/initialized ');
await client.connect(transport === 'stdio'
	? new StdioClientTransport({ command, args, env: process.env, stderr: 'inherit' })
	: new StreamableHTTPClientTransport(new URL(`${url}?token=${secret.query}`), { requestInit: { headers } }));
// The last ones get on, so that the loop is over.
for (const name of ['plain', 'broken', 'broken', 'broken', 'broken', 'a', 'b', 'c']) {
	console.log('client tools/call', name);
	await client.callTool({ name, arguments: { q: secret.argument, [secret.argument_name]: 1 }, _meta: { note: secret.meta } });
	await sleep(60);
}
await client.close();
process.exit(0);
