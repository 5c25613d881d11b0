/* SPDX-License-Identifier: BSD-2-Clause */
/* Every map once (keys and values: shared.h), and the counters.
 *
 * The maps are weak because each program's object names them; the linker (bpftool gen object) makes
 * one of each. */
#ifndef MAPS_BPF_H
#define MAPS_BPF_H
#include "shared.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define MAP(map_type, name, key_type, value_type, entries) \
	struct {                                           \
		__uint(type, map_type);                    \
		__uint(max_entries, entries);              \
		__type(key, key_type);                     \
		__type(value, value_type);                 \
	} name SEC(".maps") __weak

MAP(BPF_MAP_TYPE_HASH, ifaces, __u32, struct steer_iface, 8192);
MAP(BPF_MAP_TYPE_HASH, locals, struct steer_local, __u32, 4096);
MAP(BPF_MAP_TYPE_ARRAY, inbound, __u32, struct steer_inbound, STEER_INBOUNDS);
MAP(BPF_MAP_TYPE_ARRAY, settings, __u32, struct steer_settings, 1);
MAP(BPF_MAP_TYPE_ARRAY, anchors, __u32, struct steer_anchor, STEER_ANCHORS);
MAP(BPF_MAP_TYPE_HASH, manual_spis, struct steer_manual, __u32, 4096);
MAP(BPF_MAP_TYPE_HASH, tunnels, struct steer_hop, struct steer_tunnel, 131072);
MAP(BPF_MAP_TYPE_LRU_HASH, nexthops, struct steer_hop, __u64, 4096);
MAP(BPF_MAP_TYPE_PERCPU_ARRAY, counters, __u32, __u64, STEER_COUNTERS);
MAP(BPF_MAP_TYPE_DEVMAP, wire_ports, __u32, __u32, STEER_SLOTS);
MAP(BPF_MAP_TYPE_DEVMAP, fabric_ports, __u32, __u32, STEER_SLOTS);
MAP(BPF_MAP_TYPE_XSKMAP, wire_socks, __u32, __u32, STEER_SLOTS);
MAP(BPF_MAP_TYPE_XSKMAP, fabric_socks, __u32, __u32, STEER_SLOTS);

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, ALIVE_WORDS);
	__type(key, __u32);
	__type(value, __u64);
} alive SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, STEER_ACQUIRE_RING);
} acquires SEC(".maps") __weak;

/* What a program's steps return: a drop reason (above 0), or one of these. */
enum {
	TO_KERNEL = -1,  /* as an ordinary packet */
	REDIRECTED = -2, /* bpf_redirect() or bpf_redirect_map() has been called */
	CONTINUE = -3,   /* not decided yet */
	UNROUTED = -4,   /* the FIB has no unicast route */
	LEFT = -5,       /* REDIRECTED, out of a configured interface */
	TO_SOCKET = -6,  /* as REDIRECTED, but the kernel brings it there: a packet socket */
};

static __always_inline void count(__u32 counter)
{
	__u64 *n = bpf_map_lookup_elem(&counters, &counter);

	if (n)
		(*n)++;
}

/* Counts what became of the frame, and says it to the kernel. */
static __always_inline int verdict(enum steer_where where, int result)
{
	if (result == REDIRECTED) {
		count(steer_counter(where, STEER_REDIRECTED));
		return XDP_REDIRECT;
	}
	if (result == TO_SOCKET) {
		count(steer_counter(where, STEER_REDIRECTED));
		return XDP_PASS;
	}
	if (result == LEFT) {
		count(steer_counter(where, STEER_LEFT));
		return XDP_REDIRECT;
	}
	if (result == TO_KERNEL) {
		count(steer_counter(where, STEER_PASSED));
		return XDP_PASS;
	}
	if (result <= 0 || result >= DROP_MAX)
		result = DROP_NO_ROUTE; /* UNROUTED, where nobody can answer it */
	count(steer_drop_counter(where, (enum drop_reason)result));
	return XDP_DROP;
}

static __always_inline struct steer_iface *iface_of(__u32 ifindex)
{
	return bpf_map_lookup_elem(&ifaces, &ifindex);
}

static __always_inline struct steer_settings *settings_now(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&settings, &zero);
}

/* The node's lease has run out: a cluster member whose keeper is dead falls silent. */
static __always_inline int lease_is_over(void)
{
	struct steer_settings *set = settings_now();
	__u32 word = ALIVE_LEASE;

	if (!set || !set->lease_limit_ms)
		return 0;
	__u64 *renewed_ms = bpf_map_lookup_elem(&alive, &word);
	return !renewed_ms || bpf_ktime_get_boot_ns() / 1000000 > *renewed_ms + set->lease_limit_ms;
}

/* The SPU that serves an anchor: its owner if alive, else the stand-in, else STEER_NOBODY. */
static __always_inline __u32 slot_of_anchor(__u32 anchor)
{
	struct steer_anchor *a = bpf_map_lookup_elem(&anchors, &anchor);

	if (!a)
		return STEER_NOBODY;
	__u32 owner = a->owner, standin = a->standin;
	__u64 *word = owner < STEER_SLOTS ? bpf_map_lookup_elem(&alive, &owner) : NULL;
	if (word && *word)
		return owner;
	word = standin < STEER_SLOTS ? bpf_map_lookup_elem(&alive, &standin) : NULL;
	return word && *word ? standin : STEER_NOBODY;
}

#endif
