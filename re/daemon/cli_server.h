/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands come as JSON lines on RUNDIR/cli.sock: {"command": "show ...", "args": {...}}; the
 * answer is one line, one object; an error is {"error": {"what", "path", "expected"}}
 * (settled: 2.2, 2.3, 5.11). The socket is ours alone (mode 0600). The event loop's thread. */
#ifndef CLI_SERVER_H
#define CLI_SERVER_H
#include "commands.h"
#include "dataplane.h"
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct config_report;
struct daemon;

/* Handlers: the answer, a new object; cli_error() where it cannot be done. The request is borrowed,
 * and was checked against the command table. */
json_t *show_ike_sas(struct daemon *d, const struct cli_request *r);
json_t *show_ike_active_peers(struct daemon *d, const struct cli_request *r);
json_t *show_ike_peers(struct daemon *d, const struct cli_request *r);
json_t *show_ike_stats(struct daemon *d, const struct cli_request *r);
json_t *clear_ike_peers(struct daemon *d, const struct cli_request *r);
json_t *clear_ike_stats(struct daemon *d, const struct cli_request *r);
json_t *show_ipsec_sas(struct daemon *d, const struct cli_request *r);
json_t *show_ipsec_statistics(struct daemon *d, const struct cli_request *r);
json_t *show_ipsec_compliance(struct daemon *d, const struct cli_request *r);
json_t *show_chassis_spus(struct daemon *d, const struct cli_request *r);
json_t *show_flow_drops(struct daemon *d, const struct cli_request *r);
json_t *show_configuration(struct daemon *d, const struct cli_request *r);
json_t *clear_ike_sas(struct daemon *d, const struct cli_request *r);
json_t *clear_ipsec_sas(struct daemon *d, const struct cli_request *r);
json_t *clear_ipsec_statistics(struct daemon *d, const struct cli_request *r);
json_t *request_offload(struct daemon *d, const struct cli_request *r);
json_t *request_ipsec_rekey(struct daemon *d, const struct cli_request *r);
json_t *request_ike_rekey(struct daemon *d, const struct cli_request *r);
json_t *request_anchor(struct daemon *d, const struct cli_request *r);
json_t *request_load(struct daemon *d, const struct cli_request *r);

/* What the SPU that had the slot held when it was killed is counted as dropped: when its successor
 * is ready, before it takes anything. */
void show_flow_reckon_killed(struct daemon *d, uint8_t slot);
/* What devices have counted that are about to be deleted: frames that came into an SPU's links less
 * those that came out; frames that were lost in rings. */
uint64_t show_flow_inside(const struct dataplane_links *l);
uint64_t show_flow_lost(const struct dataplane_links *l);
uint64_t show_flow_lost_unit(const struct config_unit *unit);

/* Arguments. A number that is absent is `otherwise`; a word that is absent is NULL. */
long long cli_number(json_t *args, const char *name, long long otherwise);
const char *cli_word(json_t *args, const char *name);

/* Whether the filters fpc and pic (each may be absent) leave this SPU in. */
bool cli_spu_matches(struct daemon *d, json_t *args, uint8_t slot);
/* "fpc", "pic", "kmd-instance": where the anchor is now, added to an object. */
void cli_put_location(struct daemon *d, json_t *to, uint8_t anchor);

#endif
