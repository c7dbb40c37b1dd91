// SPDX-License-Identifier: Apache-2.0
/*
 * Any bytes instead of QEMU's messages, the first of them with a descriptor: the answers are whole
 * messages, and what rings and memory were made of them lies inside of what was given.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "host/tsi/vhost_message.h"

#define MEMORY 0x10000

static void kick_changed(void *context, enum vhost_ring ring, int fd)
{
	(void)fd;
	require(context && ring < VHOST_RING__COUNT);
}

static void touch(const void *bytes, size_t size)
{
	(void)((const volatile uint8_t *)bytes)[size - 1];
}

static void check_vhost(const struct vhost *vhost)
{
	require(vhost->memory.count <= MEMORY_REGIONS_MAX);
	for (unsigned i = 0; i < vhost->memory.count; i++) {
		const struct memory_region *region = &vhost->memory.regions[i];

		require(region->size && region->size <= MEMORY);
		require(region->mapping_size <= MEMORY);
	}
	for (int i = 0; i < VHOST_RING__COUNT; i++) {
		const struct ring *ring = &vhost->rings[i];

		require(!(ring->size & (ring->size - 1)) && ring->size <= RING_SIZE_MAX);
		if (!ring->used)
			continue;
		/* The last byte of each part can be read. */
		touch(ring->descriptors, ring->size * sizeof(*ring->descriptors));
		touch(ring->used->ring, ring->size * sizeof(*ring->used->ring) + 2);
		touch(ring->avail->ring, ring->size * sizeof(*ring->avail->ring) + 2);
	}
}

static void send_bytes(int fd, int memory_fd, const uint8_t *data, size_t size)
{
	char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec iov = {(void *)(uintptr_t)data, size};
	struct msghdr message = {.msg_iov = &iov,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);

	*c = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
	memcpy(CMSG_DATA(c), &memory_fd, sizeof(memory_fd));
	require(sendmsg(fd, &message, MSG_NOSIGNAL) == (ssize_t)size);
	shutdown(fd, SHUT_WR);
}

/* What came back is a row of answers. */
static void check_answers(int fd)
{
	static uint8_t bytes[65536];
	ssize_t got = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	ssize_t at = 0;

	while (at < got) {
		struct message_header header;

		require(got - at >= (ssize_t)sizeof(header));
		memcpy(&header, bytes + at, sizeof(header));
		require(header.flags == (MESSAGE_VERSION | MESSAGE_REPLY));
		require(header.size <= sizeof(struct config));
		at += (ssize_t)(sizeof(header) + header.size);
	}
	require(at == got || got <= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int memory_fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct vhost vhost;
	int fds[2];

	if (!size || size > 4096) {
		close(memory_fd);
		return 0;
	}
	require(!ftruncate(memory_fd, MEMORY));
	require(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
	vhost_init(&vhost, fds[0]);
	vhost.kick_changed = kick_changed;
	vhost.context = &vhost;
	send_bytes(fds[1], memory_fd, data, size);
	while (vhost_read(&vhost) == 1)
		check_vhost(&vhost);
	check_vhost(&vhost);
	vhost_finish(&vhost);
	close(fds[0]);
	check_answers(fds[1]);
	close(fds[1]);
	require(dup(memory_fd) == memory_fd + 1);
	close(memory_fd + 1);
	close(memory_fd);
	return 0;
}
