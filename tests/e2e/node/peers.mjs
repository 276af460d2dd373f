// SPDX-License-Identifier: Apache-2.0
// Where tests/e2e/setup put things.
import { webcrypto } from 'node:crypto';
import { fileURLToPath } from 'node:url';

// Node 18 (Debian 12) has it, but not under the name that the SDK uses.
globalThis.crypto ??= webcrypto;

export const root = new URL('../../../build/peers/node/', import.meta.url);

export const packaged = (set, path) => import(new URL(`${set}/node_modules/@modelcontextprotocol/${path}`, root));

export const words = (argv = process.argv.slice(2)) => {
	const cut = argv.indexOf('--');
	const server = cut < 0 ? [] : argv.slice(cut + 1);
	const head = cut < 0 ? argv : argv.slice(0, cut);
	const options = {};
	for (let i = 0; i < head.length; i += 2) options[head[i].slice(2)] = head[i + 1];
	return { ...options, server };
};

export const here = fileURLToPath(new URL('.', import.meta.url));
