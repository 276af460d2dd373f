// SPDX-License-Identifier: Apache-2.0
// As load.py, in Node.js: load.mjs KEY CERT.
import { readFileSync } from "node:fs";
import https from "node:https";

const [key, cert] = process.argv.slice(2).map((path) => readFileSync(path));
const PAUSE = 10; // ms
const REUSE = 40;
const count = { requests: 0, failed: 0, first: null };
let stop = false;

const request = (n) =>
	JSON.stringify({ jsonrpc: "2.0", id: n, method: "tools/call", params: { name: "load", arguments: { text: "x".repeat((n * 37) % 20000) } } });

function result(body) {
	const call = JSON.parse(body);
	return JSON.stringify({ jsonrpc: "2.0", id: call.id, result: { content: [{ type: "text", text: call.params.arguments.text }] } });
}

async function whole(stream) {
	const parts = [];
	for await (const part of stream) parts.push(part);
	return Buffer.concat(parts).toString();
}

function listen() {
	const server = https.createServer({ key, cert }, async (req, res) => {
		const body = result(await whole(req));
		res.writeHead(200, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) });
		res.end(body);
	});
	return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

function post(agent, port, body) {
	return new Promise((resolve, reject) => {
		const headers = { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) };
		const req = https.request({ agent, port, host: "127.0.0.1", method: "POST", path: "/mcp", ca: cert, headers, timeout: 20000 }, (res) =>
			whole(res).then(resolve, reject),
		);
		req.on("timeout", () => req.destroy(new Error("timeout")));
		req.on("error", reject);
		req.end(body);
	});
}

async function client(port) {
	let agent;
	for (let n = 1; !stop; n++) {
		if (n % REUSE === 1) {
			agent?.destroy();
			agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
		}
		const got = await post(agent, port, request(n)).catch((e) => String(e));
		count.requests++;
		if (got !== result(request(n))) {
			count.failed++;
			count.first ??= got.slice(0, 200);
		}
		if (n === 1) console.log("ready");
		await new Promise((resolve) => setTimeout(resolve, PAUSE));
	}
}

const server = await listen();
process.stdin.on("end", () => (stop = true)).resume();
await client(server.address().port);
console.log(JSON.stringify(count));
process.exit(0);
