// SPDX-License-Identifier: BSD-2-Clause
/* hawser-spu --slot N -d RUNDIR: one SPU. Started by the keeper (hawserd).
 *
 * Two ports, two roads; between two bursts the records. It goes on without routing engine and
 * keeper. SIGTERM: hands over what is held, gives back the NIC's sessions, leaves its slot. */
#include "start.h"

#include <getopt.h>
#include <rte_eal.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { COUNT_MS = 250, TELL_MS = 5, SHORT_SLEEP_MS = 1, DRAIN_TURNS = 2000, DRAIN_QUIET = 3 };

static volatile sig_atomic_t told_to_stop;

static void on_signal(int number)
{
	(void)number;
	told_to_stop = 1;
}

/* ---------------------------------------------------------------- one turn */

static bool wire_in(struct spu *s)
{
	struct rte_mbuf *in[BURST], *out[BURST];
	uint16_t n = ports_rx(&s->ports, PORT_WIRE, in, BURST);

	if (n == 0)
		return false;
	ports_tx(&s->ports, PORT_FABRIC, out, inbound_run(&s->roads, in, n, out));
	return true;
}

/* What a burst had no room for, before the next one. */
static void rest_out(struct spu *s)
{
	struct rte_mbuf *out[BURST];
	uint16_t n = 0;

	while (outbound_more(&s->roads, out, &n))
		ports_tx(&s->ports, PORT_WIRE, out, n);
	while ((n = outbound_answers(&s->roads, out)) != 0)
		ports_tx(&s->ports, PORT_FABRIC, out, n);
}

static bool fabric_in(struct spu *s)
{
	struct rte_mbuf *in[BURST], *out[BURST];
	uint16_t n = ports_rx(&s->ports, PORT_FABRIC, in, BURST);

	if (n == 0)
		return false;
	ports_tx(&s->ports, PORT_WIRE, out, outbound_run(&s->roads, in, n, out));
	rest_out(s);
	return true;
}

/* What was held and may go, before anything that came later. */
static bool held_out(struct spu *s)
{
	struct rte_mbuf *out[BURST];
	struct hold *h = &s->roads.hold;
	uint16_t n = 0;

	if (h->n_holding == 0 && h->n == 0)
		return false;
	spu_count(&s->shm->stat[SPU_HOLD_LATE], hold_poll(h, s->node, s->roads.now_ms));
	while (outbound_release(&s->roads, out, &n)) {
		ports_tx(&s->ports, PORT_WIRE, out, n);
		rest_out(s);
	}
	return false;
}

/* Settled 5.4: the old owner of an anchor says that it has read the move's marker when nothing of
 * what came before it waits to be sent. */
static bool marker(struct spu *s)
{
	if (!s->roads.marker_read)
		return false;
	if (ports_tx_waiting(&s->ports, PORT_WIRE) != 0) {
		ports_tx_again(&s->ports, PORT_WIRE);
		return true;
	}
	s->roads.marker_read = false;
	__atomic_store_n((uint64_t *)&s->shm->moved_marker, s->roads.marker, __ATOMIC_RELEASE);
	return true;
}

static void count(struct spu *s)
{
	uint64_t now = s->roads.now_ms;

	atomic_store_explicit(&s->shm->stat[SPU_HELD], s->roads.hold.n + s->roads.reasm.held,
	                      memory_order_relaxed);
	if (now - s->counted_ms < COUNT_MS)
		return;
	s->counted_ms = now;
	if (ports_count(&s->ports) != 0)
		s->roads.nic_lost = true;
}

/* Wakes the routing engine when it waits for a revision, or there are events for it. */
static void tell(struct spu *s)
{
	uint32_t head = atomic_load_explicit(&s->shm->events.head, memory_order_relaxed);
	bool applied = s->control.applied != s->told_applied;
	const uint64_t one = 1;

	if (!applied && (head == s->told_head || s->roads.now_ms - s->told_ms < TELL_MS))
		return;
	tether_wake(&s->tether, TETHER_TO_RE, &s->wake[TETHER_TO_RE]);
	if (s->wake[TETHER_TO_RE] >= 0 &&
	    write(s->wake[TETHER_TO_RE], &one, sizeof(one)) != (ssize_t)sizeof(one))
		return; /* it is told already */
	s->told_applied = s->control.applied;
	s->told_head = head;
	s->told_ms = s->roads.now_ms;
}

static void say_state(struct spu *s)
{
	enum spu_state to = s->control.in_service ? SPU_ACTIVE : SPU_READY;

	/* Without SAs that it may use (another run-time table than the records') it is of no use.
	 */
	if (s->shm->state != to && s->control.applied != 0 && !s->control.more &&
	    s->control.runtime_known)
		__atomic_store_n((uint32_t *)&s->shm->state, to, __ATOMIC_RELEASE);
}

static bool turn(struct spu *s)
{
	bool worked = false;

	s->roads.now_ms = spu_now_ms();
	if (s->nic_reset) {
		s->nic_reset = false;
		s->roads.nic_lost = true;
	}
	worked |= held_out(s);
	reasm_expire(&s->roads.reasm, s->shm, s->roads.now_ms);
	worked |= wire_in(s);
	worked |= fabric_in(s);
	worked |= marker(s);
	worked |= control_turn(&s->control);
	worked |= nic_step(&s->nic);
	count(s);
	say_state(s);
	tell(s);
	return worked;
}

/* ---------------------------------------------------------------- asleep */

static void sleep_now(struct spu *s)
{
	bool waiting = s->roads.hold.n != 0;

	for (enum port_side side = 0; side < PORT_SIDES; side++) {
		if (ports_tx_waiting(&s->ports, side) == 0)
			continue;
		ports_tx_again(&s->ports, side);
		waiting |= ports_tx_waiting(&s->ports, side) != 0;
	}
	tether_wake(&s->tether, TETHER_TO_SPU, &s->wake[TETHER_TO_SPU]);
	s->idle.fd[PORT_SIDES] = s->wake[TETHER_TO_SPU];
	idle_sleep(&s->idle, waiting ? SHORT_SLEEP_MS : IDLE_MS);
}

/* What is in the rings still goes its way: the anchors are somebody else's by now. */
static void drain(struct spu *s)
{
	int quiet = 0;

	__atomic_store_n((uint32_t *)&s->shm->state, SPU_STOPPING, __ATOMIC_RELEASE);
	for (unsigned int i = 0; i < ANCHORS; i++)
		hold_cancel(&s->roads.hold, (uint8_t)i);
	for (int i = 0; i < DRAIN_TURNS && quiet < DRAIN_QUIET; i++) {
		bool waiting = ports_tx_waiting(&s->ports, PORT_WIRE) != 0 ||
		               ports_tx_waiting(&s->ports, PORT_FABRIC) != 0;

		s->roads.now_ms = spu_now_ms();
		(void)held_out(s);
		bool worked = wire_in(s);
		worked |= fabric_in(s);
		ports_tx_again(&s->ports, PORT_WIRE);
		ports_tx_again(&s->ports, PORT_FABRIC);
		quiet = worked || waiting ? 0 : quiet + 1;
		spu_count(&s->shm->progress, 1);
	}
	reasm_clear(&s->roads.reasm, s->shm, DROP_REASSEMBLY_TIMEOUT);
	nic_release(&s->nic);
	s->counted_ms = 0;
	count(s);
}

/* ---------------------------------------------------------------- main */

static int usage(void)
{
	fprintf(stderr, "usage: hawser-spu --slot N -d RUNDIR    (started by hawserd)\n");
	return 2;
}

static int parse(int argc, char **argv, struct spu *s)
{
	static const struct option words[] = { { "slot", required_argument, NULL, 's' }, { 0 } };
	char *end = NULL;
	int c;

	if (argc > 1 && strcmp(argv[1], "bench") == 0) {
		fprintf(stderr, "hawser-spu bench: not supported in this version\n");
		return 2;
	}
	s->slot_number = -1;
	while ((c = getopt_long(argc, argv, "d:", words, NULL)) != -1) {
		if (c == 'd') {
			s->rundir = optarg;
		} else if (c == 's') {
			long n = strtol(optarg, &end, 10);
			if (*optarg == '\0' || *end != '\0' || n < 0 || n >= SPU_SLOTS) {
				fprintf(stderr, "hawser-spu: --slot %s: expected 0 to %d\n", optarg,
				        SPU_SLOTS - 1);
				return 2;
			}
			s->slot_number = (int)n;
		} else {
			return usage();
		}
	}
	return s->slot_number >= 0 && s->rundir != NULL && optind == argc ? 0 : usage();
}

static void catch_signals(void)
{
	struct sigaction stop = { .sa_handler = on_signal }, ignore = { .sa_handler = SIG_IGN };

	(void)sigaction(SIGTERM, &stop, NULL);
	(void)sigaction(SIGINT, &stop, NULL);
	(void)sigaction(SIGPIPE, &ignore, NULL);
}

int main(int argc, char **argv)
{
	static struct spu s; /* large, and the data path's alone */
	struct why why = { 0 };
	int wrong = parse(argc, argv, &s);

	if (wrong)
		return wrong;
	catch_signals();
	enum err e = start_open(&s, &why);
	if (e != ERR_OK) {
		fprintf(stderr, "hawser-spu: slot %d: %s\n", s.slot_number,
		        why.text[0] ? why.text : err_text(e));
		start_close(&s);
		return 1;
	}
	while (!told_to_stop)
		if (idle_turn(&s.idle, turn(&s)))
			sleep_now(&s);
	drain(&s);
	start_close(&s);
	(void)rte_eal_cleanup();
	return 0;
}
