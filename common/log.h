/* SPDX-License-Identifier: BSD-2-Clause */
/* Says what happened, one line each, as journald likes it:  <level>NAME: text: details
 *
 * An event is a row of events.def; operators grep for the name. Each event has a bucket of its own:
 * what a peer can cause at will is said at a limited rate, with the number that was left out.
 * Libraries do not log, they return errors or effects; the owner of an event loop logs. One thread
 * per struct log; the clock is the caller's. */
#ifndef LOG_H
#define LOG_H
#include "effects.h"

enum log_level { LOG_ALERT = 1, LOG_ERROR = 3, LOG_WARNING = 4, LOG_NOTICE = 5, LOG_INFO = 6 };

/* The row of events.def; "UNKNOWN" and the like for a number that has none. */
const char *event_name(enum event_id event);
enum log_level event_level(enum event_id event);
const char *event_text(enum event_id event);

/* At most LOG_BURST lines of one event at once, then one per LOG_REFILL_MS. */
#define LOG_BURST 10
#define LOG_REFILL_MS 1000

struct log_limit {
	uint64_t since_ms; /* when a line was last earned */
	uint32_t spent;    /* lines of the burst that are used up */
	uint64_t suppressed;
};

struct log {
	int fd;               /* borrowed */
	enum log_level least; /* what is less urgent is not said */
	uint64_t count[EVENT_MAX];
	struct log_limit limit[EVENT_MAX];
};

void log_init(struct log *log, int fd, enum log_level least);
/* Counts it, and says it when its rate allows. fmt: the details; "" for none. Control characters
 * become dots. ALERT and ERROR are always said. */
void log_event(struct log *log, uint64_t now_ms, enum event_id event, const char *fmt, ...)
        PRINTF(4, 5);

#endif
