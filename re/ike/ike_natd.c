// SPDX-License-Identifier: BSD-2-Clause
#include "ike_natd.h"

enum err ike_natd_hash(struct ike_crypto *c, const struct ike_header *h, const struct endpoint *e,
                       uint8_t out[20])
{
	uint8_t port[2] = { (uint8_t)(e->port >> 8), (uint8_t)e->port };
	const struct view parts[] = {
		{ h->spi_i, 8 },        { h->spi_r, 8 }, { e->addr.b, addr_len(&e->addr) },
		{ port, sizeof(port) }, { NULL, 0 },
	};

	return ike_sha1(c, parts, out);
}

enum err ike_natd_put(struct ike_crypto *c, const struct ike_header *h, const struct endpoint *from,
                      const struct endpoint *to, struct ike_out *o)
{
	uint8_t src[20], dst[20];

	TRY(ike_natd_hash(c, h, from, src));
	TRY(ike_natd_hash(c, h, to, dst));
	ike_out_notify(o, N_NAT_DETECTION_SOURCE_IP, (struct view){ src, sizeof(src) });
	ike_out_notify(o, N_NAT_DETECTION_DESTINATION_IP, (struct view){ dst, sizeof(dst) });
	return ERR_OK;
}

/* How many notifies of the type there are, and whether one is the hash. There may be several
 * sources (a multihomed sender): one that fits is enough. */
static bool has_hash(const struct ike_content *m, uint16_t type, const uint8_t hash[20],
                     bool *ret_seen)
{
	bool found = false;

	for (size_t i = 0; i < m->notifies; i++) {
		if (m->notify[i].type != type)
			continue;
		*ret_seen = true;
		found |= view_equal(m->notify[i].data, (struct view){ hash, 20 });
	}
	return found;
}

enum err ike_natd_check(struct ike_crypto *c, const struct ike_header *h,
                        const struct ike_content *m, const struct endpoint at[2],
                        struct ike_natd *ret)
{
	uint8_t local[20], remote[20];
	bool src = false, dst = false;

	TRY(ike_natd_hash(c, h, &at[0], local));
	TRY(ike_natd_hash(c, h, &at[1], remote));
	bool remote_fits = has_hash(m, N_NAT_DETECTION_SOURCE_IP, remote, &src);
	bool local_fits = has_hash(m, N_NAT_DETECTION_DESTINATION_IP, local, &dst);
	ret->seen = src && dst;
	ret->remote = ret->seen && !remote_fits;
	ret->local = ret->seen && !local_fits;
	return ERR_OK;
}
