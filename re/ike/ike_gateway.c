// SPDX-License-Identifier: BSD-2-Clause
/* Which gateway a peer belongs to: by addresses at first, by identity when it has told it. */
#include "ike_priv.h"

struct gateway *ike_gateway_by_name(struct ike *ike, const char *name)
{
	for (size_t i = 0; i < ike->gateways; i++)
		if (strcmp(ike->gateway[i]->conf.name, name) == 0)
			return ike->gateway[i];
	return NULL;
}

bool ike_gateway_fits(const struct gateway *gw, const struct addr *local, const struct addr *remote)
{
	if (gw->conf.local.family != ADDR_NONE && !addr_equal(&gw->conf.local, local))
		return false;
	for (size_t i = 0; i < gw->conf.peers; i++)
		if (addr_equal(&gw->conf.peer[i], remote))
			return true;
	return gw->conf.peers == 0;
}

struct ike_id ike_gateway_local_id(const struct gateway *gw, const struct addr *local)
{
	return gw->conf.local_id.type == IKE_ID_NONE ? ike_id_of_addr(local) : gw->conf.local_id;
}

bool ike_gateway_id_ok(const struct gateway *gw, const struct ike_id *peer)
{
	if (gw->conf.remote_id.type != IKE_ID_NONE)
		return ike_id_equal(&gw->conf.remote_id, peer);
	for (size_t i = 0; i < gw->conf.peers; i++) {
		struct ike_id id = ike_id_of_addr(&gw->conf.peer[i]);

		if (ike_id_equal(&id, peer))
			return true;
	}
	return gw->conf.peers == 0;
}
