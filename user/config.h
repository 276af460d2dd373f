/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration of `mcpvigil run`: one table of keys gives the file's grammar, the flags, the environment, the
 * printed defaults. Filled once, checked once, const afterwards.
 *
 * Defaults, then the file, then the environment, then flags: what comes later replaces a key's value as a whole, lists
 * included. */
#ifndef MCPVIGIL_CONFIG_H
#define MCPVIGIL_CONFIG_H

#include "base/buf.h"
#include "facts.h"
#include "sink/alertlog.h"
#include "sink/alertmanager.h"
#include "sink/prom.h"
#include "sink/webhook.h"

#define CONFIG_FILE "/etc/mcpvigil/mcpvigil.yaml"
#define CONFIG_TLS_CACHE "/var/cache/mcpvigil/tls"
#define CONFIG_PEERS 8	/* Alertmanagers, webhooks */
#define CONFIG_TOOLS 32 /* patterns of loops.poll_tools, loops.read_tools */

struct config {
	struct facts_opts facts; /* limits, loops, alert rules */
	uint32_t idents;	 /* 8192 processes remembered */
	bool content;		 /* false: no payload leaves the process */
	char key_file[256];	 /* of fingerprints: /var/lib/mcpvigil/fp.key; "": a new key for each run */
	char socket[108];	 /* /run/mcpvigil/ctl.sock; "": none */
	bool tls;		 /* true */
	char tls_cache[256];	 /* CONFIG_TLS_CACHE; "": none */
	bool tls_fuse_network;	 /* false; see struct hooks_opts */
	struct prom_opts prom;
	struct alertlog_opts alertlog;
	struct alertmanager_opts alertmanager[CONFIG_PEERS];
	uint32_t alertmanagers;
	struct webhook_opts webhook[CONFIG_PEERS];
	uint32_t webhooks;
	char secret_file[256]; /* what webhook[].secret was read from */
	struct alert_labels labels;
	bool drop_privileges; /* true */
	char poll_tools[CONFIG_TOOLS][64], read_tools[CONFIG_TOOLS][64];
	uint32_t n_poll_tools, n_read_tools;
	uint32_t overrides; /* of facts.loops.override: those of loops.overrides; behind them the two lists' */
};

/* The command line, kept for reloads. Strings are borrowed from argv. */
#define CONFIG_ARGS 256
struct config_args {
	const char *file; /* NULL: CONFIG_FILE, if there is one */
	bool check;	  /* only look: a secret that we may not read is no error */
	struct {
		uint32_t key;	   /* row of the table */
		const char *value; /* NULL: a flag without "=VALUE" */
	} set[CONFIG_ARGS];
	unsigned int n;
};

void config_default(struct config *c);
/* Parse the command line of `mcpvigil run`; --help lists every key and exits. 0, or -EINVAL after a line that says
 * what is wrong. */
int config_parse_args(int argc, char **argv, struct config_args *ret);
/* Defaults, file, environment and flags into @c, which stays untouched where anything is wrong. It must not move
 * afterwards: the sinks' options point at its labels. 0, or -errno after a line for each error: "FILE:LINE: key 'a.b':
 * why". */
int config_load(struct config *c, const struct config_args *args);
/* The same with the messages, one a line, in @errors. @environ_: as environ(7). */
int config_read(struct config *c, const struct config_args *args, char **environ_, struct buf *errors);
/* Names of the keys that differ between @old and @new and cannot change at run time, with ", " between. How many. What
 * may differ is all in @new->facts: pass it to facts_reload. */
unsigned int config_reload_refused(const struct config *old, const struct config *new, struct buf *names);
/* Append @c as YAML that gives @c again. @help: with each key's help as a comment. Secrets are shown as "<set>". */
void config_print(const struct config *c, bool help, struct buf *out);

#endif
