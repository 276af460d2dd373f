// SPDX-License-Identifier: Apache-2.0
// The tools of our servers, whatever the SDK. @io: what a handler can do besides answering.
import { setTimeout as sleep } from 'node:timers/promises';
import { handled } from './ledger.mjs';

const schema = (properties) => ({
	type: 'object',
	properties: { key: { type: 'string' }, ...properties },
});

export const tools = [
	{ name: 'echo', description: 'Answers its text', inputSchema: schema({ text: { type: 'string' } }) },
	{ name: 'fail', description: 'Fails', inputSchema: schema({}) },
	{ name: 'size', description: 'Answers the length of its text', inputSchema: schema({ text: { type: 'string' } }) },
	{ name: 'blob', description: 'Answers a long text', inputSchema: schema({ size: { type: 'number' } }) },
	{ name: 'steps', description: 'Reports progress', inputSchema: schema({ steps: { type: 'number' } }) },
	{ name: 'log', description: 'Logs a line', inputSchema: schema({ text: { type: 'string' } }) },
	{ name: 'ask', description: 'Asks the client', inputSchema: schema({}) },
	{ name: 'wait', description: 'Waits', inputSchema: schema({ ms: { type: 'number' } }) },
];

const text = (s) => ({ content: [{ type: 'text', text: s }] });

const handlers = {
	echo: async (args) => text(args.text),
	fail: async () => ({ ...text('no luck'), isError: true }),
	size: async (args) => text(String(args.text.length)),
	blob: async (args) => text('x'.repeat(args.size)),
	wait: async (args, io) => {
		await sleep(args.ms, undefined, { signal: io.signal });
		return text('waited');
	},
	steps: async (args, io) => {
		for (let progress = 1; progress <= args.steps; progress++)
			await io.notify('notifications/progress', { progressToken: io.token, progress, total: args.steps });
		return text('done');
	},
	log: async (args, io) => {
		await io.notify('notifications/message', { level: 'info', logger: 'peer', data: args.text });
		return text('logged');
	},
	ask: async (args, io) => {
		const answer = await io.ask({
			messages: [{ role: 'user', content: { type: 'text', text: 'what is it?' } }],
			maxTokens: 10,
		});
		return text(answer.content.text);
	},
};

// Runs tool @name; @unknown makes the error for a tool that does not exist.
export function call(name, args, io, unknown) {
	if (!handlers[name]) throw unknown(`Unknown tool: ${name}`);
	return handled(name, args.key, () => handlers[name](args, io));
}
