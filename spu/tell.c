// SPDX-License-Identifier: BSD-2-Clause
#include "tell.h"

enum { SECOND_MS = 1000 };

void tell_bad_spi(struct tell *t, struct spu_slot *shm, uint32_t spi, uint64_t now_ms)
{
	struct spu_event e = { .kind = SPU_EVENT_BAD_SPI, .arg = spi };

	if (now_ms - t->since_ms >= SECOND_MS) {
		t->since_ms = now_ms;
		t->told = 0;
	}
	if (t->told >= TELL_PER_S)
		return;
	t->told++;
	(void)spu_event_push(&shm->events, &e);
}

/* At most one event a second for each SA direction. */
static bool due(uint64_t *last_ms, uint64_t now_ms)
{
	if (*last_ms != 0 && now_ms - *last_ms < TELL_SA_MS)
		return false;
	*last_ms = now_ms;
	return true;
}

void tell_peer_moved(struct spu_slot *shm, uint64_t *last_ms, uint64_t now_ms,
                     const struct spu_event *e)
{
	if (due(last_ms, now_ms))
		(void)spu_event_push(&shm->events, e);
}

void tell_exhausted(struct spu_slot *shm, uint64_t *last_ms, uint64_t now_ms, uint32_t slot)
{
	struct spu_event e = { .kind = SPU_EVENT_SEQ_EXHAUSTED, .arg = slot };

	if (due(last_ms, now_ms))
		(void)spu_event_push(&shm->events, &e);
}

void tell_limit(struct spu_slot *shm, uint64_t *last_ms, uint64_t now_ms, uint32_t slot, bool hard)
{
	struct spu_event e = { .kind = hard ? SPU_EVENT_HARD_LIMIT : SPU_EVENT_SOFT_LIMIT,
		               .arg = slot };

	if (due(last_ms, now_ms))
		(void)spu_event_push(&shm->events, &e);
}

void tell_engine(struct spu_slot *shm, bool promoted, uint32_t slot)
{
	struct spu_event e = { .kind = promoted ? SPU_EVENT_PROMOTED : SPU_EVENT_DEMOTED,
		               .arg = slot };

	(void)spu_event_push(&shm->events, &e);
}
