// SPDX-License-Identifier: BSD-2-Clause
/* Whether what both nodes have of child SAs is one and the same, seen from two sides. */
#include "records.pb-c.h"
#include "world.h"

#include <string.h>

static bool same_bytes(ProtobufCBinaryData a, ProtobufCBinaryData b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static bool same_ts(Hawser__Selector *const *a, size_t n, Hawser__Selector *const *b, size_t m)
{
	if (n != m)
		return false;
	for (size_t i = 0; i < n; i++)
		if (a[i]->protocol != b[i]->protocol || a[i]->port_first != b[i]->port_first ||
		    a[i]->port_last != b[i]->port_last || !same_bytes(a[i]->first, b[i]->first) ||
		    !same_bytes(a[i]->last, b[i]->last))
			return false;
	return true;
}

static const char *mirror(const Hawser__ChildSaRecord *a, const Hawser__ChildSaRecord *b)
{
	if (a->spi_in != b->spi_out || a->spi_out != b->spi_in)
		return "SPIs";
	if (!same_bytes(a->key_in, b->key_out) || !same_bytes(a->key_out, b->key_in) ||
	    !same_bytes(a->auth_key_in, b->auth_key_out) ||
	    !same_bytes(a->auth_key_out, b->auth_key_in))
		return "keys";
	if (a->cipher != b->cipher || a->key_bits != b->key_bits || a->esn != b->esn)
		return "algorithms";
	if (!same_ts(a->local_ts, a->n_local_ts, b->remote_ts, b->n_remote_ts) ||
	    !same_ts(a->remote_ts, a->n_remote_ts, b->local_ts, b->n_local_ts))
		return "traffic selectors";
	if (a->udp_encap != b->udp_encap)
		return "UDP encapsulation";
	return a->initiator == b->initiator ? "roles" : NULL;
}

static const char *mirrored_in(const struct node *n, const Hawser__ChildSaRecord *a)
{
	const char *wrong = "one side has a child SA that the other has not";

	for (size_t i = 0; i < node_children(n); i++) {
		Hawser__ChildSaRecord *b = node_child(n, i);

		if (a->spi_out == b->spi_in)
			wrong = mirror(a, b);
		record_child_sa_free(b);
	}
	return wrong;
}

const char *world_disagree(struct world *w)
{
	for (int k = 0; k < 2; k++)
		for (size_t i = 0; i < node_children(&w->node[k]); i++) {
			Hawser__ChildSaRecord *a = node_child(&w->node[k], i);
			const char *wrong = mirrored_in(&w->node[1 - k], a);

			record_child_sa_free(a);
			if (wrong)
				return wrong;
		}
	for (int k = 0; k < 2; k++)
		if (node_slots(&w->node[k]) != 2 * node_children(&w->node[k]))
			return "slots of the run-time table leak";
	return NULL;
}
