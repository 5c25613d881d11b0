// SPDX-License-Identifier: BSD-2-Clause
#include "eal.h"
#include "eal_dir.h"
#include "emu_port.h"
#include "port_meta.h"

#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_log.h>
#include <string.h>

static void eal_up(void)
{
	static const char *const words[] = {
		"unit-offload", "--no-huge",      "-m",          "256", "--no-shconf",
		"--no-pci",     "--no-telemetry", "--iova-mode", "va",  "--lcores",
		"0@(0-1)",      "--log-level",    "error",
	};
	static char copies[ARRAY_LEN(words)][24];
	char *argv[ARRAY_LEN(words) + 1] = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		argv[i] = strcpy(copies[i], words[i]);
	eal_dir_set("/tmp");
	ck_assert_int_ge(rte_eal_init((int)ARRAY_LEN(words), argv), 0);
	eal_dir_clean("/tmp");
	struct why why = { 0 };
	ck_assert_msg(port_meta_register(&why) == ERR_OK, "%s", why.text);
}

static void eal_down(void)
{
	(void)rte_eal_cleanup();
}

void eal_for(TCase *tc)
{
	tcase_add_checked_fixture(tc, eal_up, eal_down);
}

struct rte_mempool *eal_pool(unsigned int n)
{
	struct rte_mempool *pool = NULL;
	struct why why = { 0 };

	ck_assert_msg(emu_port_pool("test", n, &pool, &why) == ERR_OK, "%s", why.text);
	return pool;
}

uint16_t eal_loop(const char *profile, struct rte_mempool *pool)
{
	struct emu_port_conf conf = { .name = "test", .profile = profile, .loop = "test!" };
	struct why why = { 0 };
	uint16_t port = 0;

	ck_assert_msg(emu_port_open(&conf, &port, &why) == ERR_OK, "%s", why.text);
	ck_assert_msg(emu_port_start(port, 2048, pool, &why) == ERR_OK, "%s", why.text);
	return port;
}

struct rte_mbuf *eal_frame(struct rte_mempool *pool, const void *bytes, size_t len)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
	uint8_t *at = m ? (uint8_t *)rte_pktmbuf_append(m, (uint16_t)(FABRIC_HDR_LEN + len)) : NULL;

	ck_assert_ptr_nonnull(at);
	memset(at, 0xee, FABRIC_HDR_LEN);
	memcpy(at + FABRIC_HDR_LEN, bytes, len);
	return m;
}

uint64_t eal_xstat(uint16_t port, const char *name)
{
	uint64_t id = 0, value = 0;

	ck_assert_msg(rte_eth_xstats_get_id_by_name(port, name, &id) == 0, "no %s", name);
	ck_assert_int_eq(rte_eth_xstats_get_by_id(port, &id, &value, 1), 1);
	return value;
}
