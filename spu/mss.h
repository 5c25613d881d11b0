/* SPDX-License-Identifier: BSD-2-Clause */
/* The MSS option of TCP, lowered in passing (BH-MSS-01).
 *
 * Only in segments that open a connection (SYN), only lowered, and the checksums follow by the
 * difference (RFC 1624): it is not looked at whether they were right. Data-plane thread. */
#ifndef MSS_H
#define MSS_H
#include "ip_info.h"

/* ip: the packet that info was read from. */
void mss_clamp(uint8_t *ip, const struct ip_info *info, uint16_t max);

#endif
