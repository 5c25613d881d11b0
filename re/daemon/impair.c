// SPDX-License-Identifier: BSD-2-Clause
#include "impair.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT_MAX = 2048, THOUSAND = 1000, KEEP_ONE_IN = 4 };

static const char *const names[] = { "drop", "twice", "replay", "corrupt", "refuse", "late" };

static struct {
	bool read; /* HAWSER_IMPAIR was */
	uint64_t rng;
	unsigned per_thousand[IMPAIRMENTS];
	unsigned long done[IMPAIRMENTS];
	struct {
		struct endpoint local, remote;
		uint8_t bytes[KEPT_MAX];
		size_t len;
	} kept; /* an earlier message */
} state = { .rng = 1 };

static uint64_t draw(void)
{
	uint64_t z = state.rng += 0x9e3779b97f4a7c15; /* splitmix64 */

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static void take_word(const char *word)
{
	const char *value = strchr(word, '=');
	size_t len = value ? (size_t)(value - word) : 0;
	unsigned long n = value ? strtoul(value + 1, NULL, 10) : 0;

	if (len == 4 && memcmp(word, "seed", 4) == 0) {
		state.rng = n;
		return;
	}
	for (int i = 0; i < IMPAIRMENTS; i++)
		if (len == strlen(names[i]) && memcmp(word, names[i], len) == 0) {
			state.per_thousand[i] = (unsigned)n;
			return;
		}
	fprintf(stderr,
	        "HAWSER_IMPAIR: \"%s\" is none of drop, twice, replay, corrupt, refuse, "
	        "late, seed\n",
	        word);
	exit(EXIT_FAILURE);
}

static void read_wish(void)
{
	const char *wish = getenv("HAWSER_IMPAIR");
	char *copy = wish ? strdup(wish) : NULL, *rest = NULL;

	state.read = true;
	for (char *w = copy ? strtok_r(copy, ",", &rest) : NULL; w; w = strtok_r(NULL, ",", &rest))
		take_word(w);
	free(copy);
}

bool impair(enum impairment what)
{
	if (!state.read)
		read_wish();
	if (state.per_thousand[what] == 0 || draw() % THOUSAND >= state.per_thousand[what])
		return false;
	fprintf(stderr, "impair: %s %lu\n", names[what], ++state.done[what]);
	return true;
}

static void keep(const struct endpoint *local, const struct endpoint *remote, struct view bytes)
{
	if (bytes.len > KEPT_MAX || (state.kept.len && draw() % KEEP_ONE_IN))
		return;
	state.kept.local = *local;
	state.kept.remote = *remote;
	state.kept.len = bytes.len;
	memcpy(state.kept.bytes, bytes.p, bytes.len);
}

static void send_corrupt(impair_send_fn *send, struct udp *u, const struct endpoint *local,
                         const struct endpoint *remote, struct view bytes)
{
	uint8_t *copy = malloc(bytes.len);

	if (copy == NULL)
		return;
	memcpy(copy, bytes.p, bytes.len);
	copy[draw() % bytes.len] ^= (uint8_t)(1u << draw() % 8);
	send(u, local, remote, (struct view){ copy, bytes.len });
	free(copy);
}

void impair_send(impair_send_fn *send, struct udp *u, const struct endpoint *local,
                 const struct endpoint *remote, struct view bytes)
{
	if (bytes.len && impair(IMPAIR_CORRUPT))
		send_corrupt(send, u, local, remote, bytes);
	else if (!impair(IMPAIR_DROP))
		send(u, local, remote, bytes);
	if (impair(IMPAIR_TWICE))
		send(u, local, remote, bytes);
	if (state.kept.len && impair(IMPAIR_REPLAY))
		send(u, &state.kept.local, &state.kept.remote,
		     (struct view){ state.kept.bytes, state.kept.len });
	if (state.per_thousand[IMPAIR_REPLAY])
		keep(local, remote, bytes);
}
