/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of the configuration as argp options. */
#ifndef MCPVIGIL_CONFIG_ARGS_H
#define MCPVIGIL_CONFIG_ARGS_H

#include <argp.h>

/* Child of a command's argp; its input is a struct config_args, all zero. Not for several threads. */
const struct argp *config_argp(void);

#endif
