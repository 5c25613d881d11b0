/* SPDX-License-Identifier: BSD-2-Clause */
/* The hook that the stepped build of replay.c calls before each access to shared words. */
#ifndef REPLAY_MODEL_H
#define REPLAY_MODEL_H

void replay_model_step(void);

#endif
