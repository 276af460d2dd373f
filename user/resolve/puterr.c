/* SPDX-License-Identifier: Apache-2.0 */
#include "resolve/xref.h"

static uint16_t bits_of(const struct puterr *e, const struct values *v)
{
	uint16_t ret = 0;

	for (unsigned int i = 0; i < e->n; i++)
		ret |= values_has(v, e->reasons[i].value) ? e->reasons[i].bit : 0;
	return ret;
}

uint16_t puterr_raised(const struct puterr *e, const struct body *b)
{
	uint16_t ret = 0;

	for (uint32_t i = 0; call_with(b, e->files, e->file, &i); i++) {
		struct values lib, reason;

		values_of_arg(b, i, 0, &lib);
		values_of_arg(b, i, e->file - 1, &reason);
		if (values_is(&lib, e->lib))
			ret |= bits_of(e, &reason);
	}
	return ret;
}
