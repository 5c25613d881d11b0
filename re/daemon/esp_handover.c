// SPDX-License-Identifier: BSD-2-Clause
/* ESP in UDP that came in fragments (docs/datapath.md, "Fragments").
 *
 * The steering cannot tell whose a UDP fragment is: the kernel makes one datagram of them again,
 * and what is ESP of it comes to our socket on port 4500. It goes on to the SPU of its anchor, as
 * the steering would have sent it, by a packet socket on our end of that SPU's wire veth. At a
 * limited rate, so that a flood of them does not keep the event loop from its work. */
#include "daemon_priv.h"

#include "fabric.h"
#include "writer.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <string.h>
#include <sys/socket.h>

enum {
	ETHER_LEN = 14,
	V4_LEN = 20,
	UDP_LEN = 8,
	SPI_LEN = 4,
	SPI_RESERVED = 255,
	TTL = 64,
	UDP = 17,
	PER_S = 2000
};
enum { FRAME_MAX = ETHER_LEN + 3498 /* what the veth takes */ };

/* Who serves the anchor; SPU_SLOTS: nobody. Of a manual SA any SPU does: all know all SAs. */
static uint8_t slot_of(const struct daemon *d, uint8_t anchor)
{
	uint8_t slot = d->spus.placement.owner[anchor];

	return slot < SPU_SLOTS && d->spus.at[slot].in_service ? slot : SPU_SLOTS;
}

static bool within_rate(struct esp_handover *h, uint64_t now_ms)
{
	if (now_ms - h->since_ms >= 1000) {
		h->since_ms = now_ms;
		h->in_second = 0;
	}
	return h->in_second++ < PER_S;
}

/* RFC 1071, of an IPv4 header without options. */
static void checksum(uint8_t *ip)
{
	uint32_t sum = 0;

	for (int i = 0; i < V4_LEN; i += 2)
		sum += (uint32_t)(ip[i] << 8 | ip[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	ip[10] = (uint8_t)(~sum >> 8);
	ip[11] = (uint8_t)~sum;
}

static void v4_write(struct writer *w, const struct endpoint *src, const struct endpoint *dst,
                     struct view esp)
{
	wr_u16(w, 0x4500);
	wr_u16(w, (uint16_t)(V4_LEN + UDP_LEN + esp.len));
	wr_u32(w, 0);
	wr_u8(w, TTL);
	wr_u8(w, UDP);
	wr_u16(w, 0);
	wr_bytes(w, src->addr.b, 4);
	wr_bytes(w, dst->addr.b, 4);
}

static void v6_write(struct writer *w, const struct endpoint *src, const struct endpoint *dst,
                     struct view esp)
{
	wr_u32(w, 0x60000000);
	wr_u16(w, (uint16_t)(UDP_LEN + esp.len));
	wr_u8(w, UDP);
	wr_u8(w, TTL);
	wr_bytes(w, src->addr.b, 16);
	wr_bytes(w, dst->addr.b, 16);
}

static size_t frame_make(uint8_t *frame, const struct endpoint *local,
                         const struct endpoint *remote, struct view esp)
{
	struct fabric_hdr h = { .kind = FABRIC_WIRE_IN, .anchor = esp.p[SPI_LEN - 1] };
	struct writer w = wr_of(frame, FRAME_MAX);
	bool v4 = local->addr.family == ADDR_V4;

	wr_bytes(&w, (const uint8_t *)&h, sizeof(h));
	wr_u16(&w, v4 ? 0x0800 : 0x86dd);
	if (v4) {
		v4_write(&w, remote, local, esp);
		checksum(frame + ETHER_LEN);
	} else {
		v6_write(&w, remote, local, esp);
	}
	wr_u16(&w, remote->port);
	wr_u16(&w, local->port);
	wr_u16(&w, (uint16_t)(UDP_LEN + esp.len));
	wr_u16(&w, 0); /* the ICV says more (RFC 3948 2.1); the kernel has looked at it */
	wr_bytes(&w, esp.p, esp.len);
	return w.bad ? 0 : wr_len(&w);
}

static bool send_to(const struct daemon *d, uint8_t slot, const uint8_t *frame, size_t len)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
		                  .sll_ifindex = (int)d->spus.at[slot].links.wire_re,
		                  .sll_halen = 6 };

	return sendto(d->moves.marker_fd, frame, len, 0, (struct sockaddr *)&to, sizeof(to)) > 0;
}

static enum drop_reason hand_over(struct daemon *d, const struct endpoint *local,
                                  const struct endpoint *remote, struct view esp)
{
	uint8_t frame[FRAME_MAX];
	struct reader r = rd_of_view(esp);

	if (rd_u32(&r) <= SPI_RESERVED || r.bad)
		return DROP_BAD_HEADER;
	if (!within_rate(&d->handover, daemon_now_ms(d)))
		return DROP_HANDOVER;
	uint8_t slot = slot_of(d, esp.p[SPI_LEN - 1]);
	if (slot == SPU_SLOTS)
		return DROP_NO_SPU;
	size_t len = frame_make(frame, local, remote, esp);
	if (len == 0)
		return DROP_TOO_BIG;
	return send_to(d, slot, frame, len) ? DROP_NONE : DROP_TX_RING_FULL;
}

void esp_handover(void *ctx, const struct endpoint *local, const struct endpoint *remote,
                  struct view esp)
{
	struct daemon *d = ctx;
	enum drop_reason drop = hand_over(d, local, remote, esp);

	if (drop == DROP_NONE)
		d->shm->markers++; /* a frame that we made: it is taken out again by the SPU */
	else
		d->handover.drop[drop]++;
}
