// SPDX-License-Identifier: Apache-2.0
// A client whose calls take more than one request. Beside the ledger it says of each such call, as its user sees it:
//   {"t":"logical","pid":N,"tool":"quiz","key":"k1","by":"request_state","outcome":"ok","dur_ns":N,"least_ns":N}
// "task" where it became one; outcome "open" where it was left alone; least_ns: it cannot have taken less.
//   client.mjs --work mrtr|tasks|retry|resume|relay|everything --sdk 1|2 --transport stdio|http [--era E] [--url URL]
//              [-- SERVER...]
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { now, say } from '../node/ledger.mjs';
import { tapChildren, tapFetch } from '../node/tap.mjs';
import { packaged, words } from '../node/peers.mjs';

const options = words();
const finish = options.transport === 'stdio' ? tapChildren() : tapFetch();
const { connect } = await import(`../node/sdk${options.sdk}.mjs`);

const MS = 1_000_000;
const THINK = 20; // ms that a user takes for an answer

let serial = 0;
const key = () => `${process.pid}-${++serial}`;
const outcomeOf = (result) => (result.isError ? 'tool_error' : 'ok');

// Runs @work, which resolves to a result, and says what became of the call as a whole.
async function logical(line, work) {
	const start = now();
	let outcome;
	try {
		outcome = await work(line);
	} catch (e) {
		if (typeof e.code !== 'number') throw e;
		outcome = 'rpc_error';
	}
	say({ t: 'logical', pid: process.pid, ...line, outcome, dur_ns: Number(now() - start) });
	return outcome;
}

const quiz = (peer, rounds, end) => {
	const args = { key: key(), rounds, end };
	const line = { tool: 'quiz', key: args.key, by: 'request_state', least_ns: rounds * THINK * MS };
	return logical(line, async () => outcomeOf(await peer.call({ name: 'quiz', arguments: args })));
};

const form = (peer, end) => {
	const args = { key: key(), end };
	const line = { tool: 'form', key: args.key, by: 'arguments', least_ns: THINK * MS };
	return logical(line, async () => outcomeOf(await peer.call({ name: 'form', arguments: args })));
};

// The first question is never answered.
const unanswered = (peer) => {
	const args = { key: key(), rounds: 2, end: 'ok' };
	return logical({ tool: 'quiz', key: args.key, by: 'request_state' }, async () => {
		const first = await peer.call({ name: 'quiz', arguments: args }, { allowInputRequired: true });
		assert.equal(first.resultType, 'input_required');
		return 'open';
	});
};

async function mrtr(peer) {
	assert.equal(await quiz(peer, 1, 'ok'), 'ok');
	assert.equal(await quiz(peer, 4, 'ok'), 'ok');
	assert.equal(await quiz(peer, 2, 'fail'), 'tool_error');
	assert.equal(await quiz(peer, 2, 'refuse'), 'rpc_error');
	assert.equal(await quiz(peer, 0, 'ok'), 'ok');
	const both = await Promise.all([quiz(peer, 2, 'fail'), quiz(peer, 3, 'ok')]);
	assert.deepEqual(both, ['tool_error', 'ok']);
	assert.equal(await form(peer, 'ok'), 'ok');
	assert.deepEqual(await Promise.all([form(peer, 'fail'), form(peer, 'ok')]), ['tool_error', 'ok']);
	await unanswered(peer);
}

const anyResult = async () => (await packaged('sdk1', 'sdk/dist/esm/types.js')).CallToolResultSchema;

// The SDK's own way: poll until it is over, then fetch the result where there should be one.
async function follow(peer, line, name, args, schema) {
	const stream = peer.client.experimental.tasks.callToolStream({ name, arguments: args }, schema, { task: { ttl: 60_000 } });
	let status, result;
	for await (const message of stream) {
		if (message.type === 'taskCreated') line.task = message.task.taskId;
		if (message.type === 'taskStatus') status = message.task.status;
		if (message.type === 'result') result = message.result;
	}
	if (result) return outcomeOf(result);
	return status === 'cancelled' ? 'cancelled' : 'tool_error';
}

const job = (peer, end, work, ms = 80) => {
	const args = { key: key(), ms, end };
	const least_ns = end === 'never' ? undefined : ms * MS;
	return logical({ tool: 'job', key: args.key, by: 'task', least_ns }, (line) => work(peer, line, args));
};

async function create(peer, line, args) {
	const stream = peer.client.experimental.tasks.callToolStream(
		{ name: 'job', arguments: args }, undefined, { task: { ttl: 60_000 } });
	const { value } = await stream.next();
	line.task = value.task.taskId;
	return peer.client.experimental.tasks;
}

const followed = (peer, line, args) => follow(peer, line, 'job', args);

// Without asking how it is: tasks/result answers when it is over.
async function waited(peer, line, args) {
	const tasks = await create(peer, line, args);
	return outcomeOf(await tasks.getTaskResult(line.task, await anyResult()));
}

async function fetched(peer, line, args) {
	assert.equal(await followed(peer, line, args), 'tool_error');
	return outcomeOf(await peer.client.experimental.tasks.getTaskResult(line.task, await anyResult()));
}

async function taken(peer, line, args) {
	const tasks = await create(peer, line, args);
	assert.equal((await tasks.getTask(line.task)).status, 'working');
	assert.equal((await tasks.cancelTask(line.task)).status, 'cancelled');
	return 'cancelled';
}

async function left(peer, line, args) {
	const tasks = await create(peer, line, args);
	assert.equal((await tasks.getTask(line.task)).status, 'working');
	return 'open';
}

async function tasks(peer) {
	assert.equal(await job(peer, 'ok', followed), 'ok');
	assert.equal(await job(peer, 'fail', followed), 'tool_error'); // completed, with isError
	assert.equal(await job(peer, 'broken', followed), 'tool_error'); // failed, its result not asked for
	assert.equal(await job(peer, 'broken', fetched), 'tool_error');
	assert.equal(await job(peer, 'ok', waited), 'ok');
	assert.equal(await job(peer, 'never', taken), 'cancelled');
	await job(peer, 'never', left);
	await Promise.all([job(peer, 'ok', followed), job(peer, 'fail', followed), job(peer, 'ok', waited)]);
}

// Fails so many times, is tried again until it does not.
async function stubborn(peer, fails, how) {
	const args = { key: key(), fails, how };
	for (let i = 0; i <= fails; i++) {
		const result = await peer.call({ name: 'flaky', arguments: args }).catch((e) => e);
		assert.equal(result instanceof Error || result.isError === true, i < fails);
	}
	return args;
}

async function retry(peer) {
	const args = await stubborn(peer, 3, 'fail');
	await peer.call({ name: 'flaky', arguments: args }); // after a success: a first try
	await stubborn(peer, 2, 'refuse');
	await stubborn(peer, 0, 'ok');
	await Promise.all([stubborn(peer, 3, 'fail'), stubborn(peer, 1, 'fail')]);
}

async function resume(peer) {
	for (const gaps of [1, 0, 3]) await peer.call({ name: 'slow', arguments: { key: key(), ms: 20, gaps } });
	await Promise.all([1, 2, 1].map((gaps) => peer.call({ name: 'slow', arguments: { key: key(), ms: 20, gaps } })));
}

async function relay(peer) {
	const ask = (name, args) => peer.call({ name, arguments: { key: key(), ...args } });
	await peer.client.listTools();
	for (let i = 0; i < 4; i++) assert.equal((await ask('echo', { text: `a ${i}` })).isError ?? false, false);
	await ask('fail');
	await ask('no_such_tool').catch(() => {});
	await Promise.all([60, 40, 20, 50].map((ms) => ask('wait', { ms })));
	await Promise.all([1, 2, 3].map(() => ask('wait', { key: 'equal', ms: 40 })));
}

// Says nothing about itself: what the client sees is the truth.
async function everything(peer) {
	const args = { key: key(), topic: 'bees' };
	const outcome = await logical({ tool: 'simulate-research-query', key: args.key, by: 'task', least_ns: 4_000 * MS },
		(line) => follow(peer, line, 'simulate-research-query', args));
	assert.equal(outcome, 'ok');
}

const elicit = async () => {
	await sleep(THINK + 2); // a timer may be early by one
	return { action: 'accept', content: { yes: true } };
};

const peer = await connect({ ...options, elicit });
await { mrtr, tasks, retry, resume, relay, everything }[options.work](peer);
await peer.client.close();
await sleep(50);
finish();
process.exit(0);
