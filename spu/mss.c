// SPDX-License-Identifier: BSD-2-Clause
#include "mss.h"
#include "bytes.h"

enum { PROTO_TCP = 6, TCP_LEN = 20, TCP_SYN = 2, OPTION_END = 0, OPTION_NOP = 1, OPTION_MSS = 2 };

/* RFC 1624: HC' = ~(~HC + ~m + m'). A value at an odd place has its bytes the other way round in
 * the sum. */
static void lower(uint8_t *tcp, uint8_t *value, uint16_t max)
{
	uint16_t old = get_be16(value), now = max;

	if (old <= max)
		return;
	put_be16(value, max);
	if ((value - tcp) & 1) {
		old = __builtin_bswap16(old);
		now = __builtin_bswap16(now);
	}
	uint32_t sum = (uint16_t)~get_be16(tcp + 16);
	sum += (uint16_t)~old;
	sum += now;
	put_be16(tcp + 16, csum_fold(sum));
}

void mss_clamp(uint8_t *ip, const struct ip_info *info, uint16_t max)
{
	if (info->flow.proto != PROTO_TCP || info->l4 == 0 || info->len < info->l4 + TCP_LEN)
		return;
	uint8_t *tcp = ip + info->l4;
	size_t header = (size_t)(tcp[12] >> 4) * 4;
	if (!(tcp[13] & TCP_SYN) || header < TCP_LEN || header > (size_t)info->len - info->l4)
		return;
	struct reader r = rd_of(tcp + TCP_LEN, header - TCP_LEN);
	while (rd_left(&r) != 0) {
		uint8_t type = rd_u8(&r);

		if (type == OPTION_END)
			return;
		if (type == OPTION_NOP)
			continue;
		uint8_t len = rd_u8(&r);
		if (r.bad || len < 2)
			return;
		uint8_t *value = tcp + (r.p - tcp);
		rd_skip(&r, len - 2u);
		if (!r.bad && type == OPTION_MSS && len == 4)
			lower(tcp, value, max);
	}
}
