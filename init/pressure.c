// SPDX-License-Identifier: Apache-2.0
/*
 * A way out when the machine has no memory left.
 *
 * The kernel calls its memory killer only for an allocation that may wait for file systems. A workload
 * that has taken everything may well be in one that may not: its own program was evicted, and squashfs
 * reads it back with GFP_NOIO. As long as no other process asks for memory it then tries again for ever,
 * seen for minutes in one of thirty runs. So PID 1 asks, for one page, when the kernel says that somebody
 * has been waiting for memory.
 *
 * That is a trigger of the kernel's pressure stall information, made when the entrypoint has run for a
 * moment: it costs a kernel thread, which no start has to wait for. A kernel without it has no way out.
 */
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "init/supervise.h"
#include "init/sys.h"

/* Somebody waits for memory for 100 ms within a second. */
static const char trigger[] = "some 100000 1000000";

void pressure_watch(struct supervisor *s)
{
	struct epoll_event event = {.events = EPOLLPRI, .data.ptr = &s->pressure};
	AUTO_FD fd = sys_open(AT_FDCWD, "/proc/pressure/memory", O_RDWR | O_NONBLOCK, 0);

	s->is_watching_pressure = true;
	if (fd < 0 || write(fd, trigger, sizeof(trigger)) < 0 ||
	    epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		return;
	s->pressure.fd = sys_take(&fd);
}

void pressure_relieve(void)
{
	const size_t page = 4096;
	char *bytes = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (bytes == MAP_FAILED)
		return;
	*(volatile char *)bytes = 1;
	munmap(bytes, page);
}
