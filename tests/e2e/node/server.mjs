// SPDX-License-Identifier: Apache-2.0
// A server that tells the truth about itself.
//   server.mjs --sdk 1|2 [--peer MODULE] [--tools MODULE] --transport stdio|http|sse [--era legacy|modern] [--port N]
import { Ledger } from './ledger.mjs';
import { tapExchange, tapStdio } from './tap.mjs';
import { words } from './peers.mjs';
import { webServer } from './web.mjs';

const { sdk, peer: path = `./sdk${sdk}.mjs`, tools: toolbox = './tools.mjs', transport, era, port } = words();
const { call, tools } = await import(toolbox);
const work = { tools, call };
const peer = await import(path);

async function listen(exchange) {
	const ledger = new Ledger('server');
	const server = webServer(async (req, res) => {
		try {
			await exchange(req, res, await tapExchange(ledger, req, res));
		} catch (e) {
			console.error(e);
			if (!res.headersSent) res.writeHead(500).end();
		}
	});
	server.listen(Number(port), process.env.BIND ?? '127.0.0.1');
	process.on('SIGTERM', () => {
		ledger.end();
		process.exit(0);
	});
}

if (transport === 'stdio') {
	tapStdio();
	await peer.serveStdio(work);
} else {
	await listen(await (transport === 'sse' ? peer.serveSse(work) : peer.serveHttp(work, era)));
}
