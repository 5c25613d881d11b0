// SPDX-License-Identifier: BSD-2-Clause
/* From a record to an SA: everything that a packet need not be asked is decided here. */
#include "sa.h"
#include "records.pb-c.h"

#include <stdlib.h>

static enum err selector_of(struct selector *ret, const Hawser__Selector *m)
{
	struct addr first, last;

	TRY(addr_from_bytes(m->first.data, m->first.len, &first));
	TRY(addr_from_bytes(m->last.data, m->last.len, &last));
	TRY(selector_make(ret, &first, &last));
	ret->proto = (uint8_t)m->protocol;
	ret->port_first = (uint16_t)m->port_first;
	ret->port_last = (uint16_t)m->port_last;
	return ERR_OK;
}

static enum err selectors_of(struct sa *sa, const Hawser__ChildSaRecord *m)
{
	size_t n = m->n_local_ts + m->n_remote_ts;

	sa->ts = calloc(1, sizeof(*sa->ts) + n * sizeof(sa->ts->at[0]));
	if (sa->ts == NULL)
		return ERR_MEMORY;
	sa->ts->n_local = (uint16_t)m->n_local_ts;
	sa->ts->n_remote = (uint16_t)m->n_remote_ts;
	for (size_t i = 0; i < m->n_local_ts; i++)
		TRY(selector_of(&sa->ts->at[i], m->local_ts[i]));
	for (size_t i = 0; i < m->n_remote_ts; i++)
		TRY(selector_of(&sa->ts->at[m->n_local_ts + i], m->remote_ts[i]));
	return ERR_OK;
}

static enum err headers_of(struct sa *sa, const Hawser__ChildSaRecord *m)
{
	TRY(addr_from_bytes(m->local.data, m->local.len, &sa->local));
	TRY(addr_from_bytes(m->remote.data, m->remote.len, &sa->remote));
	sa->udp = m->udp_encap;
	sa->local_port = (uint16_t)m->local_port;
	sa->remote_port = (uint16_t)m->remote_port;
	struct encap_spec spec = {
		.local = sa->local,
		.remote = sa->remote,
		.udp = sa->udp,
		.local_port = sa->local_port,
		.remote_port = sa->remote_port,
		.df = ENCAP_DF_CLEAR, /* the tunnel says, when its record is there */
	};
	return encap_make(&sa->encap, &spec);
}

static enum err half_of(struct sa_half *h, struct sa_runtime_table *runtime, uint32_t slot,
                        ProtobufCBinaryData key)
{
	h->slot = slot;
	h->runtime = sa_runtime_at(runtime, slot);
	if (h->runtime == NULL)
		return ERR_RANGE;
	promote_init(&h->promote, PROMOTE_SOFTWARE, 0); /* until the owner looks at it */
	h->key = secret_copy((struct view){ key.data, key.len });
	return h->key != NULL ? ERR_OK : ERR_MEMORY;
}

/* RFC 4303 3.3.3; with ESN the counter of the nonce ends at 48 bits. Every SPU says the same; an
 * end that was set before stays. */
static void end_of(struct sa *sa)
{
	uint64_t none = 0, end = sa->esn ? ((uint64_t)1 << 48) - 1 : UINT32_MAX;

	(void)__atomic_compare_exchange_n((uint64_t *)&sa->out.runtime->floor, &none, end, false,
	                                  __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

static enum err fill(struct sa *sa, const Hawser__ChildSaRecord *m,
                     struct sa_runtime_table *runtime)
{
	sa->protocol = (uint8_t)m->protocol;
	sa->in.spi = m->spi_in;
	sa->out.spi = m->spi_out;
	sa->instance = (uint16_t)m->instance;
	sa->epoch = (uint16_t)m->epoch;
	sa->anchor = (uint8_t)m->anchor;
	sa->esn = m->esn;
	sa->sending = m->sending;
	sa->hard_ms = m->hard_ms != 0 ? m->hard_ms : UINT64_MAX;
	sa->serial = m->serial;
	sa->tunnel_index = m->tunnel;
	TRY(headers_of(sa, m));
	TRY(selectors_of(sa, m));
	TRY(half_of(&sa->in, runtime, m->slot_in, m->key_in));
	TRY(half_of(&sa->out, runtime, m->slot_out, m->key_out));
	end_of(sa);
	return ERR_OK;
}

enum err sa_make(const Hawser__ChildSaRecord *m, struct sa_runtime_table *runtime, struct sa **ret,
                 struct why *why)
{
	static const struct sa_engines no_sessions;
	const struct alg_cipher *cipher =
	        alg_cipher_by_id((uint16_t)m->cipher, (uint16_t)m->key_bits);

	if (m->protocol != IPPROTO_NO_ESP || cipher == NULL || cipher->icv_len == 0 ||
	    cipher->iv_len != 8 || cipher->kind == ALG_KIND_GMAC || !(cipher->use & ALG_SOFT))
		return why_set(why, ERR_UNSUPPORTED,
		               "SPI %#x: cipher %u: not supported in this version", m->spi_in,
		               m->cipher);
	struct sa *sa = calloc(1, sizeof(*sa));
	if (sa == NULL)
		return ERR_MEMORY;
	sa->cipher = cipher;
	enum err e = fill(sa, m, runtime);
	if (e != ERR_OK) {
		sa_free(&no_sessions, sa);
		return why_set(why, e, "SPI %#x: %s", m->spi_in, err_text(e));
	}
	*ret = sa;
	return ERR_OK;
}
