// SPDX-License-Identifier: BSD-2-Clause
/* show chassis spu. */
#include "cli_server.h"

#include "daemon_priv.h"

static const char *state_name(const struct daemon *d, uint8_t slot)
{
	static const char *const names[SPU_STATES] = {
		[SPU_ABSENT] = "absent", [SPU_STARTING] = "starting", [SPU_SYNCING] = "syncing",
		[SPU_READY] = "ready",   [SPU_ACTIVE] = "active",     [SPU_STOPPING] = "stopping",
	};
	uint32_t state = d->shm->spu[slot].state;

	if (d->spus.at[slot].in_service)
		return "active";
	if (!proc_slot_alive(&d->shm->spu[slot].proc))
		return d->spus.at[slot].deaths ? "failed" : "absent";
	return state < SPU_STATES && names[state] ? names[state] : "unknown";
}

static json_t *spu_object(struct daemon *d, uint8_t slot)
{
	const struct spu_run *s = &d->spus.at[slot];
	struct spu_slot *shm = &d->shm->spu[slot];
	_Atomic uint64_t *n = shm->stat;
	bool vdev = s->conf.vdev[0] != '\0';
	json_t *o = json_pack("{s:i, s:i, s:i, s:s, s:s, s:s, s:s, s:i, s:i}", "slot", slot, "fpc",
	                      s->conf.fpc, "pic", s->conf.pic, "state", state_name(d, slot), "port",
	                      vdev ? "vdev" : "emulated", "profile",
	                      vdev                                      ? "none"
	                      : s->conf.profile == CONFIG_PROFILE_82599 ? "82599"
	                                                                : "generic",
	                      "offload",
	                      s->conf.offload == CONFIG_OFFLOAD_SOFTWARE ? "software" : "inline",
	                      "weight", s->conf.weight, "anchors",
	                      (int)placement_count(&d->spus.placement, slot));
	const struct {
		const char *key;
		uint64_t value;
	} numbers[] = {
		{ "sas-inline", n[SPU_SAS_INLINE] },
		{ "sas-software", n[SPU_SAS_SOFT] },
		{ "packets-in", n[SPU_WIRE_RX] + n[SPU_FABRIC_RX] },
		{ "packets-out", n[SPU_WIRE_TX] + n[SPU_FABRIC_TX] },
		{ "decrypted", n[SPU_DECRYPTED] },
		{ "encrypted", n[SPU_ENCRYPTED] },
		{ "decrypted-inline", n[SPU_DECRYPTED_INLINE] },
		{ "encrypted-inline", n[SPU_ENCRYPTED_INLINE] },
		{ "promotions", n[SPU_PROMOTIONS] },
		{ "demotions", n[SPU_DEMOTIONS] },
		{ "starts", s->starts },
		{ "failures", s->deaths },
		{ "applied-revision", shm->applied },
	};

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		json_object_set_new(o, numbers[i].key, json_integer((json_int_t)numbers[i].value));
	if (vdev)
		json_object_set_new(o, "vdev", json_string(s->conf.vdev));
	if (proc_slot_alive(&shm->proc))
		json_object_set_new(o, "pid", json_integer(shm->proc.pid));
	json_object_set_new(o, "cpu-percent", json_real(s->cpu_permille / 10.0));
	return o;
}

json_t *show_chassis_spus(struct daemon *d, const struct cli_request *r)
{
	json_t *args = r->args;
	json_t *list = json_array();

	for (uint8_t slot = 0; slot < SPU_SLOTS; slot++)
		if (d->spus.at[slot].wanted && cli_spu_matches(d, args, slot))
			json_array_append_new(list, spu_object(d, slot));
	return json_pack("{s:o, s:I, s:I, s:I}", "spu", list, "store-revision",
	                 (json_int_t)store_revision(d->store), "moves", (json_int_t)d->moves.done,
	                 "moves-late", (json_int_t)d->moves.late);
}
