// SPDX-License-Identifier: Apache-2.0
/* vhost-user messages: a table of them, each with the size it has at least. */
#include "host/tsi/vhost_message.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/tsi/wire.h"

#define FEATURE_DATAGRAM          (UINT64_C(1) << 3)
#define FEATURE_PROTOCOL_FEATURES (UINT64_C(1) << 30)
#define FEATURE_VERSION_1         (UINT64_C(1) << 32)
#define FEATURES                  (FEATURE_DATAGRAM | FEATURE_PROTOCOL_FEATURES | FEATURE_VERSION_1)

#define PROTOCOL_REPLY_ACK (UINT64_C(1) << 3)
#define PROTOCOL_CONFIG    (UINT64_C(1) << 9)
#define PROTOCOL_FEATURES  (PROTOCOL_REPLY_ACK | PROTOCOL_CONFIG)

#define RING_INDEX_MASK 0xffu
#define RING_NO_FD      0x100u

/* Each returns 0, 1 with the payload and size of an answer in the message, or -1. */
typedef int handler(struct vhost *vhost, struct message *message);

static int answer_number(struct message *message, uint64_t number)
{
	message->number = number;
	message->header.size = sizeof(number);
	return 1;
}

static int get_features(struct vhost *vhost, struct message *message)
{
	(void)vhost;
	return answer_number(message, FEATURES);
}

static int set_features(struct vhost *vhost, struct message *message)
{
	vhost->features = message->number;
	/* Without the protocol's features nobody will enable the rings. */
	for (int i = 0; i < VHOST_RING__COUNT; i++)
		vhost->rings[i].is_enabled |= !(message->number & FEATURE_PROTOCOL_FEATURES);
	return message->number & ~FEATURES ? -1 : 0;
}

static int get_protocol_features(struct vhost *vhost, struct message *message)
{
	(void)vhost;
	return answer_number(message, PROTOCOL_FEATURES);
}

static int set_protocol_features(struct vhost *vhost, struct message *message)
{
	vhost->protocol_features = message->number;
	return message->number & ~PROTOCOL_FEATURES ? -1 : 0;
}

static int get_queue_number(struct vhost *vhost, struct message *message)
{
	(void)vhost;
	return answer_number(message, VHOST_RING__COUNT);
}

static int accept_silently(struct vhost *vhost, struct message *message)
{
	(void)vhost;
	(void)message;
	return 0;
}

static bool map_region(const struct memory_entry *entry, int fd, struct memory_region *ret)
{
	uint64_t size = entry->offset + entry->size;
	struct stat st;
	void *mapping;

	/* A page behind the file's end would be a SIGBUS. */
	if (!entry->size || size < entry->size || fstat(fd, &st) || size > (uint64_t)st.st_size)
		return false;
	mapping = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (mapping == MAP_FAILED)
		return false;
	*ret = (struct memory_region){
		.guest_address = entry->guest_address,
		.user_address = entry->user_address,
		.size = entry->size,
		.bytes = (uint8_t *)mapping + entry->offset,
		.mapping = mapping,
		.mapping_size = size,
	};
	return true;
}

static int set_memory(struct vhost *vhost, struct message *message)
{
	const struct memory_table *table = &message->table;

	if (table->count > MEMORY_REGIONS_MAX || table->count != message->fd_count ||
	    message->header.size < offsetof(struct memory_table, entries[table->count]))
		return -1;
	memory_clear(&vhost->memory);
	for (unsigned i = 0; i < table->count; i++) {
		if (!map_region(&table->entries[i], message->fds[i], &vhost->memory.regions[i]))
			break;
		vhost->memory.count++;
	}
	for (int i = 0; i < VHOST_RING__COUNT; i++)
		if (vhost->rings[i].used)
			ring_map(&vhost->rings[i], &vhost->memory);
	return vhost->memory.count == table->count ? 0 : -1;
}

static struct ring *ring_of(struct vhost *vhost, uint64_t index)
{
	return index < VHOST_RING__COUNT ? &vhost->rings[index] : NULL;
}

static int set_ring_size(struct vhost *vhost, struct message *message)
{
	struct ring *ring = ring_of(vhost, message->state.index);
	uint32_t size = message->state.number;

	if (!ring || !size || size > RING_SIZE_MAX || size & (size - 1))
		return -1;
	ring->size = size;
	ring->used = NULL; /* until its addresses come */
	return 0;
}

static int set_ring_address(struct vhost *vhost, struct message *message)
{
	struct ring *ring = ring_of(vhost, message->address.index);

	if (!ring)
		return -1;
	ring->addresses[0] = message->address.descriptors;
	ring->addresses[1] = message->address.used;
	ring->addresses[2] = message->address.avail;
	return ring_map(ring, &vhost->memory) ? 0 : -1;
}

static int set_ring_base(struct vhost *vhost, struct message *message)
{
	struct ring *ring = ring_of(vhost, message->state.index);

	if (!ring)
		return -1;
	ring->next = (uint16_t)message->state.number;
	ring->is_broken = false; /* a driver that begins anew */
	return 0;
}

static void change_kick(struct vhost *vhost, enum vhost_ring index, int fd)
{
	struct ring *ring = &vhost->rings[index];

	vhost->kick_changed(vhost->context, index, fd);
	if (ring->kick_fd >= 0)
		close(ring->kick_fd);
	ring->kick_fd = fd;
}

/* Its answer is where we are; it also stops the ring. */
static int get_ring_base(struct vhost *vhost, struct message *message)
{
	struct ring *ring = ring_of(vhost, message->state.index);

	if (!ring)
		return -1;
	change_kick(vhost, (enum vhost_ring)message->state.index, -1);
	message->state.number = ring->next;
	message->header.size = sizeof(message->state);
	return 1;
}

/* The descriptor of a message about a ring, which is the caller's from now on; -1: none. */
static int take_fd(struct message *message)
{
	if (message->number & RING_NO_FD || !message->fd_count)
		return -1;
	return message->fds[--message->fd_count];
}

static int set_ring_kick(struct vhost *vhost, struct message *message)
{
	struct ring *ring = ring_of(vhost, message->number & RING_INDEX_MASK);

	if (!ring)
		return -1;
	change_kick(vhost, (enum vhost_ring)(message->number & RING_INDEX_MASK), take_fd(message));
	return 0;
}

static int set_ring_call(struct vhost *vhost, struct message *message)
{
	struct ring *ring = ring_of(vhost, message->number & RING_INDEX_MASK);

	if (!ring)
		return -1;
	if (ring->call_fd >= 0)
		close(ring->call_fd);
	ring->call_fd = take_fd(message);
	return 0;
}

static int set_ring_enable(struct vhost *vhost, struct message *message)
{
	struct ring *ring = ring_of(vhost, message->state.index);

	if (!ring)
		return -1;
	ring->is_enabled = message->state.number == 1;
	return 0;
}

/* Eight bytes: the guest's CID. */
static int get_config(struct vhost *vhost, struct message *message)
{
	static const uint64_t cid = VSOCK_CID_GUEST;
	struct config *config = &message->config;

	(void)vhost;
	if (config->offset > sizeof(cid) || config->size > sizeof(cid) - config->offset)
		return -1;
	memcpy(config->bytes, (const uint8_t *)&cid + config->offset, config->size);
	message->header.size = (uint32_t)offsetof(struct config, bytes) + config->size;
	return 1;
}

static const struct {
	size_t size;
	handler *handle;
} handlers[] = {
	[1] = {0, get_features},
	[2] = {sizeof(uint64_t), set_features},
	[3] = {0, accept_silently}, /* SET_OWNER */
	[5] = {offsetof(struct memory_table, entries), set_memory},
	[8] = {sizeof(struct vring_state), set_ring_size},
	[9] = {sizeof(struct vring_address), set_ring_address},
	[10] = {sizeof(struct vring_state), set_ring_base},
	[11] = {sizeof(struct vring_state), get_ring_base},
	[12] = {sizeof(uint64_t), set_ring_kick},
	[13] = {sizeof(uint64_t), set_ring_call},
	[14] = {sizeof(uint64_t), accept_silently}, /* SET_VRING_ERR */
	[15] = {0, get_protocol_features},
	[16] = {sizeof(uint64_t), set_protocol_features},
	[17] = {0, get_queue_number},
	[18] = {sizeof(struct vring_state), set_ring_enable},
	[24] = {offsetof(struct config, bytes), get_config},
};
#define HANDLER_COUNT (sizeof(handlers) / sizeof(handlers[0]))

/* 0, 1 with an answer in the message, or -1. */
static int handle(struct vhost *vhost, struct message *message)
{
	uint32_t request = message->header.request;

	if (request >= HANDLER_COUNT || !handlers[request].handle ||
	    message->header.size < handlers[request].size)
		return -1;
	return handlers[request].handle(vhost, message);
}

int vhost_read(struct vhost *vhost)
{
	struct message message;
	int result = message_receive(vhost->fd, &message);
	bool wants_answer;

	if (result == 1) {
		wants_answer = message.header.flags & MESSAGE_NEED_REPLY &&
			       vhost->protocol_features & PROTOCOL_REPLY_ACK;
		result = handle(vhost, &message);
		if (result != 1 && wants_answer)
			result = answer_number(&message, result ? 1 : 0);
		if (result == 1)
			result = message_answer(vhost->fd, &message);
		result = result ? -1 : 1;
	}
	while (message.fd_count)
		close(message.fds[--message.fd_count]);
	return result;
}

void vhost_init(struct vhost *vhost, int fd)
{
	*vhost = (struct vhost){.fd = fd};
	for (int i = 0; i < VHOST_RING__COUNT; i++)
		ring_init(&vhost->rings[i]);
}

void vhost_finish(struct vhost *vhost)
{
	for (int i = 0; i < VHOST_RING__COUNT; i++)
		ring_finish(&vhost->rings[i]);
	memory_clear(&vhost->memory);
}
