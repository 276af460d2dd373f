/* SPDX-License-Identifier: Apache-2.0 */
/* argp as every command uses it: wrong usage is one line on standard error. */
#ifndef MCPVIGIL_CMD_ARGS_H
#define MCPVIGIL_CMD_ARGS_H

#include <argp.h>

#include "base/buf.h"

/* Parse @argv with @argp, whose state->input is @input. Prints help and exits for --help. 0, or
 * -EINVAL after one line that says what is wrong. */
int args_parse(const struct argp *argp, int argc, char **argv, void *input);
/* The same for words that came from another process: prints nothing, never exits, knows no --help. What is wrong goes to
 * @why, as far as it can be told. */
int args_parse_quiet(const struct argp *argp, int argc, char **argv, void *input, struct buf *why);
/* For parsers: print one line and return what stops the parsing. */
__attribute__((format(printf, 1, 2))) error_t args_bad(const char *fmt, ...);

#endif
