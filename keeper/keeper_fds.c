// SPDX-License-Identifier: BSD-2-Clause
#include "keeper_link.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct keeper_name keeper_name(const char *name, int32_t slot, uint32_t number)
{
	struct keeper_name n = { .slot = slot, .number = number };

	(void)snprintf(n.name, sizeof(n.name), "%s", name);
	return n;
}

static size_t place_of(const struct keeper_fds *set, const char *name, int32_t slot)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->at[i].name.slot == slot && strcmp(set->at[i].name.name, name) == 0)
			return i;
	return SIZE_MAX;
}

int keeper_fds_find(const struct keeper_fds *set, const char *name, int32_t slot)
{
	size_t i = place_of(set, name, slot);

	return i == SIZE_MAX ? -1 : set->at[i].fd;
}

enum err keeper_fds_put(struct keeper_fds *set, const struct keeper_name *name, int fd)
{
	size_t i = place_of(set, name->name, name->slot);

	if (i == SIZE_MAX && set->n == KEEPER_FDS_MAX) {
		(void)close(fd);
		return ERR_FULL;
	}
	if (i == SIZE_MAX)
		i = set->n++;
	else
		(void)close(set->at[i].fd);
	set->at[i] = (struct keeper_fd){ *name, fd };
	return ERR_OK;
}

int keeper_fds_steal(struct keeper_fds *set, const char *name, int32_t slot)
{
	size_t i = place_of(set, name, slot);

	if (i == SIZE_MAX)
		return -1;
	int fd = set->at[i].fd;
	set->at[i] = set->at[--set->n];
	return fd;
}

void keeper_fds_drop(struct keeper_fds *set, const char *name, int32_t slot)
{
	int fd = keeper_fds_steal(set, name, slot);

	if (fd >= 0)
		(void)close(fd);
}

void keeper_fds_close(struct keeper_fds *set)
{
	for (size_t i = 0; i < set->n; i++)
		(void)close(set->at[i].fd);
	set->n = 0;
}
