/* SPDX-License-Identifier: Apache-2.0 */
/* One key of the configuration: a row of the table. Private to user/config*.c. */
#ifndef MCPVIGIL_CONFIG_KEY_H
#define MCPVIGIL_CONFIG_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/sv.h"

struct config;
struct config_args;
struct tree_node;

enum config_type {
	/* One value. */
	CONFIG_BOOL,
	CONFIG_NOT,    /* a bool that is stored as its opposite */
	CONFIG_TRI,    /* int8_t: auto (0), true (1), false (-1) */
	CONFIG_U32,
	CONFIG_U16,
	CONFIG_NS,     /* uint64_t: "1.5s" */
	CONFIG_BYTES,  /* uint64_t: "16M" */
	CONFIG_NUMBER, /* double, not negative */
	CONFIG_WORD,   /* uint8_t: index into words */
	CONFIG_TEXT,   /* char[room] */
	CONFIG_PATH,   /* absolute, or "" for none */
	CONFIG_OUTPUT, /* CONFIG_PATH, or "-" */
	CONFIG_URL,
	CONFIG_LISTEN, /* "127.0.0.1:9464", "[::1]:9464", or "" for none */
	/* Several of those: char[max][room] at each stride. */
	CONFIG_TEXTS,
	CONFIG_URLS,
	/* Maps and lists of maps with a grammar of their own: config_rules.c. */
	CONFIG_LABELS,
	CONFIG_RULES,
	CONFIG_OVERRIDES,
	CONFIG_OFF,	   /* of an override: rules by name */
	CONFIG_THRESHOLDS, /* of an override: rule to number */
};

struct config_key {
	const char *name; /* "prometheus.listen" */
	uint8_t type;
	bool reload;	  /* can change at run time */
	bool hide_path;	  /* of an URL: it is a secret */
	uint32_t at;	  /* offset into the struct it belongs to */
	uint32_t room;	  /* bytes of a string, its NUL included */
	uint32_t stride, count_at; /* lists: from one string to the next; offset of the uint32_t that counts them */
	uint64_t min, max;	   /* of the value; of a list: of its entries */
	const char *const *words;  /* NULL-ended */
	const char *flag;	   /* a second, short name on the command line */
	const char *help;
};

/* config_table.c */
extern const struct config_key config_keys[];
extern const unsigned int config_keys_n;
/* The row of this name, NULL if there is none. */
const struct config_key *config_key_find(struct sv name);
/* true where @name is what keys lie below: "prometheus". */
bool config_section(struct sv name);
/* "--prometheus-listen" without the dashes; "MCPVIGIL_PROMETHEUS_LISTEN". */
void config_flag_name(const struct config_key *k, char ret[96]);
void config_env_name(const struct config_key *k, char ret[96]);

/* config_value.c. Set one value from text, or add one to a list. @quoted: it cannot be a number or a bool. 0, or
 * -EINVAL with the reason in @why, which does not repeat the value: it may be a secret. */
struct config_value {
	struct sv text;
	bool quoted;
};
int config_value_set(const struct config_key *k, void *base, struct config_value v, char why[192]);
bool config_is_list(const struct config_key *k);
bool config_is_own(const struct config_key *k); /* has a grammar of its own */
void config_list_clear(const struct config_key *k, void *base);
/* The largest unit that divides it: "10m", "16M". */
void config_show_ns(uint64_t ns, char ret[32]);
void config_show_bytes(uint64_t bytes, char ret[32]);

/* config_show.c. Append the value as one line of YAML. @plain: with what "<set>" stands for, to compare values. */
void config_value_show(const struct config_key *k, const void *base, bool plain, struct buf *out);
void config_text_show(const char *s, struct buf *out);

/* Where a value comes from, for messages. */
struct config_reader {
	struct config *c;
	struct buf *errors;
	unsigned int n;	   /* errors */
	const char *where; /* the file, the flag, the variable */
	char path[160];	   /* of the key that is being read */
};
/* A message about reader->path; @line 0: none. */
__attribute__((format(printf, 3, 4))) void config_bad(struct config_reader *r, uint32_t line, const char *fmt, ...);

/* config_tree.c. Keys of a whole file; the value of one key. */
void config_tree_read(struct config_reader *r, const struct tree_node *root);
void config_node_set(struct config_reader *r, const struct config_key *k, void *base, const struct tree_node *node);
/* Each member of map @node into @base by the table @keys, NULL-named at its end. @seen: bit by row. */
void config_map_set(struct config_reader *r, const struct config_key *keys, void *base, const struct tree_node *node,
		    uint64_t *ret_seen);

/* config_rules.c */
void config_own_set(struct config_reader *r, const struct config_key *k, void *base, const struct tree_node *node);
void config_own_show(const struct config_key *k, const void *base, struct buf *out);
/* NAME=VALUE */
void config_label_add(struct config_reader *r, struct sv pair);

/* config_args.c */
void config_env_read(struct config_reader *r, char **environ_);
void config_flags_read(struct config_reader *r, const struct config_args *args);

#endif
