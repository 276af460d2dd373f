// SPDX-License-Identifier: Apache-2.0
// Which HTTP is spoken: HTTP_VERSION 1.1 or 2 (else 1.1), over TLS where TLS_CERT is set.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecure } from 'node:https';
import * as http2 from 'node:http2';
import { Readable } from 'node:stream';

const { TLS_CERT, TLS_KEY, HTTP_VERSION } = process.env;
const two = HTTP_VERSION === '2';

// httpcore opens one stream at a time where the server does not say how many it allows.
const settings = { maxConcurrentStreams: 100 };

// A server that hands each exchange to @fn. A connection stays however long it is idle.
export function webServer(fn) {
	const more = TLS_CERT && { cert: readFileSync(TLS_CERT), key: readFileSync(TLS_KEY) };
	if (two && more) return http2.createSecureServer({ ...more, allowHTTP1: true, settings }, fn);
	if (two) return http2.createServer({ settings }, fn);
	const server = more ? createSecure(more, fn) : createServer(fn);
	server.keepAliveTimeout = 60_000;
	return server;
}

const links = new Map();

function link(origin) {
	let one = links.get(origin);
	if (!one || one.closed || one.destroyed) {
		one = http2.connect(origin);
		one.on('error', () => {});
		links.set(origin, one);
	}
	return one;
}

// fetch over node:http2, as much of it as the SDKs use.
function fetch2(input, { method = 'GET', headers, body, signal } = {}) {
	const url = new URL(input);
	const fields = { ':method': method, ':path': url.pathname + url.search };
	new Headers(headers).forEach((value, name) => (fields[name] = value));
	const stream = link(url.origin).request(fields, { endStream: body == null });
	return new Promise((resolve, reject) => {
		const abort = () => {
			reject(signal.reason);
			stream.close(http2.constants.NGHTTP2_CANCEL);
		};
		stream.on('error', reject);
		stream.on('response', (answer) => resolve(response(stream, answer)));
		signal?.addEventListener('abort', abort);
		stream.on('close', () => signal?.removeEventListener('abort', abort));
		if (signal?.aborted) abort();
		else if (body != null) stream.end(body);
	});
}

function response(stream, answer) {
	const headers = new Headers();
	for (const [name, value] of Object.entries(answer)) if (!name.startsWith(':')) headers.append(name, value);
	const status = answer[':status'];
	if (status !== 204) return new Response(Readable.toWeb(stream), { status, headers });
	stream.resume();
	return new Response(null, { status, headers });
}

// Has fetch speak HTTP/2: that of Node 26 does by itself where TLS offers it, the older ones' never does.
export function chooseFetch() {
	const own = TLS_CERT && parseInt(process.versions.node) >= 26;
	if (two && !own) globalThis.fetch = fetch2;
}
