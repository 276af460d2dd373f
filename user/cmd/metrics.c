/* SPDX-License-Identifier: Apache-2.0 */
/* metrics: the metrics and labels that `mcpvigil run` serves, as documentation. */
#include <stdio.h>

#include "cmd/args.h"
#include "cmd/cmd.h"
#include "sink/metric_table.h"

static void print_metric(const struct metric *m)
{
	printf("| `%s%s` | %s | %s | ", m->name, metric_suffix(m), metric_type_names[m->type], m->unit);
	for (const uint8_t *l = m->label; *l; l++)
		printf("%s`%s`", l == m->label ? "" : ", ", metric_label_name(m, *l));
	printf(" | %s |\n", m->help);
}

static void print_list(void)
{
	printf("| metric | type | unit | labels | meaning |\n|---|---|---|---|---|\n");
	for (int i = 0; i < METRIC_N; i++)
		print_metric(&metric_table[i]);
	printf("\n| label | meaning |\n|---|---|\n");
	for (int i = LABEL_NONE + 1; i < LABEL_N; i++) {
		const struct metric_label_info *l = &metric_labels[i];

		printf("| `%s`", l->name);
		if (l->otel)
			printf(", `%s`", l->otel);
		printf(" | %s |\n", l->help);
	}
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	(void)arg;
	if (key != 'l')
		return ARGP_ERR_UNKNOWN;
	*(bool *)state->input = true;
	return 0;
}

static int metrics_run(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "list", 'l', NULL, 0, "Print the table of metrics and labels as Markdown", 0 },
		{ 0 },
	};
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.doc = "Say which metrics `mcpvigil run' serves to Prometheus.",
	};
	bool list = false;

	if (args_parse(&argp, argc, argv, &list))
		return 2;
	if (!list) {
		args_bad("nothing to do: --list prints the table");
		return 2;
	}
	print_list();
	return fflush(stdout) ? 1 : 0;
}

const struct cmd cmd_metrics = {
	.name = "metrics",
	.summary = "the metrics that run serves, as a table",
	.run = metrics_run,
};
