// SPDX-License-Identifier: Apache-2.0
// A transcript as a script: per session its requests in order of sending, each with what it waits for, how long after
// that it was sent, and what the answer was and how long it took.
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';

export async function scripts(path) {
	const sessions = new Map();
	const raw = createReadStream(path);
	const lines = createInterface({ input: path.endsWith('.gz') ? raw.pipe(createGunzip()) : raw });
	for await (const line of lines) {
		const { ts_ms: at, session, agent, from, msg } = JSON.parse(line);
		if (!sessions.has(session))
			sessions.set(session, { name: session, agent, begun: at, calls: [], ids: new Map(), last: -1, lastAt: at });
		const s = sessions.get(session);
		if (from === 'client' && msg.id !== undefined && msg.method !== 'initialize') {
			s.ids.set(msg.id, s.calls.length);
			s.calls.push({ method: msg.method, params: msg.params, after: s.last, wait: at - s.lastAt, at });
		} else if (from === 'server' && s.ids.has(msg.id)) {
			const n = s.ids.get(msg.id);
			Object.assign(s.calls[n], { result: msg.result, error: msg.error, took: at - s.calls[n].at });
			s.ids.delete(msg.id);
			s.last = n;
			s.lastAt = at;
		}
	}
	return sessions;
}
