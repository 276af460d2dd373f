// SPDX-License-Identifier: Apache-2.0
// TypeScript SDK over HTTPS: node echo_https.mjs SDK_FOLDER CALLS KEY CERT, prints nanoseconds per echo call, median of all.
// NODE_EXTRA_CA_CERTS names CERT.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import https from "node:https";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const [folder, calls, key, cert] = process.argv.slice(2);
const require = createRequire(`${folder}/package.json`);
const sdk = (name) => require(`@modelcontextprotocol/sdk/${name}.js`);

async function server() {
	const { Server } = sdk("server/index");
	const { StreamableHTTPServerTransport } = sdk("server/streamableHttp");
	const { CallToolRequestSchema } = sdk("types");
	const s = new Server({ name: "bench", version: "1" }, { capabilities: { tools: {} } });
	s.setRequestHandler(CallToolRequestSchema, (r) => ({ content: [{ type: "text", text: r.params.arguments.text }] }));
	const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: () => "bench" });
	await s.connect(transport);
	const options = { key: readFileSync(key), cert: readFileSync(cert) };
	const listener = https.createServer(options, (req, res) => transport.handleRequest(req, res));
	listener.listen(0, "127.0.0.1", () => console.log(listener.address().port));
	process.stdin.on("end", () => process.exit(0)).resume();
}

async function client() {
	const { Client } = sdk("client/index");
	const { StreamableHTTPClientTransport } = sdk("client/streamableHttp");
	const words = [fileURLToPath(import.meta.url), folder, "0", key, cert];
	const child = spawn(process.execPath, words, { stdio: ["pipe", "pipe", "inherit"] });
	const port = await new Promise((resolve) => child.stdout.once("data", (line) => resolve(Number(line))));
	const c = new Client({ name: "bench", version: "1" });
	await c.connect(new StreamableHTTPClientTransport(new URL(`https://127.0.0.1:${port}/mcp`)));
	const request = { name: "echo", arguments: { text: "x".repeat(200) } };
	const took = [];
	for (let i = 0; i < Number(calls) + 200; i++) {
		const begin = process.hrtime.bigint();
		await c.callTool(request);
		if (i >= 200) took.push(Number(process.hrtime.bigint() - begin)); // the first warm the compiler
	}
	took.sort((a, b) => a - b);
	console.log(took[took.length >> 1]);
	await c.close();
	child.stdin.end();
}

await (calls === "0" ? server() : client());
