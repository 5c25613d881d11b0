/* SPDX-License-Identifier: BSD-2-Clause */
/* rte_security as the emulated NIC has it: inline crypto for ESP tunnels within a profile's limits.
 *
 * Its arithmetic is OpenSSL's (emu_cipher.h), apart from the soft engine's, so that each checks the
 * other. Sessions and bursts: the port's data-plane thread. */
#ifndef EMU_SECURITY_H
#define EMU_SECURITY_H
#include "emu_fault.h"
#include "emu_priv.h"

struct rte_security_ctx;

/* How often each fault is still to happen. */
struct emu_faults {
	uint32_t left[EMU_FAULTS];
};

/* Whether it happens now; counts it down. */
bool emu_faults_take(struct emu_faults *f, enum emu_fault fault);

struct emu_security_counters {
	uint64_t tx_ok, tx_errors;
	uint64_t rx_ok, rx_failed, rx_missed;
};

enum err emu_security_new(struct emu_dev *dev, struct emu_security **ret) MUST_CHECK;
void emu_security_free(struct emu_security *s); /* takes NULL */
struct rte_security_ctx *emu_security_ctx(struct emu_security *s);
const struct emu_security_counters *emu_security_counters(const struct emu_security *s);
struct emu_faults *emu_security_faults(struct emu_security *s);
/* Loses all sessions. */
void emu_security_forget(struct emu_security *s);

/* Decrypts what belongs to a session and sets the receive flags as a part would; leaves everything
 * else as it came. */
void emu_security_rx(struct emu_security *s, struct rte_mbuf **mbufs, uint16_t n);

/* Encrypts a frame marked RTE_MBUF_F_TX_SEC_OFFLOAD. False: it must not be sent, and is counted. */
bool emu_security_tx(struct emu_security *s, struct rte_mbuf *m) MUST_CHECK;

#endif
