// SPDX-License-Identifier: BSD-2-Clause
/* SAs of every kind: made, announced SPU by SPU, replaced, moved, lost and found again. */
#include "soak.h"
#include "emu_fault.h"
#include "records.pb-c.h"

#include <stdio.h>

enum { WINDOW_STEPS = 7, ESN_TURN_NEAR = 3000, SPIS_APART = 0x100 };

static uint32_t tunnel_index(uint32_t t)
{
	return 500 + t;
}

/* ---------------------------------------------------------------- a suite, drawn */

static const struct alg_integ *draw_integ(struct soak *s, uint8_t use, bool *used)
{
	uint32_t n = 0, i = 0;

	while (alg_integs[n].name != NULL)
		n++;
	do {
		i = soak_below(s, n);
	} while (!(alg_integs[i].use & use));
	used[i] = true;
	return &alg_integs[i];
}

static void draw_suite(struct soak *s, const struct soak_tunnel *t, struct rig_sa *spec)
{
	uint32_t n = 0, i = 0;

	spec->esn = soak_below(s, 2);
	if (soak_below(s, 4) == 0) {
		spec->protocol = IPPROTO_NO_AH;
		spec->integ = draw_integ(s, ALG_AH, s->tally.ah)->v2_id;
		return;
	}
	while (alg_ciphers[n].name != NULL)
		n++;
	do {
		i = soak_below(s, n);
	} while (!(alg_ciphers[i].use & ALG_SOFT));
	s->tally.cipher[i] = true;
	spec->protocol = IPPROTO_NO_ESP;
	spec->cipher = alg_ciphers[i].v2_id;
	spec->bits = alg_ciphers[i].key_bits;
	spec->udp = t->frag != FRAG_OUTER && soak_below(s, 3) == 0;
	if (alg_ciphers[i].icv_len != 0)
		return;
	if (alg_ciphers[i].kind == ALG_KIND_CBC && soak_below(s, 16) == 0)
		spec->esn = false; /* a cipher alone */
	else
		spec->integ = draw_integ(s, ALG_SOFT, s->tally.integ)->v2_id;
}

static void fill_random(struct soak *s, uint8_t *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		at[i] = (uint8_t)(soak_random(s) >> 32);
}

/* ---------------------------------------------------------------- a pair of SAs */

/* Each tunnel has addresses of its own: their last byte says which frame is whose. */
static const char *address(char room[SIDES][40], const struct soak_tunnel *t, uint32_t i, int side)
{
	static const char *const v4[SIDES] = { "192.0.2.%u", "198.51.100.%u" };
	static const char *const v6[SIDES] = { "2001:db8:1::%x", "2001:db8:2::%x" };

	(void)snprintf(room[side], sizeof(room[side]), t->outer == 4 ? v4[side] : v6[side], i + 1);
	return room[side];
}

/* k: the SPU, counted over both gateways. */
static void put(struct soak *s, uint32_t i, struct pair *p, int k, bool sending)
{
	int side = k / SPUS, spu = k % SPUS;
	char room[SIDES][40];
	struct soak_tunnel *t = &s->tunnel[i];
	struct rig_sa spec = p->spec[side];

	spec.local = address(room, t, i, side);
	spec.remote = address(room, t, i, !side);
	spec.not_sending = !sending;
	spec.slots_of = p->at[side][0] != NULL ? p->at[side][0] : p->at[side][1];
	p->at[side][spu] = rig_sa_put(s->rig[side][spu], &spec);
	nic_changed(&s->nic[side][spu]);
}

static void start_at(struct pair *p, int from, uint64_t seq)
{
	atomic_store(&p->at[from][0]->out.runtime->seq, seq);
	atomic_store(&p->at[!from][0]->in.runtime->seq, seq);
}

static void pair_make(struct soak *s, uint32_t i, struct pair *p, bool sending)
{
	struct soak_tunnel *t = &s->tunnel[i];

	*p = (struct pair){ .live = true, .told = sending ? SIDES * SPUS : 0 };
	draw_suite(s, t, &p->spec[0]);
	p->spec[0].tunnel = tunnel_index(i);
	p->spec[0].anchor = (uint8_t)(i + 1);
	p->spec[0].window = t->window;
	p->spec[0].serial = s->spi;
	p->spec[0].epoch = (uint16_t)soak_random(s);
	p->spec[1] = p->spec[0];
	s->spi += SPIS_APART;
	for (int side = 0; side < SIDES; side++) {
		fill_random(s, p->key[side], sizeof(p->key[side]));
		fill_random(s, p->auth[side], sizeof(p->auth[side]));
		p->spec[side].key_out = p->spec[!side].key_in = p->key[side];
		p->spec[side].auth_out = p->spec[!side].auth_in = p->auth[side];
		p->spec[side].spi_out = p->spec[!side].spi_in = s->spi + (uint32_t)side;
	}
	for (int k = 0; k < SIDES * SPUS; k++)
		put(s, i, p, k, sending);
	p->slow = p->spec[0].cipher == ENCR_DES_CBC || p->spec[0].cipher == ENCR_3DES_CBC;
	p->icv = p->at[0][0]->form.icv_len != 0;
	for (int side = 0; side < SIDES; side++) {
		if (p->spec[0].esn && soak_below(s, 2))
			start_at(p, side, UINT32_MAX - soak_below(s, ESN_TURN_NEAR));
		if (t->frag != FRAG_NONE)
			sa_runtime_learn_mtu(p->at[side][0]->out.runtime, t->path_mtu, UINT64_MAX);
	}
}

static void pair_drop(struct soak *s, struct pair *p)
{
	for (int side = 0; side < SIDES; side++) {
		uint32_t in = p->at[side][0]->in.slot, out = p->at[side][0]->out.slot;

		for (int spu = 0; spu < SPUS; spu++) {
			sa_table_del(&s->rig[side][spu]->roads.sas, p->spec[side].protocol,
			             p->spec[side].spi_in, 0);
			nic_changed(&s->nic[side][spu]);
		}
		sa_runtime_give(&s->rig[side][0]->runtime, in);
		sa_runtime_give(&s->rig[side][0]->runtime, out);
	}
	p->live = false;
}

void soak_tunnels_make(struct soak *s)
{
	for (uint32_t i = 0; i < TUNNELS; i++) {
		struct soak_tunnel *t = &s->tunnel[i];

		t->outer = soak_below(s, 2) ? 6 : 4;
		t->frag = i % 4 == 1 ? FRAG_INNER : i % 4 == 2 ? FRAG_OUTER : FRAG_NONE;
		t->window = (uint16_t)(SA_WINDOW_MIN << soak_below(s, WINDOW_STEPS));
		t->path_mtu = (uint16_t)(t->outer == 4 ? 700 + soak_below(s, 700)
		                                       : 1280 + soak_below(s, 120));
		for (int k = 0; k < SIDES * SPUS; k++) {
			struct tunnel *tun =
			        rig_tunnel(s->rig[k / SPUS][k % SPUS], tunnel_index(i));

			tun->df = ENCAP_DF_CLEAR;
			tun->post_fragmentation = t->frag == FRAG_OUTER;
			sa_table_tunnel_changed(tun);
			s->nic[k / SPUS][k % SPUS].owner[i + 1] = 0;
		}
		t->way[0].target = t->way[1].target = 1;
		pair_make(s, i, &t->pair[0], true);
	}
}

void soak_tunnels_drop(struct soak *s)
{
	for (uint32_t i = 0; i < TUNNELS * GENS; i++) {
		struct pair *p = &s->tunnel[i / GENS].pair[i % GENS];

		if (p->live)
			pair_drop(s, p);
	}
}

/* ---------------------------------------------------------------- events */

/* A new pair beside the old one; then SPU by SPU sends by it; then the old one goes, when nothing
 * of it is under way. */
static void rekey(struct soak *s, uint32_t i)
{
	struct soak_tunnel *t = &s->tunnel[i];
	struct pair *old = &t->pair[t->cur], *young = &t->pair[!t->cur];

	if (!young->live) {
		pair_make(s, i, young, false);
		return;
	}
	if (young->told < SIDES * SPUS) {
		put(s, i, young, young->told, true);
		young->told++;
		return;
	}
	soak_arrive(s, 0, i, true);
	soak_arrive(s, 1, i, true);
	pair_drop(s, old);
	t->cur = !t->cur;
	s->tally.rekeys++;
}

static void move(struct soak *s, uint32_t i, int side)
{
	struct soak_tunnel *t = &s->tunnel[i];

	if (t->frag == FRAG_OUTER)
		soak_arrive(s, !side, i, true);
	t->owner[side] = !t->owner[side];
	for (int spu = 0; spu < SPUS; spu++) {
		s->nic[side][spu].owner[i + 1] = t->owner[side];
		nic_changed(&s->nic[side][spu]);
	}
	s->tally.moves++;
}

/* An SPU dies and comes back: it knows nothing but the records and the run-time table. */
static void restart(struct soak *s, int side, int spu)
{
	struct rig *rig = s->rig[side][spu];

	if (rig->roads.reasm.held != 0)
		return; /* what it held would be lost, and counted */
	sa_table_clear(&rig->roads.sas);
	for (uint32_t i = 0; i < TUNNELS * GENS; i++) {
		struct pair *p = &s->tunnel[i / GENS].pair[i % GENS];

		p->at[side][spu] = NULL;
		if (p->live)
			put(s, i / GENS, p, side * SPUS + spu, side * SPUS + spu < p->told);
	}
	s->tally.restarts++;
}

/* A NIC that forgot its SAs sends none of the frames that are marked for it; so that nothing is
 * lost it says so at once, as one does that was reset. */
static void fault(struct soak *s, int side, int spu)
{
	struct rig *rig = s->rig[side][spu];
	uint32_t kind = soak_below(s, EMU_FAULTS);

	if (rig->kind != RIG_INLINE)
		return;
	if (emu_fault_inject(rig->wire, (enum emu_fault)kind, 1 + soak_below(s, 40), NULL) !=
	    ERR_OK)
		soak_die(s, "the fault could not be injected");
	s->tally.faults++;
	if (kind != EMU_FAULT_FORGET && kind != EMU_FAULT_RESET)
		return;
	rig->roads.nic_lost = true;
	while (nic_step(&s->nic[side][spu]))
		;
}

static void choose(struct soak *s, uint32_t i, int side, int spu)
{
	static const uint8_t choices[] = { HAWSER__ENGINE_CHOICE__ENGINE_AUTOMATIC,
		                           HAWSER__ENGINE_CHOICE__ENGINE_INLINE,
		                           HAWSER__ENGINE_CHOICE__ENGINE_SOFTWARE };
	struct tunnel *tun = rig_tunnel(s->rig[side][spu], tunnel_index(i));

	tun->df = ENCAP_DF_CLEAR;
	tun->choice = choices[soak_below(s, ARRAY_LEN(choices))];
	tun->asked++;
	sa_table_tunnel_changed(tun);
	nic_changed(&s->nic[side][spu]);
	s->tally.choices++;
}

void soak_event(struct soak *s)
{
	uint32_t i = soak_below(s, TUNNELS);
	int side = (int)soak_below(s, SIDES), spu = (int)soak_below(s, SPUS);

	switch (soak_below(s, 16)) {
	case 0:
		restart(s, side, spu);
		break;
	case 1:
		fault(s, side, spu);
		break;
	case 2:
	case 3:
	case 4:
		move(s, i, side);
		break;
	case 5:
	case 6:
		choose(s, i, side, spu);
		break;
	default:
		rekey(s, i);
	}
}

void soak_nics(struct soak *s)
{
	uint64_t ms = soak_below(s, 8);

	for (int side = 0; side < SIDES; side++) {
		for (int spu = 0; spu < SPUS; spu++) {
			struct roads *r = &s->rig[side][spu]->roads;

			r->now_ms += ms;
			reasm_expire(&r->reasm, r->shm, r->now_ms);
			(void)nic_step(&s->nic[side][spu]);
		}
	}
}
