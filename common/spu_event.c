// SPDX-License-Identifier: BSD-2-Clause
#include "node_shm.h"

bool spu_event_push(struct spu_event_ring *ring, const struct spu_event *e)
{
	uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);

	if (head - tail >= SPU_EVENTS) {
		atomic_fetch_add_explicit(&ring->lost, 1, memory_order_relaxed);
		return false;
	}
	ring->at[head % SPU_EVENTS] = *e;
	atomic_store_explicit(&ring->head, head + 1, memory_order_release);
	return true;
}

bool spu_event_pop(struct spu_event_ring *ring, struct spu_event *ret)
{
	uint32_t head = atomic_load_explicit(&ring->head, memory_order_acquire);
	uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);

	if (head == tail)
		return false;
	if (head - tail > SPU_EVENTS) { /* what an SPU wrote may be wrong: begin anew at its end */
		atomic_store_explicit(&ring->tail, head, memory_order_release);
		return false;
	}
	*ret = ring->at[tail % SPU_EVENTS];
	atomic_store_explicit(&ring->tail, tail + 1, memory_order_release);
	return true;
}
