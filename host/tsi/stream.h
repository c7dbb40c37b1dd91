// SPDX-License-Identifier: Apache-2.0
/* What the two sides of a stream want of each other. */
#ifndef HOST_TSI_STREAM_H
#define HOST_TSI_STREAM_H

#include "host/tsi/muxer.h"

void stream_owe(struct proxy *proxy, unsigned owed);
/* The connection is broken, which the guest is told. */
void stream_break(struct proxy *proxy);
/* The host's socket is gone and the guest knows: the name may go too. */
void stream_settle(struct proxy *proxy);
/* Writes of the queue what can be written. */
void stream_drain(struct proxy *proxy);

size_t stream_fill(struct muxer *muxer, struct proxy *proxy, const struct chain *chain);
void stream_ready(struct muxer *muxer, struct proxy *proxy, uint32_t events);

#endif
