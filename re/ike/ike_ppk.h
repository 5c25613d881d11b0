/* SPDX-License-Identifier: BSD-2-Clause */
/* Postquantum pre-shared keys (RFC 8784): a second secret in the keys of the SA, so that who
 * records it today and has a quantum computer tomorrow lacks that.
 *
 * Both announce it in IKE_SA_INIT; IKE_AUTH names the key. SK_d, SK_pi and SK_pr are mixed with it,
 * so authentication fails where it is not the same, and children and rekeyed IKE SAs inherit it. A
 * key that is not `required` may be missing at the other end: the initiator then proves itself
 * without it as well (NO_PPK_AUTH). Pure; the event loop's thread. */
#ifndef IKE_PPK_H
#define IKE_PPK_H
#include "ike_sa.h"

enum { PPK_ID_FIXED = 2 };

/* Does the gateway have one? */
bool ike_ppk_has(const struct gateway *gw);
/* IKE_SA_INIT: the responder answers what may come to something. */
void ike_ppk_announce(struct ike_out *o);
bool ike_ppk_announced(const struct ike_in *in);
/* As responder, before it is known which gateway it is: any that fits has one. */
bool ike_ppk_may_have(const struct ike *ike, const struct ike_in *in);

/* The SA's keys with the gateway's in them; wipe ret. */
enum err ike_ppk_mix(const struct ike_sa *sa, const struct gateway *gw,
                     struct ike_keys *ret) MUST_CHECK;
/* From now on they are the SA's. */
enum err ike_ppk_take(struct ike_sa *sa, const struct gateway *gw) MUST_CHECK;

/* IKE_AUTH. */
void ike_ppk_name(struct ike_out *o, const struct gateway *gw); /* as initiator */
void ike_ppk_confirm(struct ike_out *o);                        /* as responder: it is used */

/* What the responder makes of a request, for one gateway. */
enum ike_ppk_use {
	PPK_USED,      /* AUTH is by the mixed keys */
	PPK_NOT_USED,  /* AUTH is as ever */
	PPK_FALL_BACK, /* NO_PPK_AUTH is what AUTH would be without */
	PPK_REFUSED,   /* one end insists */
};
enum ike_ppk_use ike_ppk_judge(const struct ike_sa *sa, const struct gateway *gw,
                               const struct ike_in *in);

#endif
