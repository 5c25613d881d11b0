// SPDX-License-Identifier: BSD-2-Clause
#include "keeper_link.h"
#include "runner.h"
#include "scratch.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

static int ends[2];

static void setup(void)
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
}

static void teardown(void)
{
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static int new_fd(void)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static ino_t inode(int fd)
{
	struct stat st;

	ck_assert_int_eq(fstat(fd, &st), 0);
	return st.st_ino;
}

static int open_fds(void)
{
	int n = 0;

	for (int fd = 3; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

START_TEST(a_message_arrives_with_its_descriptors)
{
	struct keeper_msg m = { .kind = KEEPER_GIVE, .slot = 3, .n = 2, .text = "hello" }, got;
	int fds[2] = { new_fd(), new_fd() }, got_fds[KEEPER_MSG_FDS];

	m.at[0] = keeper_name("alive", KEEPER_NO_SLOT, 5);
	m.at[1] = keeper_name("a name that is much too long", 3, KEEPER_NO_NUMBER);
	ck_assert_int_eq(keeper_link_send(ends[0], &m, fds), ERR_OK);
	ck_assert_int_eq(keeper_link_recv(ends[1], &got, got_fds), ERR_OK);
	ck_assert_uint_eq(got.kind, KEEPER_GIVE);
	ck_assert_int_eq(got.slot, 3);
	ck_assert_uint_eq(got.n, 2);
	ck_assert_str_eq(got.text, "hello");
	ck_assert_str_eq(got.at[0].name, "alive");
	ck_assert_uint_eq(got.at[0].number, 5);
	ck_assert_str_eq(got.at[1].name, "a name that is much too");
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(inode(got_fds[i]), inode(fds[i]));
		ck_assert_int_eq(fcntl(got_fds[i], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
		(void)close(got_fds[i]);
		(void)close(fds[i]);
	}
	ck_assert_int_eq(keeper_link_recv(ends[1], &got, got_fds), ERR_AGAIN);
	(void)close(ends[0]);
	ck_assert_int_eq(keeper_link_recv(ends[1], &got, got_fds), ERR_CLOSED);
	m.n = 0;
	ck_assert_int_eq(keeper_link_send(ends[1], &m, NULL), ERR_CLOSED);
}
END_TEST

/* What a program of another version, or a broken one, may send. */
static const struct {
	const char *what;
	size_t len;
	uint32_t version, kind, n;
	int fds;
	enum err want;
} lies[] = {
	{ "another version", sizeof(struct keeper_msg), 2, KEEPER_READY, 0, 0, ERR_VERSION },
	{ "one byte", 1, 1, KEEPER_READY, 0, 0, ERR_VERSION },
	{ "cut short", sizeof(struct keeper_msg) - 1, 1, KEEPER_READY, 0, 0, ERR_LENGTH },
	{ "too long", sizeof(struct keeper_msg) + 8, 1, KEEPER_READY, 0, 0, ERR_LENGTH },
	{ "no kind", sizeof(struct keeper_msg), 1, 0, 0, 0, ERR_UNKNOWN },
	{ "unknown kind", sizeof(struct keeper_msg), 1, KEEPER_KINDS, 0, 0, ERR_UNKNOWN },
	{ "more names than fit", sizeof(struct keeper_msg), 1, KEEPER_FORGET, 65, 0, ERR_LENGTH },
	{ "fewer descriptors than names", sizeof(struct keeper_msg), 1, KEEPER_GIVE, 2, 1,
	  ERR_LENGTH },
	{ "more descriptors than names", sizeof(struct keeper_msg), 1, KEEPER_GIVE, 1, 2,
	  ERR_LENGTH },
	{ "descriptors beside a message without", sizeof(struct keeper_msg), 1, KEEPER_READY, 0, 1,
	  ERR_LENGTH },
	{ "more descriptors than we take", sizeof(struct keeper_msg), 1, KEEPER_GIVE, 64, 80,
	  ERR_LENGTH },
};

START_TEST(a_lie_is_refused_and_leaks_no_descriptor)
{
	union {
		struct keeper_msg m;
		uint8_t b[sizeof(struct keeper_msg) + 8];
	} out = { .m = { .version = lies[_i].version, .kind = lies[_i].kind, .n = lies[_i].n } };
	char room[CMSG_SPACE(sizeof(int) * 100)] = { 0 };
	struct iovec iov = { &out, lies[_i].len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct keeper_msg got;
	int fd = new_fd(), fds[KEEPER_MSG_FDS];

	if (lies[_i].fds) {
		msg.msg_control = room;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)lies[_i].fds);
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)lies[_i].fds);
		for (int i = 0; i < lies[_i].fds; i++)
			memcpy(CMSG_DATA(c) + (size_t)i * sizeof(int), &fd, sizeof(int));
	}
	int before = open_fds();
	ck_assert_int_eq(sendmsg(ends[0], &msg, 0), (ssize_t)lies[_i].len);
	enum err e = keeper_link_recv(ends[1], &got, fds);
	ck_assert_msg(e == lies[_i].want, "%s: got \"%s\"", lies[_i].what, err_text(e));
	ck_assert_int_eq(open_fds(), before);
	(void)close(fd);
}
END_TEST

START_TEST(names_always_end)
{
	struct keeper_msg m = { .version = 1, .kind = KEEPER_FORGET, .n = 1 }, got;
	int fds[KEEPER_MSG_FDS];

	memset(m.text, 'x', sizeof(m.text));
	memset(m.at[0].name, 'x', sizeof(m.at[0].name));
	ck_assert_int_eq(send(ends[0], &m, sizeof(m), 0), sizeof(m));
	ck_assert_int_eq(keeper_link_recv(ends[1], &got, fds), ERR_OK);
	ck_assert_uint_eq(strlen(got.text), sizeof(got.text) - 1);
	ck_assert_uint_eq(strlen(got.at[0].name), KEEPER_NAME_MAX - 1);
}
END_TEST

START_TEST(a_set_replaces_and_closes)
{
	static struct keeper_fds set;
	struct keeper_name a = keeper_name("a", KEEPER_NO_SLOT, 1), a3 = keeper_name("a", 3, 1);
	int before = open_fds(), kept = new_fd();

	ck_assert_int_eq(keeper_fds_put(&set, &a, new_fd()), ERR_OK);
	ck_assert_int_eq(keeper_fds_put(&set, &a3, new_fd()), ERR_OK);
	ck_assert_int_eq(keeper_fds_put(&set, &a, kept), ERR_OK);
	ck_assert_uint_eq(set.n, 2);
	ck_assert_int_eq(keeper_fds_find(&set, "a", KEEPER_NO_SLOT), kept);
	ck_assert_int_eq(keeper_fds_find(&set, "b", KEEPER_NO_SLOT), -1);
	keeper_fds_drop(&set, "a", 3);
	keeper_fds_drop(&set, "a", 3);
	ck_assert_int_eq(keeper_fds_steal(&set, "a", KEEPER_NO_SLOT), kept);
	(void)close(kept);
	for (int i = 0; i < KEEPER_FDS_MAX; i++) {
		a.slot = i;
		ck_assert_int_eq(keeper_fds_put(&set, &a, dup(ends[0])), ERR_OK);
	}
	a.slot = KEEPER_FDS_MAX;
	ck_assert_int_eq(keeper_fds_put(&set, &a, dup(ends[0])), ERR_FULL);
	keeper_fds_close(&set);
	ck_assert_int_eq(open_fds(), before);
}
END_TEST

/* ---- a whole greeting ---------------------------------------------------------------------- */

enum { MANY = 150 };

/* The keeper's side, by hand: what came is what is given back, and one more. */
static void *keeper_side(void *arg)
{
	static struct keeper_fds got;
	struct keeper_msg m;
	struct keeper_name more = keeper_name(KEEPER_FD_NODE, KEEPER_NO_SLOT, KEEPER_NO_NUMBER);
	int fds[KEEPER_MSG_FDS], *fd = arg;

	do {
		while (keeper_link_recv(*fd, &m, fds) != ERR_OK)
			scratch_sleep_us(1000);
		for (uint32_t i = 0; m.kind == KEEPER_GIVE && i < m.n; i++)
			HOLDS(keeper_fds_put(&got, &m.at[i], fds[i]) == ERR_OK);
	} while (m.kind != KEEPER_GIVEN);
	HOLDS(got.n == MANY);
	HOLDS(keeper_fds_put(&got, &more, new_fd()) == ERR_OK);
	HOLDS(keeper_link_send_set(*fd, KEEPER_TAKE, &got, NULL, NULL) == ERR_OK);
	m = (struct keeper_msg){ .kind = KEEPER_READY };
	HOLDS(keeper_link_send(*fd, &m, NULL) == ERR_OK);
	keeper_fds_close(&got);
	return NULL;
}

START_TEST(a_greeting_gives_and_takes_more_than_one_message_holds)
{
	static struct keeper_fds set;
	pthread_t thread;
	struct why why = { "" };
	int before = open_fds();

	for (int i = 0; i < MANY; i++) {
		struct keeper_name n = keeper_name("x", i, KEEPER_NO_NUMBER);

		ck_assert_int_eq(keeper_fds_put(&set, &n, new_fd()), ERR_OK);
	}
	ck_assert_int_eq(pthread_create(&thread, NULL, keeper_side, &ends[1]), 0);
	enum err e = keeper_link_hello(ends[0], KEEPER_HELLO_SPU, 7, &set, 5000, &why);
	(void)pthread_join(thread, NULL);
	ck_assert_msg(e == ERR_OK, "%s", why.text);
	ck_assert_uint_eq(set.n, MANY + 1);
	ck_assert_int_ge(keeper_fds_find(&set, KEEPER_FD_NODE, KEEPER_NO_SLOT), 0);
	keeper_fds_close(&set);
	ck_assert_int_eq(open_fds(), before);
}
END_TEST

START_TEST(a_keeper_that_says_nothing_is_not_waited_for)
{
	static struct keeper_fds set;
	struct why why = { "" };

	ck_assert_int_eq(
	        keeper_link_hello(ends[0], KEEPER_HELLO_RE, KEEPER_NO_SLOT, &set, 50, &why),
	        ERR_AGAIN);
	ck_assert_uint_ne(strlen(why.text), 0);
}
END_TEST

START_TEST(a_refusal_is_handed_on)
{
	static struct keeper_fds set;
	struct keeper_msg m = { .kind = KEEPER_REFUSED, .value = ERR_BUSY, .text = "no" };
	struct why why = { "" };

	ck_assert_int_eq(keeper_link_send(ends[1], &m, NULL), ERR_OK);
	ck_assert_int_eq(
	        keeper_link_hello(ends[0], KEEPER_HELLO_RE, KEEPER_NO_SLOT, &set, 50, &why),
	        ERR_BUSY);
	ck_assert_str_eq(why.text, "keeper: no");
}
END_TEST

START_TEST(the_socket_is_ours_alone)
{
	struct scratch s = scratch_new();
	struct why why = { "" };
	int listen_fd, fd, got;
	uint32_t pid;
	struct stat st;

	ck_assert_int_eq(keeper_link_connect(s.dir, &fd, &why), ERR_NOT_FOUND);
	ck_assert_int_eq(keeper_link_listen(s.dir, &listen_fd, &why), ERR_OK);
	ck_assert_int_eq(stat(scratch_path(&s, KEEPER_SOCKET), &st), 0);
	ck_assert_uint_eq(st.st_mode & 077, 0);
	ck_assert_int_eq(keeper_link_accept(listen_fd, &got, &pid), ERR_AGAIN);
	ck_assert_int_eq(keeper_link_connect(s.dir, &fd, &why), ERR_OK);
	ck_assert_int_eq(keeper_link_accept(listen_fd, &got, &pid), ERR_OK);
	ck_assert_uint_eq(pid, (uint32_t)getpid());
	(void)close(got);
	(void)close(fd);
	(void)close(listen_fd); /* a dead keeper leaves its socket */
	ck_assert_int_eq(keeper_link_connect(s.dir, &fd, &why), ERR_CLOSED);
	ck_assert_int_eq(keeper_link_listen(s.dir, &listen_fd, &why), ERR_OK);
	(void)close(listen_fd);
	scratch_done(&s);
	char far[200];
	memset(far, 'x', sizeof(far) - 1);
	far[sizeof(far) - 1] = '\0';
	ck_assert_int_eq(keeper_link_connect(far, &fd, &why), ERR_LENGTH);
}
END_TEST

TESTS_OF(link)
{
	TCase *tc = tcase_create("link");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_message_arrives_with_its_descriptors);
	tcase_add_loop_test(tc, a_lie_is_refused_and_leaks_no_descriptor, 0, ARRAY_LEN(lies));
	tcase_add_test(tc, names_always_end);
	tcase_add_test(tc, a_set_replaces_and_closes);
	tcase_add_test(tc, a_greeting_gives_and_takes_more_than_one_message_holds);
	tcase_add_test(tc, a_keeper_that_says_nothing_is_not_waited_for);
	tcase_add_test(tc, a_refusal_is_handed_on);
	tcase_add_test(tc, the_socket_is_ours_alone);
	return tc;
}
