// SPDX-License-Identifier: BSD-2-Clause
/* Reaches numbered_read() and tally_add(). Input: one UDP payload after another, each behind a
 * byte that is its length; a payload that is accepted must write itself back byte for byte. */
#include "fuzz.h"
#include "numbered.h"
#include "tally.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = rd_of(data, size);
	struct tally t;

	if (tally_init(&t, 4096) != ERR_OK)
		return 0;
	for (uint64_t at = 0; rd_left(&r) > 0; at++) {
		struct view payload = rd_view(&r, rd_u8(&r));
		uint8_t again[256];
		struct numbered n;

		if (numbered_read(payload, &n) != ERR_OK)
			continue;
		numbered_write(&n, again, payload.len);
		assert(memcmp(again, payload.p, payload.len) == 0);
		tally_add(&t, n.seq, n.sent_ns, at);
		assert(t.received <= at + 1 && t.highest < t.capacity);
	}
	tally_done(&t);
	return 0;
}
