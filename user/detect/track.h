/* SPDX-License-Identifier: Apache-2.0 */
/* What is remembered of one sequence of calls (a session, a lane in it, or all that an agent does), bounded: the last
 * calls by hashes, and the streaks that go on now.
 *
 * Streaks count rounds: a model's answer may hold many calls, and those after the first are no reaction to it. A call
 * opens a round where it was sent a while after the answer before it, longer than a program takes. "Turns" are the same
 * with a while of nothing: one after the other, at whatever pace. */
#ifndef MCPVIGIL_DETECT_TRACK_H
#define MCPVIGIL_DETECT_TRACK_H

#include <stdbool.h>
#include <stdint.h>

#include "detect/heavy.h"
#include "detect/loop.h"
#include "detect/seen.h"
#include "detect/step.h"
#include "detect/sweep.h"
#include "detect/volume.h"

#define TRACK_RING  22
#define TRACK_PAIRS 24 /* the ring's, and what makes a multiple of the registers that compare them */
#define CYCLE_MAX   8
/* What an episode of a tracker is about. */
enum slot { SLOT_HIGH, SLOT_SLOW, SLOT_CHURN, TRACK_SLOTS };

enum streak_kind {
	STREAK_SAME_ERROR,  /* key, masked result, failed */
	STREAK_SAME_FAILS,  /* key, failed */
	STREAK_SAME_RESULT, /* key, raw result */
	STREAK_SAME_TURNS,  /* the same; counts turns */
	STREAK_VOLATILE,    /* key, masked result */
	STREAK_ERROR_TEXT,  /* masked result of failures */
	STREAK_NEAR,	    /* near-duplicates with one raw result */
	STREAK_READ,	    /* tool, raw result; failures between do not matter */
	STREAK_CONSTANT,    /* masked result, whatever the tool */
	STREAK_STALE,	    /* calls that came twice before, with their results; polls do not matter */
	STREAK_CHURN,	    /* near-duplicates, whatever the result */
	STREAKS
};

struct streak {
	uint32_t id;	  /* what all of it have in common; 0: none */
	uint32_t n;	  /* rounds */
	uint32_t round;   /* the last that was counted */
	uint32_t first;   /* number of its first call */
	uint32_t session; /* the newest */
	bool many;	  /* of several sessions */
	bool varied;	  /* of several shapes */
	bool tools;	  /* of several tools */
	bool reads;	  /* a reading tool among them, that is no polling one */
};

/* The calls of one round, as a set; rounds in a row that are equal. */
struct batch {
	uint32_t sum, n;
	uint32_t equal; /* 1: not the round before */
	uint32_t first; /* number of the first call of the equal ones */
	bool poll;
};

/* The same call and result, minutes apart. */
struct slow {
	uint32_t id;
	uint32_t n, idle; /* calls, and gaps among them that are idle */
	uint32_t first_ms, last_ms;
	uint64_t sum, squares; /* of the gaps, 0.1 s */
	uint32_t session;
	bool many;
};

struct episode;

struct track {
	uint64_t lane;	     /* or agent */
	struct track *next;  /* of the session */
	struct seen ring[TRACK_RING];
	uint32_t pair[TRACK_PAIRS]; /* by place in the ring: key and masked result in one; 0 where either is unknown */
	uint32_t same;	     /* bit i: the call i ago has the pair of the newest; bit 0 is clear */
	uint32_t n, newest;  /* calls since the ring was last cleared; place of the newest, those behind it are older */
	uint32_t round, turn;
	uint64_t end;	     /* of the call before; boot ns */
	uint64_t last_end;   /* the latest of all */
	struct streak streak[STREAKS];
	uint16_t period[CYCLE_MAX + 1]; /* calls in a row that equal the one so many before */
	struct batch batch, batch_before;
	uint32_t solo;	     /* calls in a row that were the first of their session */
	struct {
		uint64_t simhash;
		uint32_t raw, tool;
	} ok;		     /* the last call that did not fail */
	struct volume volume, spawned;
	struct sweeps sweeps;
	struct heavy heavy;
	struct slow slow;
	uint32_t heavy_n, heavy_since_ms; /* of the call just taken in */
	const struct sweep *sweep;	  /* that it went on with */
	struct episode *episode[TRACK_SLOTS];
	bool agent;	     /* of an agent, over its sessions */
};

/* Take a call in. */
void track_step(struct track *t, const struct step *s, const struct loop_opts *o);
/* Start over with rounds and streaks. */
void track_forget(struct track *t);

/* Where in the ring the call @back calls ago is, 0: the newest. Below track_kept(t). */
static inline uint32_t track_place(const struct track *t, uint32_t back)
{
	uint32_t at = t->newest + back;

	return at < TRACK_RING ? at : at - TRACK_RING;
}

static inline const struct seen *track_seen(const struct track *t, uint32_t back)
{
	return &t->ring[track_place(t, back)];
}

static inline uint32_t track_pair(const struct track *t, uint32_t back)
{
	return t->pair[track_place(t, back)];
}

/* Calls in the ring. */
static inline uint32_t track_kept(const struct track *t)
{
	return t->n < TRACK_RING ? t->n : TRACK_RING;
}

/* How often the newest call is in the ring, with its result. */
static inline uint32_t track_same(const struct track *t)
{
	return 1 + (uint32_t)__builtin_popcount(t->same);
}

#endif
