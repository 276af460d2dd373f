// SPDX-License-Identifier: Apache-2.0
// A client that does the workload of a normal cell and tells the truth about itself.
//   client.mjs --sdk 1|2 --transport stdio|http|sse [--era legacy|modern] [--url URL] [-- SERVER...]
// WORK=plain: only what each server of these tests can do. LATE=FOLDER: calls that nobody sees come first.
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { hush } from './ledger.mjs';
import { tapChildren, tapFetch } from './tap.mjs';
import { words } from './peers.mjs';
import { chooseFetch } from './web.mjs';

const options = words();
const legacy = options.era !== 'modern';
const { WORK, LATE } = process.env;
chooseFetch();
const finish = options.transport === 'stdio' ? tapChildren() : tapFetch();
const { connect } = await import(`./sdk${options.sdk}.mjs`);

let serial = 0;
const key = () => `${process.pid}-${++serial}`;
const ask = (peer, name, args = {}, opts) => peer.call({ name, arguments: { key: key(), ...args } }, opts);
const answer = (result) => result.content[0].text;

async function small(peer) {
	if (legacy) await peer.client.ping();
	const { tools } = await peer.client.listTools();
	assert.equal(tools.length, 8);
	assert.equal(answer(await ask(peer, 'echo', { text: 'hé €😀\u0001' })), 'hé €😀\u0001');
	assert.equal((await ask(peer, 'fail')).isError, true);
	await assert.rejects(ask(peer, 'no_such_tool'));
	await assert.rejects(peer.request('no/such_method'));
}

async function large(peer) {
	assert.equal(answer(await ask(peer, 'size', { text: 'y'.repeat(400_000) })), '400000');
	assert.equal(answer(await ask(peer, 'blob', { size: 5_000_000 })).length, 5_000_000);
}

async function chatter(peer) {
	// The SDK may drop progress that it handles after the result: the tap has seen it all the same.
	await ask(peer, 'steps', { steps: 3 }, { onprogress: () => {} });
	await ask(peer, 'log', { text: 'a line' });
	if (legacy) assert.equal(answer(await ask(peer, 'ask')), '42');
}

async function cancel(peer) {
	const stop = new AbortController();
	const call = ask(peer, 'wait', { ms: 5_000 }, { signal: stop.signal });
	setTimeout(() => stop.abort('changed my mind'), 100);
	await assert.rejects(call);
	await sleep(100);
}

async function concurrent(peer) {
	const calls = Array.from({ length: 8 }, () => ask(peer, 'wait', { ms: 20 }));
	for (const result of await Promise.all(calls)) assert.equal(answer(result), 'waited');
}

async function plain(peer) {
	if (legacy) await peer.client.ping();
	await peer.client.listTools();
	for (const text of ['hé €😀\u0001', 'y'.repeat(400_000)]) assert.equal(answer(await ask(peer, 'echo', { text })), text);
	assert.equal((await ask(peer, 'fail')).isError, true);
	await assert.rejects(peer.request('no/such_method'));
	await Promise.all(Array.from({ length: 8 }, (_, n) => ask(peer, 'echo', { text: String(n) })));
}

async function early(peer) {
	for (let n = 0; n < 5; n++) await ask(peer, 'echo', { text: 'early' });
	writeFileSync(`${LATE}/early`, '');
	while (!existsSync(`${LATE}/go`)) await sleep(10);
	hush(false);
}

hush(Boolean(LATE));
const peer = await connect(options);
if (LATE) await early(peer);
for (const part of WORK === 'plain' ? [plain] : [small, large, chatter, cancel, concurrent]) {
	await part(peer);
	if (process.env.VERBOSE) console.error(`${part.name} done`);
}
await peer.client.close();
await sleep(50);
finish();
process.exit(0);
