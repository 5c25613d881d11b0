/* SPDX-License-Identifier: BSD-2-Clause */
/* The two roads as tables: (packet in, SA, tunnel) -> (packet out, or the reason why not). Each row
 * names the section that says so; roads_test.c drives them with both engines. */
#ifndef ROADS_TABLE_H
#define ROADS_TABLE_H
#include "rig.h"
#include "seal.h"

#define V6_OUTER .local = "2001:db8:1::1", .remote = "2001:db8:2::2"
#define V6_INNER .inner = { .family = 6 }

struct in_case {
	const char *rfc, *what;
	struct rig_sa sa;
	/* Without algorithms in `sa` the packet is sealed by OpenSSL as `seal` says, else by
	 * another rig's outbound road; then only inner, seq and tfc of it count. */
	struct seal_spec seal;
	size_t (*spoil)(uint8_t *p, size_t len);
	uint64_t top;       /* highest number that was accepted before */
	uint64_t counted;   /* packets that went before */
	uint16_t fragments; /* the outer packet comes in pieces of at most this */
	bool backwards;     /* last one first */
	bool twice;         /* what comes of the second one */
	bool outer_dscp;    /* the tunnel copies the outer DSCP */
	uint8_t drop;
	uint8_t nic_drop; /* 0: the same */
	bool consumed;
	uint8_t tos; /* of what comes out, where that is not the inner packet's */
};

enum outer_df { DF_ANY, DF_IS_SET, DF_IS_CLEAR };

struct out_case {
	const char *rfc, *what;
	struct rig_sa sa;
	struct plain_spec plain;
	size_t (*spoil)(uint8_t *p, size_t len);
	uint64_t seq; /* next one to be taken */
	uint16_t path_mtu;
	enum encap_df df; /* of the tunnel */
	bool post;        /* fragmentation post-encryption */
	uint8_t drop;
	uint8_t parts;    /* frames that come out; 0: one */
	uint8_t answer;   /* family of the ICMP error to the sender */
	bool inner_parts; /* the peer gets fragments of the inner packet */
	uint8_t tos;      /* outer, where looked at */
	enum outer_df outer_df;
};

extern const struct in_case in_cases[], sa_in_cases[], ah_in_cases[];
extern const struct out_case out_cases[];
extern const size_t in_cases_n, sa_in_cases_n, ah_in_cases_n, out_cases_n;

/* Of IPv4 frames without options. */
size_t spoil_nothing_left(uint8_t *p, size_t len);
size_t spoil_short_header(uint8_t *p, size_t len);
size_t spoil_link_padding(uint8_t *p, size_t len);

#endif
