// SPDX-License-Identifier: BSD-2-Clause
/* show security flow drops: where every packet went (settled: 5.10).
 *
 *     in + made = out + dropped by reason + merged + consumed + held
 *
 * in:   frames that came to a configured interface, and those that the kernel sent: into st0, or
 *       by itself into an SPU's veth (multicast reports), where they are dropped
 * out:  handed to the kernel, or sent out of a configured interface
 * held: what is inside now: in the rings between programs and SPUs, and in the SPUs. It is what the
 *       other numbers leave; when traffic stops it is 0. What was in an SPU when it was killed is
 *       reckoned when its successor stands ready, before it is given anything, and counted as
 * dropped.
 *
 * Programs, devices and SPUs count each in their own place, at slightly different instants: only in
 * quiet does the sum agree to the last packet. */
#include "cli_server.h"

#include "daemon_priv.h"

#include <stdio.h>

static const char *const places[STEER_WHERES] = {
	[STEER_AT_EDGE] = "edge",
	[STEER_AT_WIRE] = "wire",
	[STEER_AT_FABRIC] = "fabric",
	[STEER_AT_SPU_WIRE] = "spu-wire-port",
	[STEER_AT_SPU_FABRIC] = "spu-fabric-port",
	[STEER_AT_ST0] = "st0",
	[STEER_AT_ST0_FAR] = "st0-out",
};

struct sums {
	uint64_t in, out, made, merged, consumed, dropped;
	json_t *drop; /* list */
};

static void add_drop(struct sums *s, enum drop_reason reason, const char *where, uint64_t packets)
{
	if (packets == 0)
		return;
	s->dropped += packets;
	json_array_append_new(s->drop, json_pack("{s:s, s:s, s:s, s:I}", "reason",
	                                         drop_text(reason), "name", drop_name(reason),
	                                         "where", where, "packets", (json_int_t)packets));
}

static json_t *document(struct sums *s)
{
	/* Counters are read one after the other: under traffic the difference may be off. */
	int64_t held = (int64_t)(s->in + s->made - s->out - s->merged - s->consumed - s->dropped);

	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "in", (json_int_t)s->in, "out",
	                 (json_int_t)s->out, "held", (json_int_t)held, "made", (json_int_t)s->made,
	                 "merged", (json_int_t)s->merged, "consumed", (json_int_t)s->consumed,
	                 "drop", s->drop);
}

static void add_programs(struct daemon *d, struct sums *s)
{
	struct steer_counts c;

	if (steer_counters(d->steer, &c))
		return;
	s->in += c.stat[STEER_AT_EDGE][STEER_IN] + c.stat[STEER_AT_ST0_FAR][STEER_IN] +
	         c.drop[STEER_AT_SPU_WIRE][DROP_BAD_FABRIC] +
	         c.drop[STEER_AT_SPU_FABRIC][DROP_BAD_FABRIC];
	for (int where = 0; where < STEER_WHERES; where++) {
		s->out += c.stat[where][STEER_PASSED] + c.stat[where][STEER_LEFT];
		for (int reason = 0; reason < DROP_MAX; reason++)
			add_drop(s, (enum drop_reason)reason, places[where], c.drop[where][reason]);
	}
}

static struct steer_device_counts counts_of(const char *ifname)
{
	static const struct steer_device_counts none;
	struct steer_device_counts c;

	return steer_device_counters(ifname, &c) == ERR_OK ? c : none;
}

/* Frames that were lost between: redirected into a full ring, or sent into one. */
static void add_device(struct sums *s, const char *ifname, bool left)
{
	struct steer_device_counts c;

	if (steer_device_counters(ifname, &c))
		return;
	add_drop(s, DROP_DEVICE_RING, ifname, c.tx_xdp_xmit_errors);
	if (left) /* the programs counted it as out */
		s->out -= c.tx_xdp_xmit_errors;
}

/* What an SPU sent into a full ring. What its socket had no room for it counts itself. */
static void add_socket_end(struct sums *s, const char *ifname)
{
	struct steer_device_counts c;

	if (steer_device_counters(ifname, &c) == ERR_OK)
		add_drop(s, DROP_DEVICE_RING, ifname, c.tx_dropped);
}

static void add_units(struct daemon *d, struct sums *s)
{
	for (size_t i = 0; i < d->config->interfaces; i++) {
		const struct config_interface *f = &d->config->interface[i];
		bool tunnel = f->kind == CONFIG_IF_TUNNEL;
		char far[IFNAMSIZ];

		for (size_t u = 0; u < f->units; u++) {
			if (tunnel)
				dataplane_far_name(&f->unit[u], far);
			add_device(s, tunnel ? far : f->unit[u].device, !tunnel);
		}
	}
}

static void add_spu_counters(struct daemon *d, struct sums *s, uint8_t slot)
{
	struct spu_slot *shm = &d->shm->spu[slot];
	char name[32];

	(void)snprintf(name, sizeof(name), "spu-%d-%d", slot / CONFIG_PICS_MAX,
	               slot % CONFIG_PICS_MAX);
	s->made += shm->stat[SPU_MADE];
	s->merged += shm->stat[SPU_MERGED];
	s->consumed += shm->stat[SPU_CONSUMED];
	for (int reason = 0; reason < DROP_MAX; reason++)
		add_drop(s, (enum drop_reason)reason, name, shm->drop[reason]);
}

/* The kernel's fragments count as out, and the datagram that it made of them as made. */
static void add_handover(struct daemon *d, struct sums *s)
{
	for (int reason = 0; reason < DROP_MAX; reason++) {
		s->made += d->handover.drop[reason];
		add_drop(s, (enum drop_reason)reason, "routing-engine", d->handover.drop[reason]);
	}
}

static json_t *whole(struct daemon *d)
{
	struct sums s = { .drop = json_array(), .made = d->shm->markers };

	add_programs(d, &s);
	add_units(d, &s);
	add_handover(d, &s);
	add_drop(&s, DROP_DEVICE_RING, "deleted devices", d->devices.lost);
	for (uint8_t slot = 0; slot < SPU_SLOTS; slot++) {
		const struct dataplane_links *l = &d->spus.at[slot].links;

		add_spu_counters(d, &s, slot); /* also of one that was removed */
		if (!d->spus.at[slot].wanted && !d->spus.at[slot].leaving)
			continue;
		add_device(&s, l->wire_re_name, false);
		add_device(&s, l->fabric_re_name, false);
		add_socket_end(&s, l->wire);
		add_socket_end(&s, l->fabric);
	}
	return document(&s);
}

/* An SPU by itself: what its ports took and sent. */
static json_t *of_spus(struct daemon *d, json_t *args)
{
	struct sums s = { .drop = json_array() };

	for (uint8_t slot = 0; slot < SPU_SLOTS; slot++) {
		_Atomic uint64_t *n = d->shm->spu[slot].stat;

		if (!d->spus.at[slot].wanted || !cli_spu_matches(d, args, slot))
			continue;
		s.in += n[SPU_WIRE_RX] + n[SPU_FABRIC_RX];
		s.out += n[SPU_WIRE_TX] + n[SPU_FABRIC_TX];
		add_spu_counters(d, &s, slot);
	}
	return document(&s);
}

json_t *show_flow_drops(struct daemon *d, const struct cli_request *r)
{
	bool filtered = cli_number(r->args, "fpc", -1) >= 0 || cli_number(r->args, "pic", -1) >= 0;

	return filtered ? of_spus(d, r->args) : whole(d);
}

/* ---- what a killed SPU held ---------------------------------------------------------------- */

/* Frames that came into the SPU's port, less those that came out of it or were lost on the way out.
 * A frame that our end sent round by the SPU's end, for the kernel to forward, was seen there
 * twice. */
static uint64_t inside(const char *spu_end, const char *our_end)
{
	struct steer_device_counts spu = counts_of(spu_end), re = counts_of(our_end);

	return spu.rx_xdp_packets - spu.rx_xdp_drops - spu.tx_dropped -
	       (re.rx_xdp_packets - spu.tx_xdp_xmit);
}

uint64_t show_flow_inside(const struct dataplane_links *l)
{
	return inside(l->wire, l->wire_re_name) + inside(l->fabric, l->fabric_re_name);
}

/* ---- devices that are about to be deleted -------------------------------------------------- */

uint64_t show_flow_lost(const struct dataplane_links *l)
{
	return counts_of(l->wire_re_name).tx_xdp_xmit_errors +
	       counts_of(l->fabric_re_name).tx_xdp_xmit_errors + counts_of(l->wire).tx_dropped +
	       counts_of(l->fabric).tx_dropped;
}

uint64_t show_flow_lost_unit(const struct config_unit *unit)
{
	char far[IFNAMSIZ];

	dataplane_far_name(unit, far);
	return counts_of(far).tx_xdp_xmit_errors;
}

void show_flow_reckon_killed(struct daemon *d, uint8_t slot)
{
	struct spu_slot *shm = &d->shm->spu[slot];
	struct dataplane_links links;
	dataplane_spu_names(&d->spus.at[slot].conf, &links);
	uint64_t held = d->devices.inside[slot] + show_flow_inside(&links) + shm->stat[SPU_MADE] -
	                shm->stat[SPU_MERGED] - shm->stat[SPU_CONSUMED];

	for (int reason = 0; reason < DROP_MAX; reason++)
		if (reason != DROP_KILLED)
			held -= shm->drop[reason];
	/* One writer: the SPU itself never counts this one. */
	if ((int64_t)held >= 0)
		shm->drop[DROP_KILLED] = held;
}
