/* SPDX-License-Identifier: BSD-2-Clause */
/* Real frames: raw sockets on the peers' ends, and an AF_XDP socket in an SPU's place. */
#ifndef WIRE_H
#define WIRE_H
#include "bed.h"
#include <stdbool.h>

/* Opens a raw socket on an interface: sends what it is given, sees what the interface receives. */
int wire_open(const char *ifname);
void wire_send(int sock, const uint8_t *frame, size_t len);
/* Waits (at most 5 s) for a received frame that fits; its length, or 0. */
size_t wire_wait(int sock, bool (*fits)(const uint8_t *frame, size_t len), uint8_t *ret,
                 size_t cap);

/* An AF_XDP socket on an SPU's port, in the map. One buffer per descriptor; copies out. */
struct spu_sock;
struct spu_sock *spu_open(const char *ifname, enum steer_fd socks, uint32_t slot);
void spu_close(struct spu_sock *s);
/* Waits (at most wait_ms) for a frame; its length, or 0. */
size_t spu_receive(struct spu_sock *s, uint8_t *ret, size_t cap, int wait_ms);
/* Frames that the kernel had no room for in the socket. */
uint64_t spu_lost(struct spu_sock *s);

#endif
