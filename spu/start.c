// SPDX-License-Identifier: BSD-2-Clause
#include "start.h"
#include "eal_dir.h"
#include "emu_port.h"
#include "records.pb-c.h"
#include "vdev_port.h"

#include <poll.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_random.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* Two rings each way of 2,048 frames on two ports, what is held, and what is in work. */
enum { POOL_MBUFS = 12287, DESCRIPTORS = 2048, MEMORY_MB = 256, HUGE_MB = 384 };
enum { TAKE_TRIES = 200, TAKE_WAIT_MS = 10, SELF_TRIES = 200, SELF_WAIT_MS = 10 };

uint64_t spu_now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void state(struct spu *s, enum spu_state to)
{
	__atomic_store_n((uint32_t *)&s->shm->state, to, __ATOMIC_RELEASE);
	spu_count(&s->shm->progress, 1);
}

/* ---------------------------------------------------------------- shared memory */

static enum err map_shared(struct spu *s, struct why *why)
{
	int node = tether_fd(&s->tether, KEEPER_FD_NODE);
	int runtime = tether_fd(&s->tether, KEEPER_FD_RUNTIME);

	if (node < 0 || runtime < 0)
		return why_set(why, ERR_MISSING, "the keeper gave no shared memory");
	TRY(node_shm_map(node, &s->node, why));
	return sa_runtime_map(runtime, &s->runtime, why);
}

/* The predecessor in this slot may still be dying. */
static enum err take_slot(struct spu *s, struct why *why)
{
	struct proc_slot *slot = &s->node->spu[s->slot_number].proc;
	enum err e = ERR_BUSY;

	for (int i = 0; i < TAKE_TRIES && (e = proc_slot_take(slot)) == ERR_BUSY; i++)
		(void)poll(NULL, 0, TAKE_WAIT_MS);
	if (e != ERR_OK)
		return why_set(why, e, "slot %d: another SPU works in it", s->slot_number);
	s->slot_taken = true;
	s->shm = &s->node->spu[s->slot_number];
	__atomic_store_n((uint64_t *)&s->shm->applied, 0, __ATOMIC_RELEASE);
	state(s, SPU_STARTING);
	return ERR_OK;
}

/* ---------------------------------------------------------------- EAL */

/* In megabytes. Never changed by us: what is there is used. */
static unsigned long hugepages_free(void)
{
	static const char path[] = "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages";
	unsigned long pages = 0;
	FILE *f = fopen(path, "re");

	if (f == NULL)
		return 0;
	if (fscanf(f, "%lu", &pages) != 1)
		pages = 0;
	(void)fclose(f);
	return pages * 2;
}

/* AddressSanitizer wants the addresses that hugepages would take. */
#ifdef __SANITIZE_ADDRESS__
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

static bool use_hugepages(void)
{
	return !SANITIZED && hugepages_free() >= HUGE_MB;
}

/* EAL keeps pointers to its words, and may write into them. */
static enum err eal_up(const char *rundir, struct why *why)
{
	static char word[16][32];
	const char *fixed[] = { "hawser-spu", "--no-pci",    "--no-telemetry", "--iova-mode",
		                "va",         "--log-level", "lib.eal:error" };
	char *argv[ARRAY_LEN(word) + 1] = { 0 };
	int argc = 0;

	for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
		(void)snprintf(word[argc++], sizeof(word[0]), "%s", fixed[i]);
	(void)snprintf(word[argc++], sizeof(word[0]), "-m");
	(void)snprintf(word[argc++], sizeof(word[0]), "%d", MEMORY_MB);
	/* Without a list of its own EAL would pin the thread to one processor. */
	(void)snprintf(word[argc++], sizeof(word[0]), "--lcores");
	(void)snprintf(word[argc++], sizeof(word[0]), "0@(0-%ld)",
	               sysconf(_SC_NPROCESSORS_CONF) - 1);
	if (use_hugepages()) {
		(void)snprintf(word[argc++], sizeof(word[0]), "--in-memory");
	} else {
		(void)snprintf(word[argc++], sizeof(word[0]), "--no-huge");
		(void)snprintf(word[argc++], sizeof(word[0]), "--no-shconf");
	}
	for (int i = 0; i < argc; i++)
		argv[i] = word[i];
	eal_dir_set(rundir);
	int up = rte_eal_init(argc, argv);
	eal_dir_clean(rundir);
	if (up < 0)
		return why_set(why, ERR_IO, "DPDK's EAL does not start: %s",
		               rte_strerror(rte_errno));
	return port_meta_register(why);
}

/* ---------------------------------------------------------------- ports and engines */

static int on_reset(uint16_t port, enum rte_eth_event_type type, void *arg, void *result)
{
	struct spu *s = arg;

	(void)port;
	(void)type;
	(void)result;
	s->nic_reset = true;
	return 0;
}

struct side {
	const char *name, *profile, *ifname, *map;
};

static enum err open_emulated(struct spu *s, const struct side *side, struct port *ret,
                              bool *ret_open, struct why *why)
{
	struct emu_port_conf conf = {
		.name = side->name,
		.profile = side->profile,
		.iface = side->ifname,
		.xskmap_fd = tether_fd(&s->tether, side->map),
		.key = (uint32_t)s->slot_number,
	};

	if (conf.xskmap_fd < 0)
		return why_set(why, ERR_MISSING, "the keeper gave no %s", side->map);
	TRY(emu_port_open(&conf, &ret->id, why));
	*ret_open = true;
	TRY(emu_port_start(ret->id, DESCRIPTORS, s->pool, why));
	ret->fd = emu_port_fd(ret->id);
	return ERR_OK;
}

static enum err open_wire(struct spu *s, const Hawser__SpuRecord *self, struct port *ret,
                          struct why *why)
{
	struct side side = { "wire", self->profile, self->wire_ifname, "wire_socks" };

	if (strcmp(self->port, "emulated") == 0)
		return open_emulated(s, &side, ret, &s->wire_open, why);
	if (strcmp(self->port, "vdev") != 0)
		return why_set(why, ERR_UNSUPPORTED, "port %s: %s", self->port,
		               err_text(ERR_UNSUPPORTED));
	ret->is_packet = true;
	TRY(vdev_port_open(self->vdev, self->wire_ifname, s->pool, &ret->id, &ret->fd, why));
	s->wire_open = true;
	return ERR_OK;
}

static void close_port(const struct port *p)
{
	if (p->is_packet)
		vdev_port_close(p->id);
	else
		emu_port_close(p->id);
}

static enum err open_engines(struct spu *s, uint16_t wire, struct why *why)
{
	struct why no_nic = { 0 };

	TRY(engine_soft_open(&s->engines.by[SA_ENGINE_SOFT], why));
	TRY(iv_source_open(&s->roads.ivs, why));
	enum err e = engine_inline_open(wire, &s->engines.by[SA_ENGINE_INLINE], &no_nic);
	if (e == ERR_UNSUPPORTED)
		return ERR_OK; /* all in software */
	if (e != ERR_OK)
		return why_set(why, e, "%s", no_nic.text);
	(void)rte_eth_dev_callback_register(wire, RTE_ETH_EVENT_INTR_RESET, on_reset, s);
	return ERR_OK;
}

static enum err open_ports(struct spu *s, const Hawser__SpuRecord *self, struct why *why)
{
	struct side fabric = { "fabric", "none", self->fabric_ifname, "fabric_socks" };
	struct port *at = s->ports.at;

	TRY(emu_port_pool("spu", POOL_MBUFS, &s->pool, why));
	s->roads.pool = s->pool;
	TRY(open_wire(s, self, &at[PORT_WIRE], why));
	TRY(open_emulated(s, &fabric, &at[PORT_FABRIC], &s->fabric_open, why));
	ports_init(&s->ports, (const struct port[]){ at[PORT_WIRE], at[PORT_FABRIC] }, s->shm);
	s->roads.wire_mtu = EMU_PORT_MTU; /* of both ends of the link, whatever the driver says */
	idle_init(&s->idle, s->shm);
	for (enum port_side side = 0; side < PORT_SIDES; side++)
		s->idle.fd[side] = s->ports.at[side].fd;
	return open_engines(s, s->ports.at[PORT_WIRE].id, why);
}

/* ---------------------------------------------------------------- records */

/* The record is written before we are started; a store that is being made anew takes a moment. */
static enum err read_self(struct spu *s, Hawser__SpuRecord **ret, struct why *why)
{
	enum err e = ERR_NOT_FOUND;

	for (int i = 0; i < SELF_TRIES; i++) {
		e = control_open(&s->control, why);
		if (e == ERR_OK)
			e = control_self(&s->control, ret, why);
		if (e == ERR_OK)
			return e;
		control_close(&s->control);
		spu_count(&s->shm->progress, 1);
		(void)poll(NULL, 0, SELF_WAIT_MS);
	}
	return why_prefix(why, e, "%s", s->store_path);
}

static enum err open_all(struct spu *s, Hawser__SpuRecord **self, struct why *why)
{
	TRY(read_self(s, self, why));
	TRY(eal_up(s->rundir, why));
	spu_count(&s->shm->progress, 1);
	TRY(open_ports(s, *self, why));
	TRY(sa_table_init(&s->roads.sas, s->runtime.slots / 2, &s->engines));
	s->nic.allowed = (*self)->offload == HAWSER__OFFLOAD__OFFLOAD_INLINE;
	return tether_run(&s->tether, why);
}

enum err start_open(struct spu *s, struct why *why)
{
	Hawser__SpuRecord *self = NULL;

	s->wake[TETHER_TO_SPU] = s->wake[TETHER_TO_RE] = -1;
	log_init(&s->log, STDERR_FILENO, LOG_INFO);
	TRY(tether_open(&s->tether, s->rundir, s->slot_number, why));
	TRY(map_shared(s, why));
	TRY(take_slot(s, why));
	(void)snprintf(s->store_path, sizeof(s->store_path), "%s/store", s->rundir);
	s->roads.shm = s->shm;
	s->roads.runtime = &s->runtime;
	s->roads.now_ms = spu_now_ms();
	s->roads.ip_id = (uint16_t)rte_rand();
	s->roads.frag_id = (uint32_t)rte_rand();
	reasm_init(&s->roads.reasm, rte_rand());
	nic_init(&s->nic, &s->roads, (uint8_t)s->slot_number);
	s->control = (struct control){ .roads = &s->roads,
		                       .nic = &s->nic,
		                       .node = s->node,
		                       .log = &s->log,
		                       .path = s->store_path,
		                       .slot = (uint8_t)s->slot_number };
	enum err e = open_all(s, &self, why);
	if (self != NULL)
		hawser__spu_record__free_unpacked(self, NULL);
	if (e == ERR_OK)
		state(s, SPU_SYNCING);
	return e;
}

void start_close(struct spu *s)
{
	tether_close(&s->tether);
	sa_table_done(&s->roads.sas);
	engine_close(s->engines.by[SA_ENGINE_INLINE]);
	engine_close(s->engines.by[SA_ENGINE_SOFT]);
	iv_source_close(s->roads.ivs);
	if (s->wire_open)
		close_port(&s->ports.at[PORT_WIRE]);
	if (s->fabric_open)
		close_port(&s->ports.at[PORT_FABRIC]);
	control_close(&s->control);
	for (int i = 0; i < TETHER_WAKES; i++)
		if (s->wake[i] >= 0)
			(void)close(s->wake[i]);
	if (s->shm != NULL)
		state(s, SPU_ABSENT);
	if (s->slot_taken)
		proc_slot_leave(&s->shm->proc);
	sa_runtime_unmap(&s->runtime);
	if (s->node != NULL)
		node_shm_unmap(s->node);
}
