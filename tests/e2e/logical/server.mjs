// SPDX-License-Identifier: Apache-2.0
// A server that tells the truth about itself.
//   server.mjs --peer ./sdk1.mjs|../node/sdk2.mjs --transport stdio|http [--era legacy|modern] [--port N]
import { createServer } from 'node:http';
import { Ledger } from '../node/ledger.mjs';
import { tapExchange, tapStdio } from '../node/tap.mjs';
import { words } from '../node/peers.mjs';
import { call, tools } from './tools.mjs';

const { peer: path, transport, era, port } = words();
const work = { tools, call };
const peer = await import(path);

async function listen(exchange) {
	const ledger = new Ledger('server');
	const server = createServer(async (req, res) => {
		try {
			await exchange(req, res, await tapExchange(ledger, req, res));
		} catch (e) {
			console.error(e);
			if (!res.headersSent) res.writeHead(500).end();
		}
	});
	server.listen(Number(port), '127.0.0.1');
	process.on('SIGTERM', () => {
		ledger.end();
		process.exit(0);
	});
}

if (transport === 'stdio') {
	tapStdio();
	await peer.serveStdio(work);
} else {
	await listen(await peer.serveHttp(work, era));
}
