/* SPDX-License-Identifier: BSD-2-Clause */
/* The payloads of IKEv2 (RFC 7296 3.3 to 3.14): for each its read, and beside it its write.
 *
 * A read takes the body of a payload (what follows the generic header), checks every length, and
 * fills a struct of views that live as long as the message. It changes no SA and allocates nothing.
 * A write appends the body to a writer. Each payload has a file of its own, payload_….c. CERT and
 * CERTREQ, CP and EAP are not read in this version: unknown and skipped unless critical.
 * Any thread. */
#ifndef PAYLOAD_H
#define PAYLOAD_H
#include "ike_conf.h"
#include "writer.h"

/* RFC 7296 3.2 */
enum payload_type {
	PL_NONE = 0,
	PL_SA = 33,
	PL_KE = 34,
	PL_IDI = 35,
	PL_IDR = 36,
	PL_CERT = 37,
	PL_CERTREQ = 38,
	PL_AUTH = 39,
	PL_NONCE = 40,
	PL_NOTIFY = 41,
	PL_DELETE = 42,
	PL_VENDOR = 43,
	PL_TSI = 44,
	PL_TSR = 45,
	PL_SK = 46,
	PL_CP = 47,
	PL_EAP = 48,
	PL_SKF = 53,
};

/* RFC 7296 3.10.1: below 16384 are errors. */
enum notify_type {
	N_UNSUPPORTED_CRITICAL_PAYLOAD = 1,
	N_INVALID_IKE_SPI = 4,
	N_INVALID_MAJOR_VERSION = 5,
	N_INVALID_SYNTAX = 7,
	N_INVALID_MESSAGE_ID = 9,
	N_INVALID_SPI = 11,
	N_NO_PROPOSAL_CHOSEN = 14,
	N_INVALID_KE_PAYLOAD = 17,
	N_AUTHENTICATION_FAILED = 24,
	N_NO_ADDITIONAL_SAS = 35,
	N_TS_UNACCEPTABLE = 38,
	N_UNACCEPTABLE_ADDRESSES = 40,
	N_UNEXPECTED_NAT_DETECTED = 41,
	N_TEMPORARY_FAILURE = 43,
	N_CHILD_SA_NOT_FOUND = 44,
	N_ERROR_END = 16384,
	N_INITIAL_CONTACT = 16384,
	N_SET_WINDOW_SIZE = 16385,
	N_NAT_DETECTION_SOURCE_IP = 16388,
	N_NAT_DETECTION_DESTINATION_IP = 16389,
	N_COOKIE = 16390,
	N_USE_TRANSPORT_MODE = 16391,
	N_REKEY_SA = 16393,
	N_ESP_TFC_PADDING_NOT_SUPPORTED = 16394,
	N_AUTH_LIFETIME = 16403, /* RFC 4478 */
	N_MOBIKE_SUPPORTED = 16396,
	N_UPDATE_SA_ADDRESSES = 16400,
	N_COOKIE2 = 16401,
	N_NO_NATS_ALLOWED = 16402,
	N_IKEV2_MESSAGE_ID_SYNC_SUPPORTED = 16420,
	N_IPSEC_REPLAY_COUNTER_SYNC_SUPPORTED = 16421,
	N_IKEV2_MESSAGE_ID_SYNC = 16422,
	N_IPSEC_REPLAY_COUNTER_SYNC = 16423,
	N_IKEV2_FRAGMENTATION_SUPPORTED = 16430,
	N_USE_PPK = 16435,
	N_PPK_IDENTITY = 16436,
	N_NO_PPK_AUTH = 16437,
};

/* "NO_PROPOSAL_CHOSEN", or "notify 12345"-like text in buf (32 bytes). */
const char *notify_text(uint16_t type, char buf[32]);

/* ---- SA (3.3): iterators over a body that payload_sa_check() found whole --------------------- */

struct sa_proposal {
	uint8_t number, protocol;
	struct view spi;
	uint8_t transforms; /* how many it says, and has */
	struct reader body; /* for sa_next_transform() */
};

struct sa_transform {
	uint8_t type;
	uint16_t id;
	uint16_t key_bits; /* 0: no such attribute */
	bool strange;      /* an attribute that we do not know: never acceptable (3.3.6) */
};

enum err payload_sa_check(struct view body) MUST_CHECK;
/* The next one, or false at the end. Start with rd_of_view(body). */
bool sa_next_proposal(struct reader *r, struct sa_proposal *ret);
bool sa_next_transform(struct reader *r, struct sa_transform *ret);

/* Opens a proposal; close it with the returned offset when its transforms are written. */
size_t payload_sa_open(struct writer *w, const struct sa_proposal *head, bool last);
void payload_sa_transform(struct writer *w, const struct sa_transform *t, bool last);
void payload_sa_close(struct writer *w, size_t at);

/* ---- KE (3.4), nonce (3.9), ID (3.5), AUTH (3.8) -----------------------------------------------
 */

struct payload_ke {
	uint16_t group;
	struct view data;
};

#define NONCE_MIN 16
#define NONCE_MAX 256
#define NONCE_OURS 32

struct payload_id {
	uint8_t type;
	struct view data;
	struct view body; /* as in the AUTH octets: type, reserved, data */
};

struct payload_auth {
	uint8_t method;
	struct view data;
};
enum { AUTH_SHARED_KEY = 2 };

enum err payload_ke_read(struct view body, struct payload_ke *ret) MUST_CHECK;
void payload_ke_write(struct writer *w, const struct payload_ke *ke);
enum err payload_nonce_read(struct view body, struct view *ret) MUST_CHECK;
void payload_nonce_write(struct writer *w, struct view nonce);
enum err payload_id_read(struct view body, struct payload_id *ret) MUST_CHECK;
void payload_id_write(struct writer *w, const struct ike_id *id);
enum err payload_auth_read(struct view body, struct payload_auth *ret) MUST_CHECK;
void payload_auth_write(struct writer *w, const struct payload_auth *auth);

/* ---- Notify (3.10), Delete (3.11) ---------------------------------------------------------------
 */

struct payload_notify {
	uint8_t protocol;
	uint16_t type;
	struct view spi, data;
};

struct payload_delete {
	uint8_t protocol;
	uint8_t spi_size;
	uint16_t spis;
	struct view list; /* spis * spi_size bytes */
};

enum err payload_notify_read(struct view body, struct payload_notify *ret) MUST_CHECK;
void payload_notify_write(struct writer *w, const struct payload_notify *n);
enum err payload_delete_read(struct view body, struct payload_delete *ret) MUST_CHECK;
void payload_delete_write(struct writer *w, const struct payload_delete *d);

/* ---- Traffic selectors (3.13)
 * -------------------------------------------------------------------- */

/* Checks the body; with ret fills at most max and says in *ret_n how many there are to use: others
 * (an unknown type, beyond max) are passed over, which narrows (2.9). */
enum err payload_ts_read(struct view body, struct ike_ts *ret, size_t max,
                         size_t *ret_n) MUST_CHECK;
void payload_ts_write(struct writer *w, const struct ike_ts *ts, size_t n);

#endif
