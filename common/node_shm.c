// SPDX-License-Identifier: BSD-2-Clause
#include "node_shm.h"
#include "shm_file.h"

#include <string.h>
#include <unistd.h>

static enum err whole(const struct node_shm *shm, size_t len, struct why *why)
{
	if (len != sizeof(*shm) || shm->magic != NODE_SHM_MAGIC || shm->size != sizeof(*shm))
		return why_set(why, ERR_CORRUPT, "shared memory of the node: not one of ours");
	if (shm->layout != NODE_SHM_LAYOUT)
		return why_set(why, ERR_VERSION, "shared memory of the node: layout %u, not %u",
		               shm->layout, NODE_SHM_LAYOUT);
	return ERR_OK;
}

static enum err map_checked(int fd, struct node_shm **ret, struct why *why)
{
	void *map;
	size_t len;

	TRY(shm_file_map(fd, &map, &len, why));
	enum err e = whole(map, len, why);
	if (e != ERR_OK)
		shm_file_unmap(map, len);
	else
		*ret = map;
	return e;
}

enum err node_shm_map(int fd, struct node_shm **ret, struct why *why)
{
	return map_checked(fd, ret, why);
}

void node_shm_unmap(struct node_shm *shm)
{
	shm_file_unmap(shm, sizeof(*shm));
}

static enum err init_slots(struct node_shm *shm)
{
	pthread_mutexattr_t attr;
	int bad = pthread_mutexattr_init(&attr);

	if (bad)
		return ERR_MEMORY;
	bad |= pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	bad |= pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	bad |= pthread_mutex_init(&shm->keeper.life, &attr);
	bad |= pthread_mutex_init(&shm->re.life, &attr);
	for (size_t i = 0; i < SPU_SLOTS; i++)
		bad |= pthread_mutex_init(&shm->spu[i].proc.life, &attr);
	(void)pthread_mutexattr_destroy(&attr);
	return bad ? ERR_WRONG_STATE : ERR_OK;
}

static enum err fill(struct node_shm *shm, const char *path, const uint8_t identity[16],
                     struct why *why)
{
	if (init_slots(shm) != ERR_OK)
		return why_set(why, ERR_WRONG_STATE, "%s: no robust mutexes here", path);
	memcpy(shm->identity, identity, sizeof(shm->identity));
	shm->layout = NODE_SHM_LAYOUT;
	shm->size = sizeof(*shm);
	shm->magic = NODE_SHM_MAGIC;
	return shm_file_publish(path, why);
}

static enum err create(const char *path, const uint8_t identity[16], struct node_shm **ret,
                       int *ret_fd, struct why *why)
{
	void *map;
	int fd;

	TRY(shm_file_new(path, sizeof(struct node_shm), &map, &fd, why));
	enum err e = fill(map, path, identity, why);
	if (e != ERR_OK) {
		shm_file_unmap(map, sizeof(struct node_shm));
		(void)close(fd);
		return e;
	}
	*ret = map;
	*ret_fd = fd;
	return ERR_OK;
}

enum err node_shm_create(const char *path, const uint8_t identity[16], struct node_shm **ret,
                         int *ret_fd, bool *ret_new, struct why *why)
{
	void *map;
	size_t len;
	int fd;
	enum err e = shm_file_open(path, &map, &len, &fd, why);

	if (e == ERR_OK && whole(map, len, why) == ERR_OK) {
		*ret = map;
		*ret_fd = fd;
		*ret_new = false;
		return ERR_OK;
	}
	if (e == ERR_OK) {
		shm_file_unmap(map, len);
		(void)close(fd);
	} else if (e != ERR_NOT_FOUND && e != ERR_CORRUPT) {
		return e;
	}
	TRY(create(path, identity, ret, ret_fd, why));
	*ret_new = true;
	return ERR_OK;
}

bool node_shm_all_applied(struct node_shm *shm, uint64_t revision)
{
	for (size_t i = 0; i < SPU_SLOTS; i++)
		if (atomic_load(&shm->spu[i].applied) < revision &&
		    proc_slot_alive(&shm->spu[i].proc))
			return false;
	return true;
}

uint64_t node_shm_revision_seen(const struct node_shm *shm)
{
	uint64_t seen = atomic_load(&shm->revision);

	for (size_t i = 0; i < SPU_SLOTS; i++) {
		uint64_t applied = atomic_load(&shm->spu[i].applied);

		seen = applied > seen ? applied : seen;
	}
	return seen;
}
