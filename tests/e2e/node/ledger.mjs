// SPDX-License-Identifier: Apache-2.0
// The truth of one peer: messages as texts on the wire, requests with their outcome and time.
import { openSync, writeSync } from 'node:fs';

const fd = process.env.TRUTH ? openSync(process.env.TRUTH, 'a', 0o600) : -1;

export const now = () => process.hrtime.bigint();

let hushed = false;

// Say nothing of what comes, until told otherwise.
export function hush(on) {
	hushed = on;
}

export function say(line) {
	if (fd >= 0 && !hushed) writeSync(fd, JSON.stringify(line) + '\n');
}

export class Ledger {
	// @peer: the MCP role of this process; @other: pid of the other end, where known.
	// @alone: the other end logs nothing, so its requests are told here (without a time: the asker has it).
	constructor(peer, other, alone = Boolean(process.env.TRUTH_ALONE)) {
		this.head = { peer, pid: process.pid };
		if (other) this.head.other = other;
		this.pending = new Map();
		this.asked = alone ? new Map() : undefined;
		this.told = new Set();
	}

	// The text of one message or batch, as it is on the wire, about to be sent.
	out(text) {
		for (const [m, bytes] of messages(text)) {
			this.message('out', m, bytes);
			if (m.method === 'notifications/cancelled') this.settle(m.params?.requestId, 'cancelled');
			else if (m.method !== undefined && m.id !== undefined)
				this.pending.set(JSON.stringify(m.id), { m, start: now() });
			else if (m.method === undefined) this.answered(m);
		}
	}

	// ... just received.
	in(text) {
		for (const [m, bytes] of messages(text)) {
			this.message('in', m, bytes);
			if (m.method === undefined) this.settle(m.id, outcome(m));
			else if (m.id !== undefined) this.asked?.set(JSON.stringify(m.id), m.method);
		}
	}

	// We answer the other end's request. On a stream that is resumed it comes again, and is answered again: one call.
	answered(m) {
		const method = this.asked?.get(JSON.stringify(m.id));
		if (method === undefined || this.told.has(JSON.stringify(m.id))) return;
		this.told.add(JSON.stringify(m.id));
		const peer = this.head.peer === 'client' ? 'server' : 'client';
		say({ t: 'call', peer, pid: this.head.other ?? 0, other: process.pid, id: m.id, method, outcome: outcome(m) });
	}

	message(dir, m, bytes) {
		const line = { t: 'msg', ...this.head, dir, kind: kind(m), id: m.id, method: m.method };
		if (bytes !== undefined) line.bytes = bytes;
		say(line);
	}

	// The request with @id is over.
	settle(id, outcome) {
		const p = this.pending.get(JSON.stringify(id));
		if (!p) return;
		const dur_ns = Number(now() - p.start);
		this.pending.delete(JSON.stringify(id));
		const { method, params } = p.m;
		const line = { t: 'call', ...this.head, id, method, outcome, dur_ns };
		if (method === 'tools/call') line.tool = params?.name;
		if (params?.arguments?.key !== undefined) line.key = params.arguments.key;
		if (params?.taskId !== undefined) line.task = params.taskId;
		say(line);
	}

	// Nothing more will come.
	end() {
		for (const { m } of [...this.pending.values()]) this.settle(m.id, 'unanswered');
	}
}

// Runs @work as the handler of a call and says how long it took.
export async function handled(tool, key, work) {
	const start = now();
	try {
		return await work();
	} finally {
		say({ t: 'handler', peer: 'server', pid: process.pid, tool, key, dur_ns: Number(now() - start) });
	}
}

function outcome(m) {
	if (m.error) return 'rpc_error';
	return m.result?.isError === true ? 'tool_error' : 'ok';
}

function kind(m) {
	if (m.method !== undefined) return m.id === undefined ? 'notification' : 'request';
	return m.error === undefined ? 'result' : 'error';
}

// Messages in @text with their sizes; the size of a batch's elements is not known.
function messages(text) {
	let v;
	try {
		v = JSON.parse(text);
	} catch {
		return [];
	}
	if (Array.isArray(v)) return v.map((m) => [m, undefined]);
	return v?.jsonrpc === undefined ? [] : [[v, Buffer.byteLength(text.trim())]];
}
