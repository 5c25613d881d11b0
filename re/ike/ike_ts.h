/* SPDX-License-Identifier: BSD-2-Clause */
/* Traffic selectors: narrowing (RFC 7296 2.9) and how they are shown. Pure; any thread. */
#ifndef IKE_TS_H
#define IKE_TS_H
#include "ike_conf.h"

struct ike_ts_list {
	struct ike_ts at[IKE_SELECTORS_MAX];
	size_t n;
};

/* What both may: the intersections of each with each, without those that lie inside another. */
struct ike_ts_list ike_ts_narrow(const struct ike_ts *a, size_t a_n, const struct ike_ts *b,
                                 size_t b_n);
/* Is each of `in` inside one of `of`? */
bool ike_ts_within(const struct ike_ts_list *in, const struct ike_ts *of, size_t of_n);
bool ike_ts_equal(const struct ike_ts *a, const struct ike_ts *b);
/* Removes from both lists the families that the other has not. */
void ike_ts_same_families(struct ike_ts_list *a, struct ike_ts_list *b);

#endif
