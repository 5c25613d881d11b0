// SPDX-License-Identifier: BSD-2-Clause
/* What show commands are told: copies, so that nobody outside holds an SA. */
#include "ike_frag.h"
#include "ike_priv.h"

#include <stdio.h>

static uint32_t seconds_left(uint64_t until, uint64_t now)
{
	return until == UINT64_MAX || until <= now ? 0 : (uint32_t)((until - now) / 1000);
}

static void name_of(char ret[IKE_NAME_MAX], const char *name)
{
	(void)snprintf(ret, IKE_NAME_MAX, "%s", name);
}

static void describe(struct ike_sa *sa, struct ike_sa_info *i)
{
	*i = (struct ike_sa_info){
		.index = sa->index,
		.anchor = sa->anchor,
		.initiator = sa->initiator,
		.up = sa->state == IKE_UP,
		.state = ike_state_text(sa->state),
		.local = sa->local,
		.remote = sa->remote,
		.nat_local = sa->natd.local,
		.nat_remote = sa->natd.remote,
		.udp_encap = sa->udp_encap,
		.cipher = sa->choice.suite.cipher,
		.integ = sa->choice.suite.integ,
		.prf = sa->choice.suite.prf,
		.ke = sa->choice.suite.ke,
		.auth_method = "Pre-shared-keys",
		.lifetime_s = sa->choice.lifetime_s,
		.expires_in_s = seconds_left(sa->hard_ms, ike_sa_now(sa)),
		.bytes_in = sa->bytes_in,
		.bytes_out = sa->bytes_out,
		.packets_in = sa->packets_in,
		.packets_out = sa->packets_out,
		.children_created = sa->children_created,
		.children_deleted = sa->children_deleted,
		.retransmits = sa->win.retransmits,
		.rekeys = sa->rekeys,
		.request_pending = !ike_window_free(&sa->win),
		.window = sa->win.width,
		.peer_window = sa->peer_width ? sa->peer_width : 1,
		.mobike = sa->mobike,
		.ppk = sa->ppk,
		.fragmentation = sa->fragmentation,
		.fragment_size = ike_frag_size(sa),
		.fragments_in = sa->fragments_in,
		.fragments_out = sa->fragments_out,
		.reassembled = sa->reassembled,
	};
	memcpy(i->spi_i, sa->spi_i, 8);
	memcpy(i->spi_r, sa->spi_r, 8);
	name_of(i->gateway, sa->gw ? sa->gw->conf.name : "");
	(void)ike_id_text(ike_sa_local_id(sa), i->local_id);
	(void)ike_id_text(ike_sa_peer_id(sa), i->peer_id);
}

void ike_each_sa(struct ike *ike, bool (*fn)(void *ctx, const struct ike_sa_info *), void *ctx)
{
	struct list *at;

	list_each (at, &ike->sas) {
		struct ike_sa *sa = ike_sa_at(at);
		struct ike_sa_info info;

		if (sa->state == IKE_ENDED)
			continue; /* over: only its last answer lingers */
		describe(sa, &info);
		if (!fn(ctx, &info))
			return;
	}
}

/* For people: what a child is, not what it waits for. */
static const char *child_state_word(const struct child_sa *c)
{
	if (child_sa_alive(c))
		return "installed";
	return c->replaced ? "rekeyed" : "deleting";
}

static void describe_child(struct ike_sa *sa, const struct child_sa *c, struct ike_child_info *i)
{
	struct tunnel *t = ike_tunnel_by_index(sa->ike, c->tunnel);
	struct env *env = sa->ike->env;
	uint64_t now = ike_sa_now(sa);

	*i = (struct ike_child_info){
		.tunnel = c->tunnel,
		.ike_index = sa->index,
		.anchor = sa->anchor,
		.initiator = c->initiator,
		.state = child_state_word(c),
		.sending = c->sending,
		.spi_in = c->spi_in,
		.spi_out = c->spi_out,
		.slot_in = c->slot_in,
		.slot_out = c->slot_out,
		.protocol = c->protocol,
		.cipher = c->cipher,
		.integ = c->integ,
		.esn = c->esn,
		.udp_encap = sa->udp_encap,
		.window = c->window,
		.local = sa->local,
		.remote = sa->remote,
		.local_n = c->local_ts.n,
		.remote_n = c->remote_ts.n,
		.lifetime_s = c->hard_ms ? (uint32_t)((c->hard_ms - c->created_ms) / 1000) : 0,
		.expires_in_s = c->hard_ms ? seconds_left(c->hard_ms, now) : 0,
		.soft_expires_in_s = c->soft_ms ? seconds_left(c->soft_ms, now) : 0,
		.hard_bytes = c->hard_bytes,
		.hard_packets = c->hard_packets,
	};
	name_of(i->vpn, t ? t->conf.vpn : "");
	name_of(i->gateway, sa->gw ? sa->gw->conf.name : "");
	memcpy(i->local_ts, c->local_ts.at, sizeof(i->local_ts));
	memcpy(i->remote_ts, c->remote_ts.at, sizeof(i->remote_ts));
	if (env->runtime_usage(env, c->slot_in, &i->in) != ERR_OK)
		i->in = (struct sa_usage){ 0 };
	if (env->runtime_usage(env, c->slot_out, &i->out) != ERR_OK)
		i->out = (struct sa_usage){ 0 };
}

void ike_each_child(struct ike *ike, bool (*fn)(void *ctx, const struct ike_child_info *),
                    void *ctx)
{
	struct list *at, *in;

	list_each (at, &ike->sas)
		list_each (in, &ike_sa_at(at)->children) {
			struct ike_child_info info;

			describe_child(ike_sa_at(at), child_sa_at(in), &info);
			if (!fn(ctx, &info))
				return;
		}
}

void ike_stats(const struct ike *ike, struct ike_stats *ret)
{
	*ret = ike->stats;
}
