// SPDX-License-Identifier: Apache-2.0
/* Commands that set something up, and the simplest ones. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "tests/tsi/app.h"

static int write_file(int argc, char **argv)
{
	int fd;

	CHECK(argc == 3, "write PATH TEXT");
	fd = open(argv[1], O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, argv[2], strlen(argv[2])) < 0)
		fail_errno("%s", argv[1]);
	close(fd);
	return 0;
}

/* Bytes there and back. */
static int echo(int argc, char **argv)
{
	struct address address = peer_address(argc > 1 ? argv[1] : "127.0.0.1", PEER_ECHO);
	size_t left = argc > 2 ? (size_t)number(argv[2]) : 1;
	uint8_t sent[4096];
	uint8_t got[4096];
	int fd = stream_connect(&address);

	for (size_t part; left; left -= part) {
		part = left < sizeof(sent) ? left : sizeof(sent);
		pattern_fill(sent, part, left, 1);
		write_all(fd, sent, part);
		read_all(fd, got, part);
		CHECK(!memcmp(sent, got, part), "the echo differs, %zu bytes before the end", left);
	}
	MUST(shutdown(fd, SHUT_WR));
	CHECK(MUST(read(fd, got, 1)) == 0, "bytes behind the echo");
	close(fd);
	return 0;
}

const struct command basic_commands[] = {
	{"write", "PATH TEXT", write_file},
	{"echo", "IP BYTES", echo},
	{NULL, NULL, NULL},
};
