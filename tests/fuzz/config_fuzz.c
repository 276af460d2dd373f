/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration file: no text breaks it, errors are said, and what is taken prints as text that gives it again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "config_key.h"
#include "config_yaml.h"

/* The least that every key takes. */
static void defaults(struct config *c)
{
	memset(c, 0, sizeof(*c));
	for (unsigned int i = 0; i < config_keys_n; i++) {
		void *at = (char *)c + config_keys[i].at;

		if (config_keys[i].type == CONFIG_U32)
			*(uint32_t *)at = (uint32_t)config_keys[i].min;
		else if (config_keys[i].type == CONFIG_NS || config_keys[i].type == CONFIG_BYTES)
			*(uint64_t *)at = config_keys[i].min;
	}
}

/* 0, or what was said is in @errors. */
static unsigned int load(struct config *c, struct sv text, struct buf *errors)
{
	struct config_reader r = { .c = c, .errors = errors, .where = "fuzz" };
	struct tree_error e;
	struct tree *t = tree_parse(text, &e);

	defaults(c);
	if (!t)
		config_bad(&r, e.line, "%s", e.why);
	else
		config_tree_read(&r, tree_root(t));
	tree_free(t);
	if ((r.n != 0) != (errors->n != 0))
		abort();
	return r.n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct config c;
	struct buf errors, once, twice;

	buf_init(&errors, 1 << 20);
	buf_init(&once, 1 << 22);
	buf_init(&twice, 1 << 22);
	/* URLs are not printed whole. */
	if (!load(&c, (struct sv){ (const char *)data, size }, &errors) && !c.alertmanagers && !c.webhooks) {
		config_print(&c, size & 1, &once);
		if (load(&c, buf_sv(&once), &errors))
			abort();
		config_print(&c, size & 1, &twice);
		if (!sv_eq(buf_sv(&once), buf_sv(&twice)))
			abort();
	}
	buf_done(&errors);
	buf_done(&once);
	buf_done(&twice);
	return 0;
}
