// SPDX-License-Identifier: Apache-2.0
/*
 * The vhost-user protocol (QEMU's docs/interop/vhost-user.rst), as the back-end of one virtio-vsock
 * device: QEMU sends the guest's memory and its rings, and keeps the event queue to itself.
 */
#ifndef HOST_TSI_VHOST_H
#define HOST_TSI_VHOST_H

#include "host/tsi/ring.h"

enum vhost_ring {
	VHOST_RX, /* to the guest */
	VHOST_TX,
	VHOST_EVENT,
	VHOST_RING__COUNT,
};

struct vhost {
	int fd;
	uint64_t features;          /* as the guest's driver took them */
	uint64_t protocol_features; /* as QEMU took them */
	struct memory memory;
	struct ring rings[VHOST_RING__COUNT];
	/* Called when a ring has got a new kick descriptor, before the old one is closed. */
	void (*kick_changed)(void *context, enum vhost_ring ring, int fd);
	void *context;
};

void vhost_init(struct vhost *vhost, int fd);
void vhost_finish(struct vhost *vhost);
/* Takes one message: 1; 0 when QEMU has gone; -1 when it was not understood. */
int vhost_read(struct vhost *vhost);

#endif
