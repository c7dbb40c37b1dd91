// SPDX-License-Identifier: Apache-2.0
/* The host's side of TSI, with a guest that is made here (guest.h). */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "tests/tsi/units.h"

bool read_all(int fd, void *bytes, size_t size)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	size_t done = 0;

	while (done < size) {
		ssize_t got;

		if (poll(&poll_fd, 1, 10000) <= 0)
			return false;
		got = read(fd, (uint8_t *)bytes + done, size - done);
		if (got <= 0)
			return false;
		done += (size_t)got;
	}
	return true;
}

bool is_at_end(int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	char byte;
	ssize_t got;

	if (poll(&poll_fd, 1, 10000) <= 0)
		return false;
	got = read(fd, &byte, 1);
	return !got || (got < 0 && errno == ECONNRESET);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	return stream_units() | listen_units() | datagram_units() | hostile_units() |
	       policy_units();
}
