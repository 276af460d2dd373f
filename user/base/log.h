/* SPDX-License-Identifier: Apache-2.0 */
/* Messages for people, on standard error: one line each, never wire bytes raw. */
#ifndef MCPVIGIL_BASE_LOG_H
#define MCPVIGIL_BASE_LOG_H

enum log_level { LOG_ERR, LOG_WARN, LOG_INFO, LOG_DBG };

/* Messages above @max are dropped. The default is LOG_INFO. */
void log_level_set(enum log_level max);
/* Print "mcpvigil: <text>\n"; control bytes in the text are replaced by '?'. */
__attribute__((format(printf, 2, 3))) void log_msg(enum log_level level, const char *fmt, ...);

#define log_err(...) log_msg(LOG_ERR, __VA_ARGS__)
#define log_warn(...) log_msg(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_msg(LOG_INFO, __VA_ARGS__)
#define log_dbg(...) log_msg(LOG_DBG, __VA_ARGS__)

#endif
