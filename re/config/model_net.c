// SPDX-License-Identifier: BSD-2-Clause
/* SPUs, interfaces and zones. */
#include "model_priv.h"

#include "validate.h"
#include "value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- chassis ------------------------------------------------------------------------------- */

/* The drivers that hawser-spu has linked in (spu/meson.build). */
#define VDEV_DRIVERS "net_af_packet"

static bool is_vdev_argument(const char *arg, const char *iface)
{
	static const char frames[] = "framecnt=", on[] = "iface=";
	size_t n = sizeof(frames) - 1;

	if (strncmp(arg, on, sizeof(on) - 1) == 0)
		return strcmp(arg + sizeof(on) - 1, iface) == 0;
	if (strncmp(arg, frames, n) != 0 || arg[n] == '\0' || strlen(arg + n) > 5 ||
	    strspn(arg + n, "0123456789") != strlen(arg + n))
		return false;
	uint32_t count = value_uint(arg + n); /* the ring has whole blocks of 16 */
	return count != 0 && count % 16 == 0;
}

/* The rest of the arguments is ours: the interface is the link that we make, the ring's frames have
 * to take what it carries. */
static void build_vdev(struct build *b, const struct tree_node *n, struct config_spu *spu)
{
	char copy[sizeof(spu->vdev)], iface[32], *save = NULL;

	build_name(spu->vdev, sizeof(spu->vdev), n->name);
	build_name(copy, sizeof(copy), n->name);
	(void)snprintf(iface, sizeof(iface), "wire-%u-%up", spu->fpc, spu->pic);
	const char *driver = strtok_r(copy, ",", &save);
	size_t len = sizeof(VDEV_DRIVERS) - 1;
	if (driver == NULL || strncmp(driver, VDEV_DRIVERS, len) != 0 || driver[len] == '\0' ||
	    strlen(driver + len) > 2 ||
	    strspn(driver + len, "0123456789") != strlen(driver + len)) {
		build_error(b, n, "no such driver in this version; expected one of: %sN",
		            VDEV_DRIVERS);
		return;
	}
	for (const char *arg; (arg = strtok_r(NULL, ",", &save)) != NULL;)
		if (!is_vdev_argument(arg, iface))
			build_error(b, n,
			            "%s is refused; expected iface=%s, which is filled in where it "
			            "is left out, or framecnt=N, a multiple of 16",
			            arg, iface);
}

static void build_port(struct build *b, const struct tree_node *pic, struct config_spu *spu)
{
	const struct tree_node *vdev = tree_child(tree_child(pic, "port"), "vdev");

	if (vdev == NULL || tree_active(vdev) == NULL)
		return;
	build_vdev(b, vdev, spu);
	if (tree_child(pic, "offload") == NULL)
		spu->offload = CONFIG_OFFLOAD_SOFTWARE;
	else if (spu->offload == CONFIG_OFFLOAD_INLINE)
		build_error(b, tree_child(pic, "offload"),
		            "port vdev has no crypto; expected software");
	if (tree_child(pic, "profile") != NULL)
		build_error(b, tree_child(pic, "profile"),
		            "port vdev has no profile: that is of the emulated NIC; delete it");
}

static void build_spu(struct build *b, const struct tree_node *fpc, const struct tree_node *pic)
{
	uint32_t f = value_uint(fpc->name), p = value_uint(pic->name);

	struct config_spu *spu = &b->c->spu[b->c->spus++];

	*spu = (struct config_spu){
		.slot = (uint8_t)(f * CONFIG_PICS_MAX + p),
		.fpc = (uint8_t)f,
		.pic = (uint8_t)p,
		.weight = (uint8_t)build_uint(pic, "weight"),
		.offload = build_is(pic, "offload", "inline") ? CONFIG_OFFLOAD_INLINE
		                                              : CONFIG_OFFLOAD_SOFTWARE,
		.profile = build_is(pic, "profile", "82599") ? CONFIG_PROFILE_82599
		                                             : CONFIG_PROFILE_GENERIC,
	};
	build_port(b, pic, spu);
}

enum err build_chassis(struct build *b)
{
	const struct tree_node *chassis = tree_at(b->tree, "chassis");

	/* The schema's ranges allow no more, and no two of the same slot. */
	b->c->spu = calloc(CONFIG_SPUS_MAX, sizeof(b->c->spu[0]));
	if (b->c->spu == NULL)
		return ERR_MEMORY;
	for (const struct tree_node *f = tree_child(chassis, "fpc"); f; f = tree_same(f))
		for (const struct tree_node *p = tree_child(f, "pic"); p; p = tree_same(p))
			build_spu(b, f, p);
	return ERR_OK;
}

/* ---- interfaces ---------------------------------------------------------------------------- */

static enum config_interface_kind kind_of(const char *name)
{
	if (strcmp(name, "st0") == 0)
		return CONFIG_IF_TUNNEL;
	return strcmp(name, "lo0") == 0 ? CONFIG_IF_LOOPBACK : CONFIG_IF_PHYSICAL;
}

/* The Linux device: given, or the name with / written as -. */
static void build_device(struct config_interface *in, const struct tree_node *n)
{
	const char *device = tree_value(n, "device");

	if (in->kind == CONFIG_IF_TUNNEL)
		return;
	if (device == NULL)
		device = in->kind == CONFIG_IF_LOOPBACK ? "lo" : in->name;
	build_name(in->device, sizeof(in->device), device);
	for (char *p = in->device; *p; p++)
		if (*p == '/')
			*p = '-';
}

static enum err build_family(struct build *b, struct config_unit *u, const struct tree_node *family)
{
	static const char *const words[] = { "inet", "inet6" };
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		n += tree_count(tree_child(family, words[i]), "address");
	u->family_inet = tree_child(family, "inet") != NULL;
	u->family_inet6 = tree_child(family, "inet6") != NULL;
	u->address = n ? calloc(n, sizeof(u->address[0])) : NULL;
	if (n && u->address == NULL)
		return ERR_MEMORY;
	(void)b;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		const struct tree_node *a = tree_child(tree_child(family, words[i]), "address");

		for (; a; a = tree_same(a))
			u->address[u->addresses++] = value_host(a->name);
	}
	return ERR_OK;
}

static void check_unit(struct build *b, const struct config_unit *u, const struct tree_node *n)
{
	const struct tree_node *family = tree_child(n, "family");

	if (u->interface->kind == CONFIG_IF_TUNNEL && u->multipoint)
		return;
	if (u->interface->kind != CONFIG_IF_TUNNEL && u->unit != 0)
		build_error(b, n, "only unit 0 is supported in this version (there are no VLANs)");
	if (u->interface->kind != CONFIG_IF_TUNNEL && u->multipoint)
		build_error(b, n, "multipoint is for units of st0 only");
	if (tree_child(tree_child(family, "inet"), "next-hop-tunnel") ||
	    tree_child(tree_child(family, "inet6"), "next-hop-tunnel"))
		build_error(b, n, "next-hop-tunnel needs a multipoint unit of st0; add multipoint");
}

static enum err build_unit(struct build *b, struct config_interface *in, const struct tree_node *n)
{
	struct config_unit *u = &in->unit[in->units++];

	u->interface = in;
	u->unit = value_uint(n->name);
	u->multipoint = tree_child(n, "multipoint") != NULL;
	(void)snprintf(u->name, sizeof(u->name), "%s.%u", in->name, u->unit);
	if (in->kind == CONFIG_IF_TUNNEL)
		(void)snprintf(u->device, sizeof(u->device), "st0.%u", u->unit);
	else
		build_name(u->device, sizeof(u->device), in->device);
	TRY(build_family(b, u, tree_child(n, "family")));
	check_unit(b, u, n);
	return ERR_OK;
}

static enum err build_interface(struct build *b, const struct tree_node *n)
{
	struct config_interface *in = &b->c->interface[b->c->interfaces++];
	size_t units;
	void *array;

	build_name(in->name, sizeof(in->name), n->name);
	in->kind = kind_of(n->name);
	if (in->kind == CONFIG_IF_TUNNEL && tree_child(n, "device"))
		build_error(b, tree_child(n, "device"),
		            "st0 has no device; its units are made here");
	build_device(in, n);
	TRY(build_array(b, n, "unit", sizeof(in->unit[0]), &array, &units));
	in->unit = array;
	for (const struct tree_node *u = tree_child(n, "unit"); u; u = tree_same(u))
		TRY(build_unit(b, in, u));
	return ERR_OK;
}

/* Something that only one may have, and the node where it is said. */
struct claim {
	struct addr addr;
	const char *text;
	const struct tree_node *node;
};

static int claim_cmp(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	int d = strcmp(x->text, y->text);

	return d ? d : addr_cmp(&x->addr, &y->addr);
}

/* Reports what is claimed twice. */
static void check_claims(struct build *b, struct claim *claim, size_t n, const char *what)
{
	char path[TREE_PATH_MAX];

	if (n)
		qsort(claim, n, sizeof(claim[0]), claim_cmp);
	for (size_t i = 1; i < n; i++) {
		const struct tree_node *one = claim[i - 1].node, *other = claim[i].node;

		if (claim_cmp(&claim[i - 1], &claim[i]))
			continue;
		if (one->line > other->line) {
			one = other;
			other = claim[i - 1].node;
		}
		build_error(b, other, "%s is also that of %s (line %u)", what,
		            tree_path(one, path, sizeof(path)), one->line);
	}
}

static enum err check_devices(struct build *b, const struct tree_node *first)
{
	struct claim *claim = calloc(b->c->interfaces + 1, sizeof(claim[0]));
	size_t n = 0, i = 0;

	if (claim == NULL)
		return ERR_MEMORY;
	for (const struct tree_node *in = first; in; in = tree_same(in), i++)
		if (b->c->interface[i].kind != CONFIG_IF_TUNNEL)
			claim[n++] = (struct claim){ { 0 }, b->c->interface[i].device, in };
	check_claims(b, claim, n, "its Linux device");
	free(claim);
	return ERR_OK;
}

/* One address is on one interface. */
static enum err check_addresses(struct build *b, const struct tree_node *first)
{
	static const char *const words[] = { "inet", "inet6" };
	size_t total = 0, n = 0;

	for (size_t i = 0; i < b->c->interfaces; i++)
		for (size_t u = 0; u < b->c->interface[i].units; u++)
			total += b->c->interface[i].unit[u].addresses;
	struct claim *claim = calloc(total + 1, sizeof(claim[0]));
	if (claim == NULL)
		return ERR_MEMORY;
	for (const struct tree_node *in = first; in; in = tree_same(in))
		for (const struct tree_node *u = tree_child(in, "unit"); u; u = tree_same(u))
			for (size_t w = 0; w < ARRAY_LEN(words); w++) {
				const struct tree_node *family =
				        tree_child(tree_child(u, "family"), words[w]);
				const struct tree_node *a = tree_child(family, "address");

				for (; a && n < total; a = tree_same(a))
					claim[n++] =
					        (struct claim){ value_host(a->name).addr, "", a };
			}
	check_claims(b, claim, n, "the address");
	free(claim);
	return ERR_OK;
}

enum err build_interfaces(struct build *b)
{
	const struct tree_node *root = tree_at(b->tree, "");
	const struct tree_node *first = tree_child(root, "interfaces");
	size_t n;
	void *array;

	TRY(build_array(b, root, "interfaces", sizeof(b->c->interface[0]), &array, &n));
	b->c->interface = array;
	for (const struct tree_node *in = first; in; in = tree_same(in))
		TRY(build_interface(b, in));
	TRY(check_devices(b, first));
	return check_addresses(b, first);
}

/* ---- zones --------------------------------------------------------------------------------- */

/* The bits of the entries under one of system-services, protocols. */
static uint64_t inbound_bits(const struct tree_node *parent, const char *word,
                             const struct inbound_row *rows, bool *ret_any)
{
	uint64_t on = 0, off = 0;

	for (const struct tree_node *n = tree_child(parent, word); n; n = tree_same(n)) {
		bool all = strcmp(n->name, "all") == 0;
		bool any = strcmp(n->name, "any-service") == 0;
		bool except = tree_child(n, "except") != NULL;

		for (size_t i = 0; rows[i].name; i++)
			if (all || any || strcmp(rows[i].name, n->name) == 0)
				*(except ? &off : &on) |= (uint64_t)1 << i;
		*ret_any = *ret_any || (any && !except);
	}
	return on & ~off;
}

static struct config_inbound build_inbound(const struct tree_node *n)
{
	struct config_inbound in = { 0 };
	bool unused = false;

	in.services = inbound_bits(n, "system-services", inbound_services, &in.any_service);
	in.protocols = inbound_bits(n, "protocols", inbound_protocols, &unused);
	return in;
}

static void zone_interface(struct build *b, const struct config_zone *z, const struct tree_node *n)
{
	struct config_unit *u = (struct config_unit *)config_unit_find(b->c, n->name);
	const struct tree_node *own = tree_child(n, "host-inbound-traffic");

	if (u == NULL) {
		build_error(b, n,
		            "there is no such unit under interfaces; expected one that has unit "
		            "and addresses there");
		return;
	}
	if (u->zone && u->zone != z) {
		build_error(b, n, "is in zone \"%s\" already; an interface is in one zone",
		            u->zone->name);
		return;
	}
	u->zone = z;
	u->inbound = own ? build_inbound(own) : z->inbound;
}

enum err build_zones(struct build *b)
{
	const struct tree_node *zones = tree_at(b->tree, "security zones");
	const struct tree_node *n = tree_child(zones, "security-zone");
	void *array;

	b->c->permit_all = false;
	const struct tree_node *policies = tree_at(b->tree, "security policies");
	if (policies)
		b->c->permit_all = build_is(policies, "default-policy", "permit-all");
	if (n == NULL)
		return ERR_OK;
	TRY(build_array(b, zones, "security-zone", sizeof(b->c->zone[0]), &array, &b->c->zones));
	b->c->zone = array;
	for (size_t i = 0; n && i < b->c->zones; n = tree_same(n), i++) {
		struct config_zone *z = &b->c->zone[i];

		build_name(z->name, sizeof(z->name), n->name);
		z->index = (uint16_t)(i + 1);
		z->inbound = build_inbound(tree_child(n, "host-inbound-traffic"));
		for (const struct tree_node *u = tree_child(n, "interfaces"); u; u = tree_same(u))
			zone_interface(b, z, u);
	}
	return ERR_OK;
}
