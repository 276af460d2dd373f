// SPDX-License-Identifier: Apache-2.0
// A short session for the eyes: demo.mjs --transport stdio|http [--url URL] [-- SERVER...]
import { setTimeout as sleep } from 'node:timers/promises';
import { tapChildren, tapFetch } from './tap.mjs';
import { words } from './peers.mjs';

const options = words();
const finish = options.transport === 'stdio' ? tapChildren() : tapFetch();
const { connect } = await import('./sdk1.mjs');

const { client, call } = await connect(options);
const ask = (name, args) => call({ name, arguments: { key: name, ...args } });

await client.listTools();
await ask('echo', { text: 'hello' });
await ask('wait', { ms: 120 });
await ask('fail', {});
await ask('no_such_tool', {}).catch(() => {});
await ask('size', { text: 'y'.repeat(400_000) });
await ask('blob', { size: 1_000_000 });
await ask('ask', {});
await Promise.all([30, 20, 10].map((ms) => ask('wait', { ms })));
await client.close();
await sleep(50);
finish();
process.exit(0);
