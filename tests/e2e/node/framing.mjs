// SPDX-License-Identifier: Apache-2.0
// Cuts a stream of bytes into the texts that it carries: lines, or the data of events.

export class Lines {
	constructor(text) {
		this.text = text; // called with each line
		this.parts = [];
	}
	push(chunk) {
		let from = 0;
		for (;;) {
			const nl = chunk.indexOf(10, from);
			if (nl < 0) break;
			this.parts.push(chunk.subarray(from, nl));
			this.text(Buffer.concat(this.parts).toString());
			this.parts = [];
			from = nl + 1;
		}
		if (from < chunk.length) this.parts.push(Buffer.from(chunk.subarray(from)));
	}
	end() {}
}

export class Events {
	constructor(text) {
		this.data = [];
		this.lines = new Lines((line) => {
			line = line.replace(/\r$/, '');
			if (line.startsWith('data:')) this.data.push(line.slice(5).replace(/^ /, ''));
			else if (line === '' && this.data.length) text(this.data.splice(0).join('\n'));
		});
	}
	push(chunk) {
		this.lines.push(chunk);
	}
	end() {}
}

export class Whole {
	constructor(text) {
		this.text = text;
		this.parts = [];
	}
	push(chunk) {
		this.parts.push(Buffer.from(chunk));
	}
	end() {
		if (this.parts.length) this.text(Buffer.concat(this.parts).toString());
		this.parts = [];
	}
}

// A response body: JSON, or events.
export class Body {
	constructor(text) {
		this.text = text;
	}
	push(chunk) {
		if (!chunk.length) return;
		this.kind ??= chunk[0] === 0x7b || chunk[0] === 0x5b ? new Whole(this.text) : new Events(this.text);
		this.kind.push(chunk);
	}
	end() {
		this.kind?.end();
	}
}
