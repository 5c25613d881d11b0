/* SPDX-License-Identifier: BSD-2-Clause */
/* Everything that must outlive a process is a record (idea 2): kind, key, revision, body.
 *
 * The body is a protobuf message of common/proto. Fields are only ever added; protobuf-c keeps
 * unknown ones, so whoever unpacks, changes and packs again loses nothing of a newer version.
 * Bodies come from the store or from a peer node: decode them with record_..._decode(), which
 * checks every length, range and number before anybody uses the message. Any thread. */
#ifndef RECORD_H
#define RECORD_H
#include "errors.h"
#include "reader.h"

/* Numbers are on disk and on the wire to the peer node: never reused. */
enum record_kind {
	REC_NODE = 1,     /* NodeRecord; key: empty */
	REC_SPU = 2,      /* SpuRecord; key: slot, 1 byte */
	REC_ANCHORS = 3,  /* AnchorsRecord; key: empty */
	REC_TUNNEL = 4,   /* TunnelRecord; key: tunnel index, 4 bytes, network order */
	REC_IKE_SA = 5,   /* IkeSaRecord; key: our IKE SPI, 8 bytes as on the wire */
	REC_CHILD_SA = 6, /* ChildSaRecord; key: protocol (50, 51), 1 byte, our SPI, 4 bytes as on
	                     the wire; where both are set by hand, and so may be those of another
	                     VPN, the tunnel's index, 4 bytes */
	REC_TOTALS = 7,   /* TotalsRecord; key: what of, 4 bytes, network order */
	REC_DEVICES = 8,  /* DevicesRecord; key: empty */
	REC_KINDS
};

#define RECORD_KEY_MAX 16
#define RECORD_BODY_MAX 131072

struct record_key {
	uint8_t kind; /* enum record_kind */
	uint8_t len;
	uint8_t b[RECORD_KEY_MAX];
};

struct record {
	struct record_key key;
	uint64_t revision;
	bool deleted;     /* a tombstone: no body */
	struct view body; /* lives as long as the read transaction it came from */
};

struct record_key record_key_node(void);
struct record_key record_key_anchors(void);
struct record_key record_key_spu(uint8_t slot);
struct record_key record_key_tunnel(uint32_t index);
struct record_key record_key_ike_sa(const uint8_t spi[8]);
struct record_key record_key_totals(uint32_t of);
struct record_key record_key_devices(void);
struct record_key record_key_child_sa(uint8_t protocol, uint32_t spi); /* spi: host order */
struct record_key record_key_manual_sa(uint8_t protocol, uint32_t spi, uint32_t tunnel);

/* "child-sa 50 0x1a2b3c4d", for logs and errors. */
#define RECORD_KEY_TEXT_MAX 64
char *record_key_text(const struct record_key *key, char *buf);

/* Generated from common/proto/records.proto (records.pb-c.h). Freed by ..._free_unpacked(m, NULL),
 * keys in them wiped by record_child_sa_free() and record_ike_sa_free(). */
struct Hawser__NodeRecord;
struct Hawser__SpuRecord;
struct Hawser__AnchorsRecord;
struct Hawser__TunnelRecord;
struct Hawser__IkeSaRecord;
struct Hawser__ChildSaRecord;
struct Hawser__TotalsRecord;
struct Hawser__DevicesRecord;

enum err record_node_decode(struct view body, struct Hawser__NodeRecord **ret) MUST_CHECK;
enum err record_spu_decode(struct view body, struct Hawser__SpuRecord **ret) MUST_CHECK;
enum err record_anchors_decode(struct view body, struct Hawser__AnchorsRecord **ret) MUST_CHECK;
enum err record_tunnel_decode(struct view body, struct Hawser__TunnelRecord **ret) MUST_CHECK;
enum err record_ike_sa_decode(struct view body, struct Hawser__IkeSaRecord **ret) MUST_CHECK;
enum err record_child_sa_decode(struct view body, struct Hawser__ChildSaRecord **ret) MUST_CHECK;
enum err record_totals_decode(struct view body, struct Hawser__TotalsRecord **ret) MUST_CHECK;
enum err record_devices_decode(struct view body, struct Hawser__DevicesRecord **ret) MUST_CHECK;

/* Wipe the keys, then free. Take NULL. */
void record_ike_sa_free(struct Hawser__IkeSaRecord *m);
void record_child_sa_free(struct Hawser__ChildSaRecord *m);

/* Packs any of the messages into buf; ERR_FULL when it is larger than cap. */
struct ProtobufCMessage;
enum err record_encode(const struct ProtobufCMessage *m, uint8_t *buf, size_t cap,
                       size_t *ret_len) MUST_CHECK;

#endif
