/* SPDX-License-Identifier: Apache-2.0 */
/* argp as every command uses it: wrong usage is one line on standard error. */
#ifndef MCPVIGIL_CMD_ARGS_H
#define MCPVIGIL_CMD_ARGS_H

#include <argp.h>

/* Parse @argv with @argp, whose state->input is @input. Prints help and exits for --help. 0, or
 * -EINVAL after one line that says what is wrong. */
int args_parse(const struct argp *argp, int argc, char **argv, void *input);
/* For parsers: print one line and return what stops the parsing. */
__attribute__((format(printf, 1, 2))) error_t args_bad(const char *fmt, ...);

#endif
