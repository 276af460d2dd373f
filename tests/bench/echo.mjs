// SPDX-License-Identifier: Apache-2.0
// TypeScript SDK over stdio: node echo.mjs SDK_FOLDER CALLS, prints nanoseconds per echo call, median of all.
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const [folder, calls] = process.argv.slice(2);
const require = createRequire(`${folder}/package.json`);
const sdk = (name) => require(`@modelcontextprotocol/sdk/${name}.js`);

async function server() {
	const { Server } = sdk("server/index");
	const { StdioServerTransport } = sdk("server/stdio");
	const { CallToolRequestSchema } = sdk("types");
	const s = new Server({ name: "bench", version: "1" }, { capabilities: { tools: {} } });
	s.setRequestHandler(CallToolRequestSchema, (r) => ({ content: [{ type: "text", text: r.params.arguments.text }] }));
	await s.connect(new StdioServerTransport());
}

async function client() {
	const { Client } = sdk("client/index");
	const { StdioClientTransport } = sdk("client/stdio");
	const c = new Client({ name: "bench", version: "1" });
	const self = fileURLToPath(import.meta.url);
	await c.connect(new StdioClientTransport({ command: process.execPath, args: [self, folder, "0"] }));
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
}

await (calls === "0" ? server() : client());
