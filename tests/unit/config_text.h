/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration from the text of a file, an environment and flags; what was said about it. */
#ifndef MCPVIGIL_TESTS_CONFIG_TEXT_H
#define MCPVIGIL_TESTS_CONFIG_TEXT_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"

static struct config cfg;
static char said[16384], folder[64], file[128];

static inline void folder_make(void)
{
	snprintf(folder, sizeof(folder), "/tmp/mcpvigil-config.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(file, sizeof(file), "%s/c.yaml", folder);
}

static inline void file_write(const char *path, const char *text, size_t n, int mode)
{
	int fd;

	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, n), n);
	assert_int_equal(fchmod(fd, (mode_t)mode), 0);
	close(fd);
}

static inline void folder_remove(void)
{
	unlink(file);
	assert_int_equal(rmdir(folder), 0);
}

/* Into cfg; messages into said, the name of the file cut from them. */
static inline int config_try_args(const char *text, size_t n, char **env, struct config_args *args)
{
	struct buf errors;
	size_t skip;
	int err;

	folder_make();
	file_write(file, text, n, 0600);
	buf_init(&errors, sizeof(said) - 1);
	args->file = file;
	args->check = true;
	err = config_read(&cfg, args, env, &errors);
	said[0] = 0;
	skip = strlen(folder) + 1;
	for (size_t i = 0, to = 0; i < errors.n;) {
		if (errors.n - i >= skip && memcmp(errors.p + i, folder, skip - 1) == 0)
			i += skip;
		said[to++] = errors.p[i++];
		said[to] = 0;
	}
	buf_done(&errors);
	folder_remove();
	return err;
}

static inline int config_try(const char *text)
{
	struct config_args args = { 0 };

	return config_try_args(text, strlen(text), NULL, &args);
}

/* The file is refused, with exactly these words. */
#define assert_refused(text, words)                    \
	do {                                           \
		assert_int_equal(config_try(text), -EINVAL); \
		assert_string_equal(said, words);      \
	} while (0)

#define assert_taken(text)                        \
	do {                                      \
		int taken_ = config_try(text);    \
		assert_string_equal(said, "");    \
		assert_int_equal(taken_, 0);      \
	} while (0)

#endif
