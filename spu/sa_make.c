// SPDX-License-Identifier: BSD-2-Clause
/* From a record to an SA: everything that a packet need not be asked is decided here. */
#include "sa.h"
#include "records.pb-c.h"
#include "weak_key.h"

#include <stdlib.h>

enum { SOFT_SEQ_PART = 16 }; /* the last part of the numbers, in which a successor is asked for */

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
	for (size_t i = 0; i < n; i++)
		sa->ts->by_port |=
		        sa->ts->at[i].port_first != 0 || sa->ts->at[i].port_last != UINT16_MAX;
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
		.ah = sa->protocol == IPPROTO_NO_AH,
		.udp = sa->udp,
		.local_port = sa->local_port,
		.remote_port = sa->remote_port,
		.df = ENCAP_DF_CLEAR, /* the tunnel says, when its record is there */
	};
	return encap_make(&sa->encap, &spec);
}

static enum err half_of(struct sa_half *h, struct sa_runtime_table *runtime, uint32_t slot,
                        ProtobufCBinaryData key, ProtobufCBinaryData auth_key)
{
	h->slot = slot;
	h->runtime = sa_runtime_at(runtime, slot);
	if (h->runtime == NULL)
		return ERR_RANGE;
	promote_init(&h->promote, PROMOTE_SOFTWARE, 0); /* until the owner looks at it */
	h->key = secret_copy((struct view){ key.data, key.len });
	h->auth_key = secret_copy((struct view){ auth_key.data, auth_key.len });
	return h->key != NULL && h->auth_key != NULL ? ERR_OK : ERR_MEMORY;
}

/* RFC 4303 3.3.3; with ESN the counter of the nonce ends at 48 bits. Where the keys are set by hand
 * nobody can renew them and nobody checks the numbers: the 32 bits on the wire begin anew. Every
 * SPU says the same; an end that was set before stays. */
static void end_of(struct sa *sa, bool manual)
{
	uint64_t none = 0, end = sa->esn ? ((uint64_t)1 << 48) - 1 : UINT32_MAX;

	sa->out.soft_seq = manual ? UINT64_MAX : end - end / SOFT_SEQ_PART;
	if (manual)
		end = INT64_MAX;
	(void)__atomic_compare_exchange_n((uint64_t *)&sa->out.runtime->floor, &none, end, false,
	                                  __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

static uint64_t limit_of(uint64_t of_record)
{
	return of_record != 0 ? of_record : UINT64_MAX;
}

static void limits_of(struct sa_half *h, const Hawser__ChildSaRecord *m)
{
	h->limits = (struct sa_limits){ .soft_bytes = limit_of(m->soft_bytes),
		                        .hard_bytes = limit_of(m->hard_bytes),
		                        .soft_packets = limit_of(m->soft_packets),
		                        .hard_packets = limit_of(m->hard_packets) };
	h->limited = m->soft_bytes != 0 || m->hard_bytes != 0 || m->soft_packets != 0 ||
	             m->hard_packets != 0;
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
	sa->by_hand = m->manual ? m->tunnel : 0;
	TRY(headers_of(sa, m));
	TRY(selectors_of(sa, m));
	TRY(half_of(&sa->in, runtime, m->slot_in, m->key_in, m->auth_key_in));
	TRY(half_of(&sa->out, runtime, m->slot_out, m->key_out, m->auth_key_out));
	end_of(sa, m->manual);
	limits_of(&sa->in, m);
	limits_of(&sa->out, m);
	return ERR_OK;
}

/* Negotiated keys that are weak are not used (RFC 2405 2.3, RFC 2451 2.3); of those set by hand the
 * configuration has said what there is to say. */
static enum err keys_check(const Hawser__ChildSaRecord *m, const struct alg_cipher *cipher,
                           struct why *why)
{
	const struct view keys[] = { { m->key_in.data, m->key_in.len },
		                     { m->key_out.data, m->key_out.len } };

	for (size_t i = 0; i < ARRAY_LEN(keys) && !m->manual; i++) {
		const char *reason = weak_key_reason(cipher, keys[i]);

		if (reason)
			return why_set(why, ERR_VALUE, "SPI %#x: %s", m->spi_in, reason);
	}
	return ERR_OK;
}

enum err sa_make(const Hawser__ChildSaRecord *m, struct sa_runtime_table *runtime, struct sa **ret,
                 struct why *why)
{
	static const struct sa_engines no_sessions;
	const struct form_spec spec = {
		.protocol = (uint8_t)m->protocol,
		.family = m->local.len == 16 ? ADDR_V6 : ADDR_V4,
		.cipher = alg_cipher_by_id((uint16_t)m->cipher, (uint16_t)m->key_bits),
		.integ = alg_integ_by_id((uint16_t)m->integ),
		.esn = m->esn,
	};
	struct form form;

	if (form_make(&form, &spec) != ERR_OK)
		return why_set(why, ERR_UNSUPPORTED,
		               "SPI %#x: protocol %u with cipher %u and integrity %u: not "
		               "supported in this version",
		               m->spi_in, m->protocol, m->cipher, m->integ);
	TRY(keys_check(m, spec.cipher, why));
	struct sa *sa = calloc(1, sizeof(*sa));
	if (sa == NULL)
		return ERR_MEMORY;
	sa->form = form;
	sa->cipher = spec.cipher;
	sa->integ = spec.integ;
	enum err e = fill(sa, m, runtime);
	if (e != ERR_OK) {
		sa_free(&no_sessions, sa);
		return why_set(why, e, "SPI %#x: %s", m->spi_in, err_text(e));
	}
	*ret = sa;
	return ERR_OK;
}
