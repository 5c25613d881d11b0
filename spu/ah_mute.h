/* SPDX-License-Identifier: BSD-2-Clause */
/* AH authenticates the outer header as far as nobody changes it on the way (RFC 4302 3.3.3.1).
 *
 * Pure; any thread. */
#ifndef AH_MUTE_H
#define AH_MUTE_H
#include <stddef.h>
#include <stdint.h>

/* Makes zero what routers may change in the outer headers: IPv4 with its options, or IPv6 with the
 * extension headers before AH; `before` bytes in all, with AH behind them. Returns where the packet
 * begins as its sender authenticated it: behind ip, where an IPv6 fragment header of a packet that
 * is whole had to be taken out (RFC 4302 3.4.1: AH comes after reassembly). NULL when options or
 * headers lie about their lengths; the packet is then spoilt. Bytes are read and written within
 * `before` only. */
uint8_t *ah_mute(uint8_t *ip, size_t before);

#endif
