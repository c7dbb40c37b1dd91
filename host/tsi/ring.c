// SPDX-License-Identifier: Apache-2.0
/* Split virtqueues, and bytes across their descriptors. */
#include "host/tsi/ring.h"

#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	PART_DESCRIPTORS,
	PART_USED,
	PART_AVAIL,
};

static void *region_at(const struct memory_region *region, uint64_t base, uint64_t address,
		       uint64_t size)
{
	uint64_t offset = address - base;

	if (address < base || offset >= region->size || size > region->size - offset)
		return NULL;
	return region->bytes + offset;
}

void *memory_at_guest(const struct memory *memory, uint64_t address, uint64_t size)
{
	void *found = NULL;

	for (unsigned i = 0; i < memory->count && !found; i++)
		found = region_at(&memory->regions[i], memory->regions[i].guest_address, address,
				  size);
	return found;
}

void *memory_at_user(const struct memory *memory, uint64_t address, uint64_t size)
{
	void *found = NULL;

	for (unsigned i = 0; i < memory->count && !found; i++)
		found = region_at(&memory->regions[i], memory->regions[i].user_address, address,
				  size);
	return found;
}

void memory_clear(struct memory *memory)
{
	for (unsigned i = 0; i < memory->count; i++)
		munmap(memory->regions[i].mapping, memory->regions[i].mapping_size);
	*memory = (struct memory){0};
}

void ring_init(struct ring *ring)
{
	*ring = (struct ring){.kick_fd = -1, .call_fd = -1};
}

void ring_finish(struct ring *ring)
{
	if (ring->kick_fd >= 0)
		close(ring->kick_fd);
	if (ring->call_fd >= 0)
		close(ring->call_fd);
	ring_init(ring);
}

static void *part_at(const struct memory *memory, uint64_t address, uint64_t size,
		     uintptr_t alignment)
{
	void *part = memory_at_user(memory, address, size);

	return (uintptr_t)part % alignment ? NULL : part;
}

bool ring_map(struct ring *ring, const struct memory *memory)
{
	uint64_t size = ring->size;

	ring->descriptors = part_at(memory, ring->addresses[PART_DESCRIPTORS],
				    size * sizeof(struct vring_desc), VRING_DESC_ALIGN_SIZE);
	ring->avail = part_at(memory, ring->addresses[PART_AVAIL],
			      sizeof(struct vring_avail) + (size + 1) * sizeof(uint16_t),
			      VRING_AVAIL_ALIGN_SIZE);
	ring->used = part_at(memory, ring->addresses[PART_USED],
			     sizeof(struct vring_used) + size * sizeof(struct vring_used_elem) +
				     sizeof(uint16_t),
			     VRING_USED_ALIGN_SIZE);
	if (size && ring->descriptors && ring->avail && ring->used) {
		ring->used_next = __atomic_load_n(&ring->used->idx, __ATOMIC_RELAXED);
		return true;
	}
	ring->used = NULL;
	return false;
}

bool ring_is_active(const struct ring *ring)
{
	return ring->used && ring->kick_fd >= 0 && ring->is_enabled && !ring->is_broken;
}

static bool has_next(struct ring *ring)
{
	uint16_t count =
		(uint16_t)(__atomic_load_n(&ring->avail->idx, __ATOMIC_ACQUIRE) - ring->next);

	ring->is_broken |= count > ring->size;
	return count && !ring->is_broken;
}

/* One descriptor more; false: it is not what a descriptor may be. */
static bool chain_add(struct chain *chain, const struct memory *memory,
		      const struct vring_desc *descriptor)
{
	bool is_in = descriptor->flags & VRING_DESC_F_WRITE;
	void *bytes = memory_at_guest(memory, descriptor->addr, descriptor->len);
	unsigned at = chain->out_count + chain->in_count;

	if (!bytes || descriptor->flags & VRING_DESC_F_INDIRECT || (!is_in && chain->in_count))
		return false;
	chain->iov[at] = (struct iovec){bytes, descriptor->len};
	if (is_in) {
		chain->in_count++;
		chain->in_bytes += descriptor->len;
	} else {
		chain->out_count++;
		chain->out_bytes += descriptor->len;
	}
	return true;
}

static bool chain_read(struct ring *ring, const struct memory *memory, struct chain *chain)
{
	uint16_t index = chain->head;
	struct vring_desc descriptor;

	do {
		if (index >= ring->size || chain->descriptors == CHAIN_MAX)
			return false;
		memcpy(&descriptor, &ring->descriptors[index], sizeof(descriptor));
		__asm__ volatile("" : "+m"(descriptor) : : "memory"); /* read once */
		if (!chain_add(chain, memory, &descriptor))
			return false;
		chain->descriptors++;
		index = descriptor.next;
	} while (descriptor.flags & VRING_DESC_F_NEXT);
	return true;
}

bool ring_next(struct ring *ring, const struct memory *memory, struct chain *ret)
{
	if (!ring_is_active(ring) || !has_next(ring))
		return false;
	ret->head = __atomic_load_n(&ring->avail->ring[ring->next % ring->size], __ATOMIC_RELAXED);
	ret->descriptors = ret->out_count = ret->in_count = 0;
	ret->out_bytes = ret->in_bytes = 0;
	if (!chain_read(ring, memory, ret)) {
		ring->is_broken = true;
		return false;
	}
	ring->next++;
	return true;
}

void ring_unget(struct ring *ring)
{
	ring->next--;
}

void ring_push(struct ring *ring, uint16_t head, uint32_t length)
{
	struct vring_used_elem *element = &ring->used->ring[ring->used_next % ring->size];

	element->id = head;
	element->len = length;
	__atomic_store_n(&ring->used->idx, ++ring->used_next, __ATOMIC_RELEASE);
	ring->has_pushed = true;
}

void ring_notify(struct ring *ring)
{
	uint64_t one = 1;

	if (!ring->has_pushed)
		return;
	ring->has_pushed = false;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&ring->avail->flags, __ATOMIC_RELAXED) & VRING_AVAIL_F_NO_INTERRUPT)
		return;
	/* A full counter is a notification too: the only other error is a descriptor that is none. */
	if (ring->call_fd >= 0 && write(ring->call_fd, &one, sizeof(one)) < 0)
		return;
}

bool ring_want_kicks(struct ring *ring, bool wants)
{
	if (!ring_is_active(ring))
		return false;
	__atomic_store_n(&ring->used->flags, wants ? 0 : VRING_USED_F_NO_NOTIFY, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return wants && has_next(ring);
}

size_t iov_copy_out(const struct iovec *iov, unsigned count, void *to, size_t size)
{
	size_t done = 0;

	for (unsigned i = 0; i < count && done < size; i++) {
		size_t part = iov[i].iov_len < size - done ? iov[i].iov_len : size - done;

		memcpy((uint8_t *)to + done, iov[i].iov_base, part);
		done += part;
	}
	return done;
}

size_t iov_copy_in(const struct iovec *iov, unsigned count, const void *from, size_t size)
{
	size_t done = 0;

	for (unsigned i = 0; i < count && done < size; i++) {
		size_t part = iov[i].iov_len < size - done ? iov[i].iov_len : size - done;

		memcpy(iov[i].iov_base, (const uint8_t *)from + done, part);
		done += part;
	}
	return done;
}

unsigned iov_part(const struct iovec *iov, unsigned count, size_t offset, size_t size,
		  struct iovec ret[CHAIN_MAX])
{
	unsigned parts = 0;

	for (unsigned i = 0; i < count && size; i++) {
		size_t skip = offset < iov[i].iov_len ? offset : iov[i].iov_len;
		size_t part = iov[i].iov_len - skip < size ? iov[i].iov_len - skip : size;

		offset -= skip;
		size -= part;
		if (part)
			ret[parts++] = (struct iovec){(uint8_t *)iov[i].iov_base + skip, part};
	}
	return parts;
}
