// SPDX-License-Identifier: BSD-2-Clause
#include "expect.h"
#include "writer.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <string.h>

uint8_t expect_anchor(uint32_t tunnel)
{
	return tunnel == TUNNEL_1 ? ANCHOR_0 : ANCHOR_1;
}

/* Two MAC addresses of the bed. */
static void macs(uint8_t *frame, uint32_t dst, uint32_t src)
{
	static const uint8_t start[5] = { 2 };

	memcpy(frame, start, 5);
	frame[5] = (uint8_t)dst;
	memcpy(frame + 6, start, 5);
	frame[11] = (uint8_t)src;
}

static void fabric(uint8_t *frame, const struct expect *e)
{
	struct writer w = wr_of(frame, 12);
	bool wire = e->out == WIRE_IN;

	if (e->out == BOUNCED) {
		wr_u32(&w, (uint32_t)FABRIC_TOO_BIG << 24);
		wr_u32(&w, e->arg);
		wr_u32(&w, 0);
		return;
	}
	wr_u8(&w, wire ? FABRIC_WIRE_IN : FABRIC_PLAIN_OUT);
	wr_u8(&w, wire ? (uint8_t)e->arg : expect_anchor(e->arg));
	wr_u16(&w, 0);
	wr_u32(&w, wire ? 0 : e->arg);
	wr_u32(&w, bed_ifindex(e->ingress ? e->ingress : e->on));
}

/* The frame that should come out. */
static size_t expected(const struct expect *e, uint8_t *frame, size_t len)
{
	if (e->out == SAME)
		return len;
	len = frame_untag(frame, len);
	if (e->out == PLAIN_OUT || e->out == ROUTED)
		frame_hop(frame);
	if (e->out == WIRE_IN || e->out == PLAIN_OUT || e->out == PLAIN_OUT_GW || e->out == BOUNCED)
		fabric(frame, e);
	else
		macs(frame, e->arg, e->source);
	return len;
}

static void dump(const char *name, const uint8_t *p, size_t len)
{
	(void)fprintf(stderr, "%s (%zu):", name, len);
	for (size_t i = 0; i < len && i < 96; i++)
		(void)fprintf(stderr, "%s%02x", i % 32 ? " " : "\n    ", p[i]);
	(void)fprintf(stderr, "\n");
}

static uint8_t mac_of(const char *ifname)
{
	struct steer_iface iface;

	ck_assert_int_eq(steer_iface_get(bed.steer, bed_ifindex(ifname), &iface), ERR_OK);
	return iface.mac[5];
}

void expect_row(const struct expect *e, enum steer_fd prog, enum steer_where where)
{
	static const char *const actions[] = { "aborted", "drop", "pass", "tx", "redirect" };
	uint8_t frame[FRAME_MAX];
	size_t len = frame_make(&e->in, mac_of(e->on), frame);
	struct run r = bed_run(prog, where, e->on, frame, len);

	ck_assert_msg(r.action == e->action && r.drop == (int)e->drop,
	              "%s: %s with drop reason %d, instead of %s with %d", e->what,
	              actions[r.action], r.drop, actions[e->action], (int)e->drop);
	len = expected(e, frame, len);
	if (r.len != len || memcmp(r.out, frame, len) != 0) {
		dump("expected", frame, len);
		dump("got", r.out, r.len);
	}
	ck_assert_msg(r.len == len && memcmp(r.out, frame, len) == 0, "%s: another frame came out",
	              e->what);
	/* Conservation: taken once, and counted once as what became of it. */
	ck_assert_msg(r.in == 1 && r.passed + r.redirected + r.dropped == 1 &&
	                      r.passed == (r.action == XDP_PASS && !e->to_socket) &&
	                      r.redirected == (r.action == XDP_REDIRECT || e->to_socket),
	              "%s: counted %d in, %d passed, %d redirected, %d dropped", e->what, r.in,
	              r.passed, r.redirected, r.dropped);
}
