// SPDX-License-Identifier: BSD-2-Clause
/* Reaches the emulated NIC's parser. Input: one byte (any UDP port or 4500 only), then a frame.
 * Holds: what is found lies within the frame, and the SPI and sequence number are the bytes there.
 */
#include "fuzz.h"
#include "emu_esp.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = rd_of(data, size);
	bool any_port = rd_u8(&r) & 1;
	struct view frame = rd_rest(&r);
	struct emu_esp esp;

	if (!emu_esp_find(frame, any_port, &esp))
		return 0;
	assert(esp.offset >= 14 && esp.len >= EMU_ESP_MIN);
	assert((size_t)esp.offset + esp.len <= frame.len);
	assert(esp.dst.family == ADDR_V4 || esp.dst.family == ADDR_V6);
	r = rd_of(frame.p + esp.offset, esp.len);
	assert(rd_u32(&r) == esp.spi && rd_u32(&r) == esp.seq && esp.spi != 0);
	return 0;
}
