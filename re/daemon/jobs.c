// SPDX-License-Identifier: BSD-2-Clause
/* Public-key arithmetic in libuv's pool, so that the loop never waits for it. */
#include "daemon_priv.h"

#include <stdlib.h>

struct pooled {
	uv_work_t work;
	struct daemon *d;
	struct job *job; /* owns */
};

static void run(uv_work_t *work)
{
	struct pooled *p = work->data;

	p->job->run(p->job);
}

static void done(uv_work_t *work, int status)
{
	struct pooled *p = work->data;
	struct effects fx = { 0 };

	if (status || p->d->ike == NULL) {
		p->job->discard(p->job);
	} else {
		ike_job_done(p->d->ike, p->job, &fx);
		daemon_turn(p->d, &fx);
	}
	free(p);
}

void jobs_start(struct daemon *d, struct job *job)
{
	struct pooled *p = calloc(1, sizeof(*p));

	if (p == NULL) { /* as if the peer never answered: the SA's own timer gives up */
		job->discard(job);
		return;
	}
	p->work.data = p;
	p->d = d;
	p->job = job;
	if (uv_queue_work(&d->loop, &p->work, run, done)) {
		job->discard(job);
		free(p);
	}
}
