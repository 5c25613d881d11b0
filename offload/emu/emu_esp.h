/* SPDX-License-Identifier: BSD-2-Clause */
/* Finds the ESP header of a frame, as a NIC's parser does: Ethernet, IPv4 or IPv6, perhaps UDP.
 * Any thread. */
#ifndef EMU_ESP_H
#define EMU_ESP_H
#include "addr.h"
#include "reader.h"

#define EMU_ESP_MIN 24u /* header, no IV, one block of four, the shortest ICV */

struct emu_esp {
	struct addr dst;
	uint32_t spi, seq; /* host order */
	uint32_t offset;   /* of the SPI, from the frame's start */
	uint32_t len;      /* from the SPI to the end of the ICV */
	bool udp;          /* in UDP (RFC 3948) */
	bool options;      /* IPv4 options or IPv6 extension headers stand before it */
	bool fragment;
};

/* False: no whole ESP packet. In UDP on receive, only port 4500 is looked at; `any_port` takes
 * each, for what the host marked itself. */
bool emu_esp_find(struct view frame, bool any_port, struct emu_esp *ret) MUST_CHECK;

#endif
