/* SPDX-License-Identifier: BSD-2-Clause */
/* Switches of the kernel that have no netlink: /proc/sys/net and ethtool's offloads. Of the network
 * namespace that the caller is in. The event loop's thread. */
#ifndef SYSCTL_H
#define SYSCTL_H
#include "errors.h"

/* A path below /proc/sys/net: "ipv4/ip_forward". ERR_NOT_FOUND when the kernel has no such switch.
 */
enum err sysctl_set(const char *path, int value) MUST_CHECK;
enum err sysctl_get(const char *path, int *ret) MUST_CHECK;
/* A switch that has two numbers: "ipv4/ip_local_port_range". */
enum err sysctl_get_two(const char *path, int *ret_first, int *ret_last) MUST_CHECK;

/* FAMILY/conf/IFNAME/KEY; family "ipv4" or "ipv6". */
enum err sysctl_conf_set(const char *family, const char *ifname, const char *key,
                         int value) MUST_CHECK;

/* Transmit checksums and segmentation off: frames of a local stack that go through XDP must be
 * whole. */
enum err sysctl_tx_offloads_off(const char *ifname) MUST_CHECK;
/* GRO on: a veth end without a program takes redirected frames only so. */
enum err sysctl_gro_on(const char *ifname) MUST_CHECK;

#endif
