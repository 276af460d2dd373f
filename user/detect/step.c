/* SPDX-License-Identifier: Apache-2.0 */
/* A call, reduced to what detection compares. */
#include "detect/step.h"

#include <string.h>

#include "base/hash.h"

/* Of two hashes, never 0. */
static uint64_t mix(uint64_t a, uint64_t b)
{
	a ^= b * 0x9e3779b97f4a7c15ULL;
	a ^= a >> 32;
	a *= 0xff51afd7ed558ccdULL;
	return (a ^ (a >> 29)) | 1;
}

bool step_answered(const struct call *c)
{
	return c->outcome == CALL_OK || c->outcome == CALL_TOOL_ERROR || c->outcome == CALL_RPC_ERROR ||
	       c->outcome == CALL_HTTP_ERROR;
}

static uint64_t raw_of(const struct call *c)
{
	if (fp_is(&c->result_fp))
		return mix(c->result_fp.w[0], c->result_fp.w[1]);
	if (c->outcome == CALL_HTTP_ERROR && c->has_error_code)
		return mix((uint64_t)c->error_code, CALL_HTTP_ERROR); /* no body: the status is all it says */
	return 0;
}

static uint8_t copy_ints(const struct call_marks *m, int64_t *to)
{
	uint8_t n = m->n_ints < STEP_INTS ? m->n_ints : STEP_INTS;

	for (uint8_t i = 0; i < STEP_INTS; i++)
		to[i] = i < n ? m->ints[i].v : 0;
	return n;
}

static void copy_name(const char *tool, size_t n, char *to)
{
	n = n < STEP_NAME ? n : STEP_NAME - 1;
	memcpy(to, tool, n);
	to[n] = '\0';
}

/* Member by member: the struct is large, most of it is set anyway, and every call comes through here. */
void step_of(const struct call *c, uint64_t agent, struct step *ret_s)
{
	const char *tool = c->tool ? c->tool : "";
	size_t n = strlen(tool);

	ret_s->session_no = c->session_no;
	ret_s->lane = c->marks.lane;
	ret_s->agent = agent;
	ret_s->end = c->ts;
	ret_s->start = c->start ? c->start : c->ts;
	ret_s->busy_ns = c->has_duration ? c->duration_ns : ret_s->end - ret_s->start;
	ret_s->bytes = c->request_bytes + c->response_bytes;
	ret_s->tool = hash_bytes(tool, n) | 1;
	ret_s->key = fp_is(&c->args_fp) ? mix(mix(c->args_fp.w[0], c->args_fp.w[1]), ret_s->tool) : 0;
	ret_s->raw = raw_of(c);
	ret_s->masked = fp_is(&c->masked_fp) ? mix(c->masked_fp.w[0], c->masked_fp.w[1]) : ret_s->raw;
	ret_s->shape = c->marks.shape ? mix(c->marks.shape, ret_s->tool) : 0;
	ret_s->simhash = c->marks.simhash;
	ret_s->n_ints = copy_ints(&c->marks, ret_s->ints);
	ret_s->class = ret_s->row = 0;
	ret_s->error_class = c->marks.error_class;
	ret_s->err = c->outcome != CALL_OK || c->marks.error_class != ERROR_NONE;
	ret_s->has_ordinal = c->has_ordinal;
	ret_s->ordinal = c->ordinal;
	ret_s->args_fp = c->args_fp;
	ret_s->result_fp = c->result_fp;
	copy_name(tool, n, ret_s->name);
}
