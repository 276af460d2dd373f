// SPDX-License-Identifier: Apache-2.0
// Our client against @modelcontextprotocol/server-everything, which tells nothing: the tap is the truth for both.
//   TRUTH_ALONE=1 everything.mjs --transport stdio|http|sse [--url URL] [-- SERVER...]
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { tapChildren, tapFetch } from './tap.mjs';
import { words } from './peers.mjs';

const options = words();
const finish = options.transport === 'stdio' ? tapChildren() : tapFetch();
const { connect } = await import('./sdk1.mjs');

const { client, call } = await connect(options);
const ask = (name, args, opts) => call({ name, arguments: args }, opts);

async function lists() {
	await client.ping();
	assert.ok((await client.listTools()).tools.length > 5);
	const { resources } = await client.listResources();
	await client.readResource({ uri: resources[0].uri });
	await client.subscribeResource({ uri: resources[0].uri });
	await client.unsubscribeResource({ uri: resources[0].uri });
	await client.listResourceTemplates();
	const { prompts } = await client.listPrompts();
	await client.getPrompt({ name: prompts[0].name, arguments: {} });
	await client.setLoggingLevel('error');
	await assert.rejects(client.readResource({ uri: 'demo://no/such/thing' }));
}

async function tools() {
	assert.equal((await ask('get-sum', { a: 2, b: 3 })).content[0].text.includes('5'), true);
	assert.equal((await ask('get-sum', { a: 'two' })).isError, true);
	const text = 'z'.repeat(400_000);
	assert.ok((await ask('echo', { message: text })).content[0].text.endsWith(text));
	await ask('trigger-long-running-operation', { duration: 0.2, steps: 2 }, { onprogress: () => {} });
	await ask('trigger-sampling-request', { prompt: 'say', maxTokens: 5 });
	const stop = new AbortController();
	setTimeout(() => stop.abort(), 100);
	await assert.rejects(ask('trigger-long-running-operation', { duration: 1, steps: 1 }, { signal: stop.signal }));
	await Promise.all(Array.from({ length: 8 }, (_, n) => ask('echo', { message: String(n) })));
}

await lists();
await tools();
await sleep(500); // the server asks for roots a while after the start
await client.close();
await sleep(50);
finish();
process.exit(0);
