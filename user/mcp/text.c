/* SPDX-License-Identifier: Apache-2.0 */
/* Owned strings. */
#include "mcp/text.h"

#include <stdlib.h>
#include <string.h>

char *text_new(struct sv s)
{
	char *copy;

	if (s.n == 0)
		return NULL;
	copy = malloc(s.n + 1);
	if (!copy)
		return NULL;
	memcpy(copy, s.p, s.n);
	/* "delete\u0000_not" must not read "delete": a byte that no UTF-8 has is printed as U+FFFD. */
	for (char *nul = memchr(copy, 0, s.n); nul; nul = memchr(nul, 0, s.n - (size_t)(nul - copy)))
		*nul = '\xff';
	copy[s.n] = '\0';
	return copy;
}

char *text_of(const struct rpc_value *v)
{
	return v->type == RPC_STRING ? text_new(v->text) : NULL;
}

void text_set(char **text, const struct rpc_value *v)
{
	char *copy = text_of(v);

	if (!copy)
		return;
	free(*text);
	*text = copy;
}
