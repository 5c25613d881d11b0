// SPDX-License-Identifier: BSD-2-Clause
#include "ike_ts.h"
#include "ike.h"

#include <stdio.h>
#include <string.h>

static bool intersect(const struct ike_ts *a, const struct ike_ts *b, struct ike_ts *ret)
{
	struct ike_ts ts = { 0 };

	if (a->first.family != b->first.family)
		return false;
	if (a->protocol && b->protocol && a->protocol != b->protocol)
		return false;
	ts.protocol = a->protocol ? a->protocol : b->protocol;
	ts.port_first = a->port_first > b->port_first ? a->port_first : b->port_first;
	ts.port_last = a->port_last < b->port_last ? a->port_last : b->port_last;
	ts.first = addr_cmp(&a->first, &b->first) > 0 ? a->first : b->first;
	ts.last = addr_cmp(&a->last, &b->last) < 0 ? a->last : b->last;
	if (ts.port_first > ts.port_last || addr_cmp(&ts.first, &ts.last) > 0)
		return false;
	*ret = ts;
	return true;
}

bool ike_ts_equal(const struct ike_ts *a, const struct ike_ts *b)
{
	return a->protocol == b->protocol && a->port_first == b->port_first &&
	       a->port_last == b->port_last && addr_equal(&a->first, &b->first) &&
	       addr_equal(&a->last, &b->last);
}

static bool inside(const struct ike_ts *a, const struct ike_ts *b)
{
	struct ike_ts both;

	return intersect(a, b, &both) && ike_ts_equal(&both, a);
}

/* Adds unless it lies inside one that is there; takes out those that lie inside it. */
static void add(struct ike_ts_list *l, const struct ike_ts *ts)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		if (inside(ts, &l->at[i]))
			return;
	for (size_t i = 0; i < l->n; i++)
		if (!inside(&l->at[i], ts))
			l->at[n++] = l->at[i];
	l->n = n;
	if (l->n < IKE_SELECTORS_MAX)
		l->at[l->n++] = *ts;
}

struct ike_ts_list ike_ts_narrow(const struct ike_ts *a, size_t a_n, const struct ike_ts *b,
                                 size_t b_n)
{
	struct ike_ts_list got = { 0 };
	struct ike_ts ts;

	for (size_t i = 0; i < a_n; i++)
		for (size_t j = 0; j < b_n; j++)
			if (intersect(&a[i], &b[j], &ts))
				add(&got, &ts);
	return got;
}

bool ike_ts_within(const struct ike_ts_list *in, const struct ike_ts *of, size_t of_n)
{
	for (size_t i = 0; i < in->n; i++) {
		bool found = false;

		for (size_t j = 0; j < of_n; j++)
			found |= inside(&in->at[i], &of[j]);
		if (!found)
			return false;
	}
	return in->n != 0;
}

static bool has_family(const struct ike_ts_list *l, uint8_t family)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->at[i].first.family == family)
			return true;
	return false;
}

static void keep_families_of(struct ike_ts_list *l, const struct ike_ts_list *other)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		if (has_family(other, l->at[i].first.family))
			l->at[n++] = l->at[i];
	l->n = n;
}

void ike_ts_same_families(struct ike_ts_list *a, struct ike_ts_list *b)
{
	keep_families_of(a, b);
	keep_families_of(b, a);
}

/* The prefix that the range is, or -1. */
static int prefix_len(const struct ike_ts *ts)
{
	int bits = (int)addr_len(&ts->first) * 8;

	for (int len = 0; len <= bits; len++) {
		struct prefix p = { ts->first, (uint8_t)len };
		struct addr first = prefix_first(&p), last = prefix_last(&p);

		if (addr_equal(&first, &ts->first) && addr_equal(&last, &ts->last))
			return len;
	}
	return -1;
}

char *ike_ts_text(const struct ike_ts *ts, char *buf)
{
	int len = prefix_len(ts), bits = (int)addr_len(&ts->first) * 8;
	char first[ADDR_TEXT_MAX], last[ADDR_TEXT_MAX], proto[8] = "any", value[2 * ADDR_TEXT_MAX];
	const char *kind = len == bits ? "" : len >= 0 ? "_subnet" : "_range";

	if (ts->protocol)
		(void)snprintf(proto, sizeof(proto), "%u", ts->protocol);
	(void)addr_text(&ts->first, first);
	(void)addr_text(&ts->last, last);
	if (len == bits)
		(void)snprintf(value, sizeof(value), "%s", first);
	else if (len >= 0)
		(void)snprintf(value, sizeof(value), "%s/%d", first, len);
	else
		(void)snprintf(value, sizeof(value), "%s-%s", first, last);
	(void)snprintf(buf, IKE_TS_TEXT_MAX, "%s%s(%s:%u,[0..%d]=%s)",
	               ts->first.family == ADDR_V6 ? "ipv6" : "ipv4", kind, proto,
	               ts->port_first == 0 ? 0u : ts->port_first,
	               (len == bits ? 1 : 2) * bits / 8 - 1, value);
	return buf;
}
