// SPDX-License-Identifier: BSD-2-Clause
#include "daemon_priv.h"

#include "cli_server.h"
#include "records.pb-c.h"

#include <string.h>

static void put(struct daemon *d)
{
	Hawser__DevicesRecord m = HAWSER__DEVICES_RECORD__INIT;
	struct record_key key = record_key_devices();
	struct effects fx = { 0 };
	uint8_t body[SPU_SLOTS * 11 + 32];
	size_t len;

	m.lost = d->devices.lost;
	m.inside = d->devices.inside;
	m.n_inside = SPU_SLOTS;
	if (record_encode(&m.base, body, sizeof(body), &len) == ERR_OK)
		fx_put(&fx, &key, (struct view){ body, len });
	daemon_turn(d, &fx);
}

static enum err take(void *ctx, const struct record *r)
{
	struct daemon *d = ctx;
	Hawser__DevicesRecord *m = NULL;

	TRY(record_devices_decode(r->body, &m));
	d->devices.lost = m->lost;
	memcpy(d->devices.inside, m->inside, m->n_inside * sizeof(m->inside[0]));
	hawser__devices_record__free_unpacked(m, NULL);
	return ERR_OK;
}

void devices_resume(struct daemon *d)
{
	struct record_key key = record_key_devices();

	(void)!store_get(d->store, &key, take, d);
}

void devices_spu_goes(struct daemon *d, const struct config_spu *spu)
{
	struct dataplane_links links;

	dataplane_spu_names(spu, &links);
	show_flow_reckon_killed(d, spu->slot); /* what it had not sent when it ended */
	d->devices.lost += show_flow_lost(&links);
	d->devices.inside[spu->slot] += show_flow_inside(&links);
	put(d);
}

static bool stays(const struct config *c, const char *device)
{
	for (size_t i = 0; i < c->interfaces; i++)
		for (size_t u = 0; u < c->interface[i].units; u++)
			if (strcmp(c->interface[i].unit[u].device, device) == 0)
				return true;
	return false;
}

void devices_units_go(struct daemon *d, const struct config *old, const struct config *c)
{
	uint64_t lost = 0;

	for (size_t i = 0; old && i < old->interfaces; i++) {
		const struct config_interface *f = &old->interface[i];

		for (size_t u = 0; f->kind == CONFIG_IF_TUNNEL && u < f->units; u++)
			if (!stays(c, f->unit[u].device))
				lost += show_flow_lost_unit(&f->unit[u]);
	}
	if (lost == 0)
		return;
	d->devices.lost += lost;
	put(d);
}
