// SPDX-License-Identifier: BSD-2-Clause
#include "steer_priv.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>

enum err steer_map_put(const struct steer *s, enum steer_fd map, const void *key, const void *value)
{
	return bpf_map_update_elem(s->fd[map], key, value, BPF_ANY) ? err_from_errno(errno)
	                                                            : ERR_OK;
}

enum err steer_map_get(const struct steer *s, enum steer_fd map, const void *key, void *ret_value)
{
	if (bpf_map_lookup_elem(s->fd[map], key, ret_value))
		return errno == ENOENT ? ERR_NOT_FOUND : err_from_errno(errno);
	return ERR_OK;
}

enum err steer_map_remove(const struct steer *s, enum steer_fd map, const void *key)
{
	if (bpf_map_delete_elem(s->fd[map], key) && errno != ENOENT)
		return err_from_errno(errno);
	return ERR_OK;
}

void steer_map_each(const struct steer *s, enum steer_fd map, steer_entry_fn *fn, void *ctx)
{
	uint8_t key[STEER_KEY_MAX], next[STEER_KEY_MAX], value[STEER_VALUE_MAX];
	bool more = bpf_map_get_next_key(s->fd[map], NULL, key) == 0;

	while (more) {
		/* The next one is asked for first: fn may remove this one. */
		more = bpf_map_get_next_key(s->fd[map], key, next) == 0;
		if (bpf_map_lookup_elem(s->fd[map], key, value) == 0)
			fn(ctx, key, value);
		memcpy(key, next, sizeof(key));
	}
}

/* ---- interfaces ---------------------------------------------------------------------------- */

enum err steer_iface_set(struct steer *s, uint32_t ifindex, const struct steer_iface *iface)
{
	return steer_map_put(s, STEER_FD_ifaces, &ifindex, iface);
}

enum err steer_iface_get(struct steer *s, uint32_t ifindex, struct steer_iface *ret)
{
	return steer_map_get(s, STEER_FD_ifaces, &ifindex, ret);
}

enum err steer_iface_del(struct steer *s, uint32_t ifindex)
{
	return steer_map_remove(s, STEER_FD_ifaces, &ifindex);
}

struct iface_call {
	void (*fn)(void *ctx, uint32_t ifindex, const struct steer_iface *iface);
	void *ctx;
};

static void call_iface(void *ctx, const void *key, const void *value)
{
	const struct iface_call *call = ctx;
	struct steer_iface iface;
	uint32_t ifindex;

	memcpy(&ifindex, key, sizeof(ifindex));
	memcpy(&iface, value, sizeof(iface));
	call->fn(call->ctx, ifindex, &iface);
}

void steer_iface_each(struct steer *s,
                      void (*fn)(void *ctx, uint32_t ifindex, const struct steer_iface *iface),
                      void *ctx)
{
	struct iface_call call = { fn, ctx };

	steer_map_each(s, STEER_FD_ifaces, call_iface, &call);
}

static enum err port_set(struct steer *s, enum steer_fd map, uint8_t slot, uint32_t ifindex)
{
	uint32_t key = slot;

	return ifindex ? steer_map_put(s, map, &key, &ifindex) : steer_map_remove(s, map, &key);
}

enum err steer_port_set(struct steer *s, uint8_t slot, uint32_t wire, uint32_t fabric,
                        struct why *why)
{
	if (slot >= STEER_SLOTS)
		return why_set(why, ERR_RANGE, "SPU slot %u: 0 to %d", slot, STEER_SLOTS - 1);
	enum err e = port_set(s, STEER_FD_wire_ports, slot, wire);
	if (e == ERR_OK)
		e = port_set(s, STEER_FD_fabric_ports, slot, fabric);
	if (e != ERR_OK)
		return why_set(why, e, "ports of SPU slot %u: interfaces %u and %u: %s", slot, wire,
		               fabric, err_text(e));
	return ERR_OK;
}

/* ---- anchors ------------------------------------------------------------------------------- */

enum err steer_anchor_set(struct steer *s, uint8_t anchor, uint8_t owner, uint8_t standin)
{
	const struct steer_anchor a = { .owner = owner, .standin = standin };
	uint32_t key = anchor;

	return steer_map_put(s, STEER_FD_anchors, &key, &a);
}

enum err steer_manual_set(struct steer *s, uint16_t instance, uint32_t spi, uint8_t anchor)
{
	const struct steer_manual key = { .spi = spi, .instance = instance };
	uint32_t value = anchor;

	if (spi < STEER_MANUAL_FIRST || spi > STEER_MANUAL_LAST)
		return ERR_RANGE;
	return steer_map_put(s, STEER_FD_manual_spis, &key, &value);
}

enum err steer_manual_del(struct steer *s, uint16_t instance, uint32_t spi)
{
	const struct steer_manual key = { .spi = spi, .instance = instance };

	return steer_map_remove(s, STEER_FD_manual_spis, &key);
}

/* ---- addresses ----------------------------------------------------------------------------- */

static struct steer_local local_key(uint16_t instance, const struct addr *a)
{
	struct steer_local key = { .instance = instance, .family = a->family };

	memcpy(key.addr, a->b, addr_len(a));
	return key;
}

enum err steer_local_set(struct steer *s, uint16_t instance, const struct addr *a)
{
	struct steer_local key = local_key(instance, a);
	uint32_t one = 1;

	if (a->family == ADDR_NONE)
		return ERR_VALUE;
	return steer_map_put(s, STEER_FD_locals, &key, &one);
}

enum err steer_local_del(struct steer *s, uint16_t instance, const struct addr *a)
{
	struct steer_local key = local_key(instance, a);

	return steer_map_remove(s, STEER_FD_locals, &key);
}

struct local_call {
	void (*fn)(void *ctx, uint16_t instance, const struct addr *a);
	void *ctx;
};

static void call_local(void *ctx, const void *key, const void *value)
{
	const struct local_call *call = ctx;
	struct steer_local local;
	struct addr a = { 0 };

	(void)value;
	memcpy(&local, key, sizeof(local));
	a.family = local.family;
	memcpy(a.b, local.addr, sizeof(a.b));
	call->fn(call->ctx, local.instance, &a);
}

void steer_local_each(struct steer *s,
                      void (*fn)(void *ctx, uint16_t instance, const struct addr *a), void *ctx)
{
	struct local_call call = { fn, ctx };

	steer_map_each(s, STEER_FD_locals, call_local, &call);
}

/* ---- tunnels ------------------------------------------------------------------------------- */

static struct steer_hop hop_key(uint32_t ifindex, const struct addr *next_hop)
{
	struct steer_hop key = { .ifindex = ifindex };

	if (next_hop && next_hop->family != ADDR_NONE) {
		key.family = next_hop->family;
		memcpy(key.addr, next_hop->b, addr_len(next_hop));
	}
	return key;
}

enum err steer_tunnel_set(struct steer *s, uint32_t st0_ifindex, const struct addr *next_hop,
                          const struct steer_tunnel *t)
{
	struct steer_hop key = hop_key(st0_ifindex, next_hop);

	return steer_map_put(s, STEER_FD_tunnels, &key, t);
}

enum err steer_tunnel_del(struct steer *s, uint32_t st0_ifindex, const struct addr *next_hop)
{
	struct steer_hop key = hop_key(st0_ifindex, next_hop);

	return steer_map_remove(s, STEER_FD_tunnels, &key);
}

struct tunnel_call {
	void (*fn)(void *ctx, const struct steer_hop *hop, const struct steer_tunnel *t);
	void *ctx;
};

static void call_tunnel(void *ctx, const void *key, const void *value)
{
	const struct tunnel_call *call = ctx;
	struct steer_hop hop;
	struct steer_tunnel t;

	memcpy(&hop, key, sizeof(hop));
	memcpy(&t, value, sizeof(t));
	call->fn(call->ctx, &hop, &t);
}

void steer_tunnel_each(struct steer *s,
                       void (*fn)(void *ctx, const struct steer_hop *hop,
                                  const struct steer_tunnel *t),
                       void *ctx)
{
	struct tunnel_call call = { fn, ctx };

	steer_map_each(s, STEER_FD_tunnels, call_tunnel, &call);
}

/* ---- host-inbound -------------------------------------------------------------------------- */

struct ask {
	steer_allows_fn *allows;
	const void *ctx;
};

/* Ports, or ICMP types, below n of one protocol. */
static void fill_ports(__u64 *words, uint32_t n, uint8_t protocol, const struct ask *ask)
{
	for (uint32_t i = 0; i < n; i++)
		if (ask->allows(ask->ctx, 4, protocol, (uint16_t)i) ||
		    ask->allows(ask->ctx, 6, protocol, (uint16_t)i))
			words[i / 64] |= UINT64_C(1) << (i % 64);
}

static void fill_protocols(__u64 *words, uint8_t family, const struct ask *ask)
{
	for (uint32_t i = 0; i < 256; i++)
		if (ask->allows(ask->ctx, family, (uint8_t)i, 0))
			words[i / 64] |= UINT64_C(1) << (i % 64);
}

enum err steer_inbound_set(struct steer *s, uint8_t profile, steer_allows_fn *allows,
                           const void *ctx)
{
	const struct ask ask = { allows, ctx };
	uint32_t key = profile;

	if (profile == 0 || profile >= STEER_INBOUNDS)
		return ERR_RANGE;
	struct steer_inbound *in = calloc(1, sizeof(*in));
	if (!in)
		return ERR_MEMORY;
	fill_ports(in->udp, 65536, IPPROTO_UDP, &ask);
	fill_ports(in->tcp, 65536, IPPROTO_TCP, &ask);
	fill_ports(in->icmp, 256, IPPROTO_ICMP, &ask);
	fill_ports(in->icmp6, 256, IPPROTO_ICMPV6, &ask);
	fill_protocols(in->proto4, 4, &ask);
	fill_protocols(in->proto6, 6, &ask);
	enum err e = steer_map_put(s, STEER_FD_inbound, &key, in);
	free(in);
	return e;
}

enum err steer_settings_set(struct steer *s, const struct steer_settings *settings)
{
	uint32_t zero = 0;

	return steer_map_put(s, STEER_FD_settings, &zero, settings);
}
