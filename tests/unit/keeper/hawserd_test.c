// SPDX-License-Identifier: BSD-2-Clause
/* The whole hawserd, with stand-ins for what it starts (fake.c), in a network namespace of its own
 * (it binds UDP 500 and 4500). Programs: copies in a folder of the test's. */
#include "alive_words.h"
#include "keeper_link.h"
#include "node_shm.h"
#include "runner.h"
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

static struct scratch dir; /* programs; RUNDIR is dir/run */
static char rundir[128];
static pid_t keeper;
static struct node_shm *shm;
static _Atomic uint64_t *alive;

/* ---- helpers ------------------------------------------------------------------------------- */

static void copy_program(const char *from, const char *name)
{
	char buf[65536];
	ssize_t n;
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(scratch_path(&dir, name), O_WRONLY | O_CREAT | O_CLOEXEC, 0700);

	ck_assert_msg(in >= 0 && out >= 0, "%s: %s", from, strerror(errno));
	while ((n = read(in, buf, sizeof(buf))) > 0)
		ck_assert_int_eq(write(out, buf, (size_t)n), n);
	(void)close(in);
	(void)close(out);
}

static const char *run_path(const char *name)
{
	static char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", rundir, name);
	return path;
}

static void touch(const char *name)
{
	int fd = open(run_path(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	(void)close(fd);
}

static unsigned log_count(const char *file, const char *text)
{
	static char all[65536];
	unsigned n = 0;
	FILE *f = fopen(file, "re");
	size_t len = f ? fread(all, 1, sizeof(all) - 1, f) : 0;

	if (f)
		(void)fclose(f);
	all[len] = '\0';
	for (const char *at = all; (at = strstr(at, text)) != NULL; at++)
		n++;
	return n;
}

static unsigned said(const char *text) /* by the stand-ins */
{
	return log_count(run_path("fake.log"), text);
}

static unsigned logged(const char *text) /* by hawserd */
{
	return log_count(scratch_path(&dir, "hawserd.log"), text);
}

/* Waits up to 20 s; a failure shows both logs. */
#define WAIT(cond)                                                          \
	do {                                                                \
		uint64_t end_ = scratch_now_us() + 20000000;                \
		while (!(cond)) {                                           \
			if (scratch_now_us() > end_) {                      \
				show_logs();                                \
				ck_abort_msg("never came true: %s", #cond); \
			}                                                   \
			scratch_sleep_us(1000);                             \
		}                                                           \
	} while (0)

static void show_logs(void)
{
	char text[4096];
	const char *paths[] = { "hawserd.log", "run/fake.log" };

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		FILE *f = fopen(scratch_path(&dir, paths[i]), "re");
		size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

		if (f)
			(void)fclose(f);
		text[n] = '\0';
		printf("---- %s\n%s", paths[i], text);
	}
	(void)fflush(stdout);
}

static void start_keeper(void)
{
	char program[256];

	(void)snprintf(program, sizeof(program), "%s", scratch_path(&dir, "hawserd"));
	keeper = fork();
	ck_assert_int_ge(keeper, 0);
	if (keeper == 0) {
		int log = open(scratch_path(&dir, "hawserd.log"), O_WRONLY | O_CREAT | O_APPEND,
		               0600);

		(void)dup2(log, 1);
		(void)dup2(log, 2);
		(void)execl(program, program, "-d", rundir, "-f", "none", (char *)NULL);
		_exit(127);
	}
}

static void *map_file(const char *name)
{
	int fd = open(run_path(name), O_RDWR | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		return NULL;
	void *map = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)close(fd);
	return map == MAP_FAILED ? NULL : map;
}

static uint32_t pid_of(const struct proc_slot *slot)
{
	return atomic_load(&slot->pid);
}

static uint32_t spu_pid(int slot)
{
	return pid_of(&shm->spu[slot].proc);
}

static bool is_up(int slot)
{
	return proc_slot_alive(&shm->spu[slot].proc) &&
	       atomic_load(&shm->spu[slot].state) == SPU_ACTIVE && atomic_load(&alive[slot]) != 0;
}

static void all_up(void)
{
	WAIT((shm = map_file("node")) != NULL);
	WAIT((alive = map_file("alive")) != NULL);
	WAIT(is_up(0) && is_up(1));
}

static void setup(void)
{
	if (unshare(CLONE_NEWNET) != 0)
		ck_assert_msg(unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0, "unshare: %s",
		              strerror(errno));
	dir = scratch_new();
	(void)snprintf(rundir, sizeof(rundir), "%s/run", dir.dir);
	copy_program(KEEPER_PROGRAM, "hawserd");
	copy_program(KEEPER_FAKE, "hawser-re");
	copy_program(KEEPER_FAKE, "hawser-spu");
	ck_assert_int_eq(mkdir(rundir, 0700), 0);
}

static void kill_slot(struct proc_slot *slot)
{
	if (proc_slot_alive(slot) && proc_slot_start_time(pid_of(slot)) == slot->start_time)
		(void)kill((pid_t)pid_of(slot), SIGKILL);
}

static void teardown(void)
{
	if (keeper > 0) {
		(void)kill(keeper, SIGKILL);
		(void)waitpid(keeper, NULL, 0);
	}
	if (shm != NULL) {
		kill_slot(&shm->re);
		for (int i = 0; i < 2; i++)
			kill_slot(&shm->spu[i].proc);
	}
	scratch_done(&dir);
}

static int end_of(pid_t pid)
{
	int status = -1;

	for (int i = 0; i < 20000 && waitpid(pid, &status, WNOHANG) == 0; i++)
		scratch_sleep_us(1000);
	keeper = -1;
	return status;
}

/* ---- tests --------------------------------------------------------------------------------- */

static uint64_t kill_and_see(int slot)
{
	uint32_t before = spu_pid(slot);
	uint64_t killed = scratch_now_us();

	(void)kill((pid_t)before, SIGKILL);
	while (atomic_load(&alive[slot]) != 0 && scratch_now_us() < killed + 5000000)
		scratch_sleep_us(100);
	uint64_t took = scratch_now_us() - killed;
	WAIT(is_up(slot) && spu_pid(slot) != before);
	return took;
}

START_TEST(a_killed_spu_loses_its_alive_word_at_once_and_comes_back)
{
	uint64_t best = UINT64_MAX;

	start_keeper();
	all_up();
	for (int i = 0; i < 3; i++) {
		uint64_t took = kill_and_see(0);

		printf("alive word cleared after %lu us\n", took);
		best = took < best ? took : best;
	}
	ck_assert_uint_lt(best, 10000); /* its exit status alone takes longer */
	WAIT(said("DIED slot 0 pid") == 3);
	ck_assert(is_up(1));
}
END_TEST

START_TEST(restarts_back_off)
{
	start_keeper();
	all_up();
	touch("die-0");
	uint64_t began = scratch_now_us();
	(void)kill((pid_t)spu_pid(0), SIGKILL);
	WAIT(said("DIED slot 0 pid") >= 4);
	ck_assert_uint_ge(scratch_now_us() - began, 700000); /* 100 + 200 + 400 ms */
	ck_assert_uint_eq(said("value 100\n"), 1);
	ck_assert_uint_eq(said("value 200\n"), 1);
	ck_assert_uint_eq(said("value 400\n"), 1);
	(void)unlink(run_path("die-0"));
	WAIT(is_up(0));
}
END_TEST

START_TEST(an_spu_without_progress_is_killed_and_started_again)
{
	start_keeper();
	all_up();
	uint32_t before = spu_pid(1);
	touch("hang-1");
	WAIT(said("HUNG slot 1") == 1);
	(void)unlink(run_path("hang-1"));
	WAIT(spu_pid(1) != before && is_up(1));
	ck_assert(is_up(0));
}
END_TEST

START_TEST(a_stopped_process_counts_as_hung)
{
	start_keeper();
	all_up();
	uint32_t before = spu_pid(1);
	(void)kill((pid_t)before, SIGSTOP);
	WAIT(spu_pid(1) != before && is_up(1));
}
END_TEST

START_TEST(the_re_asks_for_an_spu_to_stop)
{
	start_keeper();
	all_up();
	touch("stop-spu");
	WAIT(said("STOPPED slot 1") == 1);
	ck_assert(!proc_slot_alive(&shm->spu[1].proc));
	scratch_sleep_us(300000);
	ck_assert(!proc_slot_alive(&shm->spu[1].proc));
	ck_assert_uint_eq(atomic_load(&alive[1]), 0);
}
END_TEST

START_TEST(a_killed_re_comes_back_to_the_same_descriptors)
{
	start_keeper();
	all_up();
	uint32_t re = pid_of(&shm->re), spu = spu_pid(0);
	(void)kill((pid_t)re, SIGKILL);
	WAIT(proc_slot_alive(&shm->re) && pid_of(&shm->re) != re);
	WAIT(said("was given alive") == 1);
	ck_assert_uint_eq(spu_pid(0), spu); /* nobody else noticed */
	ck_assert(is_up(0) && is_up(1));
	/* four sockets, said twice, of the same inodes */
	char line[64], socket[64] = "";
	FILE *f = fopen(run_path("fake.log"), "re");
	WAIT(said("socket ike6-4500") == 2);
	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, "socket ike4-500 ")) {
			ck_assert(*socket == '\0' || strcmp(socket, line) == 0);
			(void)snprintf(socket, sizeof(socket), "%s", line);
		}
	if (f)
		(void)fclose(f);
	ck_assert_uint_ne(strlen(socket), 0);
}
END_TEST

START_TEST(the_lease_is_renewed_while_re_and_an_spu_live)
{
	start_keeper();
	all_up();
	uint64_t first = atomic_load(&alive[ALIVE_LEASE]);
	WAIT(atomic_load(&alive[ALIVE_LEASE]) > first + 250);
	touch("re-dies");
	(void)kill((pid_t)pid_of(&shm->re), SIGKILL);
	WAIT(logged("RE_DOWN") >= 1);
	scratch_sleep_us(50000);
	uint64_t last = atomic_load(&alive[ALIVE_LEASE]);
	scratch_sleep_us(400000);
	ck_assert_uint_eq(atomic_load(&alive[ALIVE_LEASE]), last);
}
END_TEST

START_TEST(a_store_that_kills_the_re_is_set_aside)
{
	ck_assert_int_eq(mkdir(run_path("store"), 0700), 0);
	touch("store/data.mdb");
	touch("re-dies"); /* by itself: exit status 3 */
	start_keeper();
	WAIT(logged("STORE_SET_ASIDE") == 1);
	ck_assert_int_ne(access(run_path("store"), F_OK), 0);
	(void)unlink(run_path("re-dies"));
	all_up();
}
END_TEST

START_TEST(a_re_killed_by_others_again_and_again_keeps_its_store)
{
	ck_assert_int_eq(mkdir(run_path("store"), 0700), 0);
	start_keeper();
	all_up();
	for (int i = 0; i < 4; i++) {
		uint32_t re = pid_of(&shm->re);

		(void)kill((pid_t)re, SIGKILL);
		WAIT(proc_slot_alive(&shm->re) && pid_of(&shm->re) != re);
	}
	ck_assert_uint_eq(logged("STORE_SET_ASIDE"), 0);
	ck_assert_int_eq(access(run_path("store"), F_OK), 0);
}
END_TEST

static ino_t runtime_inode(void)
{
	struct stat st = { 0 };

	(void)stat(run_path("runtime"), &st);
	return st.st_ino;
}

static void next_keeper_adopts(void)
{
	ino_t table = runtime_inode();
	uint32_t re = pid_of(&shm->re), spu[2] = { spu_pid(0), spu_pid(1) };

	scratch_sleep_us(150000);
	ck_assert(proc_slot_alive(&shm->re) && is_up(0) && is_up(1));
	start_keeper();
	WAIT(said("connected again") == 1);
	ck_assert_uint_eq(pid_of(&shm->re), re);
	ck_assert_uint_eq(spu_pid(0), spu[0]);
	ck_assert_uint_eq(spu_pid(1), spu[1]);
	/* the alive array came back to it with the greeting: the word of an adopted SPU is cleared
	 */
	uint64_t took = kill_and_see(0);
	printf("adopted: alive word cleared after %lu us\n", took);
	ck_assert_uint_eq(runtime_inode(), table); /* the run-time table is the one of before */
	/* and an adopted RE is started again, and is given what its predecessor gave back */
	(void)kill((pid_t)re, SIGKILL);
	WAIT(proc_slot_alive(&shm->re) && pid_of(&shm->re) != re);
	WAIT(said("was given alive") == 1);
	ck_assert_uint_eq(said("made alive"), 1);
}

START_TEST(a_killed_keeper_is_replaced_and_everything_goes_on)
{
	start_keeper();
	all_up();
	(void)kill(keeper, SIGKILL);
	(void)waitpid(keeper, NULL, 0);
	next_keeper_adopts();
}
END_TEST

START_TEST(sigusr2_ends_the_keeper_alone)
{
	start_keeper();
	all_up();
	(void)kill(keeper, SIGUSR2);
	ck_assert_int_eq(end_of(keeper), 0);
	next_keeper_adopts();
}
END_TEST

START_TEST(all_killed_at_once_start_anew)
{
	start_keeper();
	all_up();
	uint32_t re = pid_of(&shm->re), spu[2] = { spu_pid(0), spu_pid(1) };
	ino_t table = runtime_inode();
	(void)kill(keeper, SIGKILL);
	(void)kill((pid_t)re, SIGKILL);
	(void)kill((pid_t)spu[0], SIGKILL);
	(void)kill((pid_t)spu[1], SIGKILL);
	(void)waitpid(keeper, NULL, 0);
	start_keeper();
	WAIT(is_up(0) && is_up(1) && spu_pid(0) != spu[0] && spu_pid(1) != spu[1]);
	ck_assert_uint_ne(pid_of(&shm->re), re);
	ck_assert_uint_eq(runtime_inode(), table); /* counters never go back */
}
END_TEST

/* As by a routing engine that is dying while the next keeper starts. */
START_TEST(a_port_that_is_still_taken_is_waited_for)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(500) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	start_keeper();
	scratch_sleep_us(300000);
	(void)close(fd);
	all_up();
}
END_TEST

START_TEST(sigterm_ends_everything_and_removes_what_was_made)
{
	start_keeper();
	all_up();
	uint32_t pids[3] = { pid_of(&shm->re), spu_pid(0), spu_pid(1) };
	(void)kill(keeper, SIGTERM);
	int status = end_of(keeper);
	ck_assert_msg(status == 0, "status %d", status);
	for (int i = 0; i < 3; i++)
		WAIT(proc_slot_start_time(pids[i]) == 0);
	ck_assert_uint_eq(said("removed\n"), 1);
	ck_assert_int_ne(access(run_path("node"), F_OK), 0);
	ck_assert_int_ne(access(run_path("runtime"), F_OK), 0);
	ck_assert_int_ne(access(run_path(KEEPER_SOCKET), F_OK), 0);
}
END_TEST

START_TEST(one_keeper_at_a_time)
{
	start_keeper();
	all_up();
	pid_t first = keeper;
	start_keeper();
	int status = end_of(keeper);
	keeper = first;
	ck_assert_int_eq(WEXITSTATUS(status), 1);
	ck_assert_uint_eq(logged("another hawserd runs there"), 1);
	ck_assert(is_up(0));
}
END_TEST

TESTS_OF(hawserd)
{
	TCase *tc = tcase_create("hawserd");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_killed_spu_loses_its_alive_word_at_once_and_comes_back);
	tcase_add_test(tc, restarts_back_off);
	tcase_add_test(tc, an_spu_without_progress_is_killed_and_started_again);
	tcase_add_test(tc, a_stopped_process_counts_as_hung);
	tcase_add_test(tc, the_re_asks_for_an_spu_to_stop);
	tcase_add_test(tc, a_killed_re_comes_back_to_the_same_descriptors);
	tcase_add_test(tc, the_lease_is_renewed_while_re_and_an_spu_live);
	tcase_add_test(tc, a_store_that_kills_the_re_is_set_aside);
	tcase_add_test(tc, a_re_killed_by_others_again_and_again_keeps_its_store);
	tcase_add_test(tc, a_killed_keeper_is_replaced_and_everything_goes_on);
	tcase_add_test(tc, sigusr2_ends_the_keeper_alone);
	tcase_add_test(tc, all_killed_at_once_start_anew);
	tcase_add_test(tc, a_port_that_is_still_taken_is_waited_for);
	tcase_add_test(tc, sigterm_ends_everything_and_removes_what_was_made);
	tcase_add_test(tc, one_keeper_at_a_time);
	return tc;
}
