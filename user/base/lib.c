/* SPDX-License-Identifier: Apache-2.0 */
/* Libraries loaded on demand. */
#include "base/lib.h"

#include <dlfcn.h>
#include <errno.h>

#include "base/log.h"

int lib_load(const char *soname, const struct lib_call *calls, size_t n)
{
	void *lib = dlopen(soname, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

	if (!lib) {
		log_err("%s", dlerror());
		return -ENOENT;
	}
	for (size_t i = 0; i < n; i++) {
		*calls[i].call = dlsym(lib, calls[i].name);
		if (!*calls[i].call) {
			log_err("%s", dlerror());
			return -ENOENT;
		}
	}
	return 0;
}
