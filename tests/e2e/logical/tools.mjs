// SPDX-License-Identifier: Apache-2.0
// Tools whose calls take more than one request, or more than one try. The last argument of `call` makes an RPC error.
import { setTimeout as sleep } from 'node:timers/promises';

const string = { type: 'string' }, number = { type: 'number' };
const schema = (properties) => ({ type: 'object', properties: { key: string, ...properties } });
const text = (s) => ({ content: [{ type: 'text', text: s }] });

export const tools = [
	{ name: 'echo', inputSchema: schema({ text: string }) },
	{ name: 'flaky', inputSchema: schema({ fails: number, how: string }) },
	{ name: 'quiz', inputSchema: schema({ rounds: number, end: string }) },
	{ name: 'form', inputSchema: schema({ end: string }) },
	{ name: 'slow', inputSchema: schema({ ms: number, gaps: number }) },
];

export const end = (how, refuse) => {
	if (how === 'refuse') throw refuse('not today');
	return how === 'fail' ? { ...text('no luck'), isError: true } : text('done');
};

const tries = new Map();

const question = (n) => ({
	method: 'elicitation/create',
	params: {
		mode: 'form',
		message: `question ${n}`,
		requestedSchema: { type: 'object', properties: { yes: { type: 'boolean' } } },
	},
});

const handlers = {
	echo: (args) => text(args.text),
	// Fails as often as told, then does not.
	flaky: (args, io, refuse) => {
		const n = (tries.get(args.key) ?? 0) + 1;
		tries.set(args.key, n);
		return n > args.fails ? text('at last') : end(args.how, refuse);
	},
	// Asks so many times, one question a round; what round it is only the state tells.
	quiz: (args, io, refuse) => {
		const round = io.state === undefined ? 0 : Number(io.state.split('/')[1]);
		if (round === args.rounds) return end(args.end, refuse);
		return {
			resultType: 'input_required',
			inputRequests: { more: question(round + 1) },
			requestState: `${args.key}/${round + 1}`,
		};
	},
	// Asks once and keeps no state: the same call comes again, with the answer.
	form: (args, io, refuse) =>
		io.answers ? end(args.end, refuse) : { resultType: 'input_required', inputRequests: { more: question(1) } },
	// Leaves its client without a stream, so many times.
	slow: async (args, io) => {
		for (let i = 0; i < args.gaps; i++) {
			await sleep(args.ms);
			io.leave();
		}
		await sleep(args.ms);
		return text('waited');
	},
};

export async function call(name, args, io, refuse) {
	if (!handlers[name]) throw refuse(`Unknown tool: ${name}`);
	return handlers[name](args, io, refuse);
}
