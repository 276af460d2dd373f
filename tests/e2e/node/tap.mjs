// SPDX-License-Identifier: Apache-2.0
// Where bytes enter and leave a process: each message that passes goes into a ledger. Import before any SDK.
import { createRequire } from 'node:module';
import { Ledger } from './ledger.mjs';
import { Body, Lines, Whole } from './framing.mjs';

const childProcess = createRequire(import.meta.url)('node:child_process');

// Calls @see with each chunk that is written to @stream, before it is.
function tapWrites(stream, see) {
	const { write, end } = stream;
	const note = (chunk) => {
		if (typeof chunk === 'string') see(Buffer.from(chunk));
		else if (chunk instanceof Uint8Array) see(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length));
	};
	stream.write = (chunk, ...rest) => {
		note(chunk);
		return write.call(stream, chunk, ...rest);
	};
	stream.end = (...args) => {
		note(args[0]);
		stream.write = write; // end() may call write() with the same chunk
		return end.apply(stream, args);
	};
}

// Calls @see with each chunk that @stream hands out. A listener would start the flow before the SDK listens.
function tapReads(stream, see) {
	const emit = stream.emit;
	stream.emit = (event, ...args) => {
		if (event === 'data') see(args[0]);
		return emit.call(stream, event, ...args);
	};
}

// A client over stdio: every child whose standard input and output are piped. Returns a function for the end.
export function tapChildren() {
	const ledgers = [];
	const spawn = childProcess.spawn;
	childProcess.spawn = (...args) => {
		const child = spawn(...args);
		if (!child.stdin || !child.stdout) return child;
		const ledger = new Ledger('client', child.pid);
		ledgers.push(ledger);
		const out = new Lines((text) => ledger.out(text));
		const into = new Lines((text) => ledger.in(text));
		tapWrites(child.stdin, (chunk) => out.push(chunk));
		tapReads(child.stdout, (chunk) => into.push(chunk));
		return child;
	};
	return () => ledgers.forEach((l) => l.end());
}

// A server over stdio.
export function tapStdio() {
	const ledger = new Ledger('server');
	const out = new Lines((text) => ledger.out(text));
	const into = new Lines((text) => ledger.in(text));
	tapWrites(process.stdout, (chunk) => out.push(chunk));
	tapReads(process.stdin, (chunk) => into.push(chunk));
	process.on('exit', () => ledger.end());
}

// A client over HTTP: every fetch. Returns a function for the end.
export function tapFetch() {
	const ledger = new Ledger('client');
	const fetch = globalThis.fetch;
	globalThis.fetch = async (url, init) => {
		const text = typeof init?.body === 'string' ? init.body : undefined;
		if (text) ledger.out(text);
		const id = text ? JSON.parse(text).id : undefined;
		if (id !== undefined) init.signal?.addEventListener('abort', () => ledger.settle(id, 'cancelled'));
		const res = await fetch(url, init);
		const gone = () => {
			if (!res.ok && id !== undefined) ledger.settle(id, 'http_error');
		};
		return res.body ? tapResponse(res, ledger, gone) : (gone(), res);
	};
	return () => ledger.end();
}

function tapResponse(res, ledger, gone) {
	const body = new Body((text) => ledger.in(text));
	const tap = new TransformStream({
		transform(chunk, ctl) {
			body.push(Buffer.from(chunk));
			ctl.enqueue(chunk);
		},
		flush() {
			body.end();
			gone();
		},
	});
	const { status, statusText, headers } = res;
	const copy = new Response(res.body.pipeThrough(tap), { status, statusText, headers });
	Object.defineProperty(copy, 'url', { value: res.url });
	return copy;
}

// A server over HTTP: one exchange. Answers the request's body.
export async function tapExchange(ledger, req, res) {
	const body = new Body((text) => ledger.out(text));
	const see = (chunk) => body.push(chunk);
	tapWrites(res, see);
	res.on('close', () => body.end());
	res.on('finish', () => body.end());
	let json;
	const whole = new Whole((text) => {
		ledger.in(text);
		json = JSON.parse(text);
	});
	for await (const chunk of req) whole.push(chunk);
	whole.end();
	return json;
}
