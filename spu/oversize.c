// SPDX-License-Identifier: BSD-2-Clause
#include "oversize.h"

enum { V6_MIN_MTU = 1280 }; /* RFC 8200 5 */

static enum oversize v6_what(const struct oversize_rule *rule, const struct ip_info *inner)
{
	if (inner->len <= V6_MIN_MTU || (rule->post && rule->df == ENCAP_DF_CLEAR))
		return OVERSIZE_SPLIT_OUTER;
	return OVERSIZE_ANSWER;
}

enum oversize oversize_what(const struct oversize_rule *rule, const struct ip_info *inner)
{
	if (inner->flow.family == 6)
		return v6_what(rule, inner);
	bool outer_df = rule->df == ENCAP_DF_SET || (rule->df == ENCAP_DF_COPY && inner->df);
	if (inner->df)
		return outer_df ? OVERSIZE_ANSWER : OVERSIZE_SPLIT_OUTER;
	if (rule->by_port)
		return outer_df ? OVERSIZE_DROP : OVERSIZE_SPLIT_OUTER;
	return rule->post && !outer_df ? OVERSIZE_SPLIT_OUTER : OVERSIZE_SPLIT_INNER;
}
