// SPDX-License-Identifier: Apache-2.0
/* Sockets of other kinds: what they do is the same whether the switch is on or off. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <linux/if_ether.h>
#include <linux/netlink.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>

#include "tests/tsi/app.h"

#define PROTOCOL_MPTCP 262

/* errno, or 0, of making one. */
static int make_error(int family, int type, int protocol)
{
	int fd = socket(family, type | SOCK_CLOEXEC, protocol);
	int ret = fd < 0 ? errno : 0;

	if (fd >= 0)
		close(fd);
	return ret;
}

static const struct {
	const char *name;
	int family, type, protocol;
} kinds[] = {
	{"raw", AF_INET, SOCK_RAW, IPPROTO_UDP},
	{"raw6", AF_INET6, SOCK_RAW, IPPROTO_UDP},
	{"mptcp", AF_INET, SOCK_STREAM, PROTOCOL_MPTCP},
	{"sctp", AF_INET, SOCK_STREAM, IPPROTO_SCTP},
	{"sctp packets", AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP},
	{"udplite", AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE},
	{"ping", AF_INET, SOCK_DGRAM, IPPROTO_ICMP},
	{"ping6", AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6},
	{"unix", AF_UNIX, SOCK_STREAM, 0},
	{"unix packets", AF_UNIX, SOCK_SEQPACKET, 0},
	{"packet", AF_PACKET, SOCK_DGRAM, ETH_P_ALL},
	{"netlink", AF_NETLINK, SOCK_RAW, NETLINK_ROUTE},
	{"TCP's packets", AF_INET, SOCK_SEQPACKET, 0},
	{"UDP as a stream", AF_INET, SOCK_STREAM, IPPROTO_UDP},
};

/* Where only the host leads: a native socket cannot. 0: it is not of this kernel. */
static void check_away(int family, int type, int protocol)
{
	struct address away =
		address_make(family == AF_INET6 ? "2001:db8:77::9" : "10.77.0.9", 7000);
	int fd = socket(family, type | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		return;
	MUST_FAIL(connect(fd, &away.any, away.length), ENETUNREACH);
	close(fd);
}

/* An echo of this machine's own kernel. */
static void check_ping(int type)
{
	struct address here = address_make("127.0.0.1", 0);
	struct icmphdr request = {.type = ICMP_ECHO, .un.echo.id = 0, .checksum = 0xfff7};
	uint8_t answer[128];
	int fd = (int)MUST(socket(AF_INET, type | SOCK_CLOEXEC, IPPROTO_ICMP));
	size_t offset = type == SOCK_RAW ? 20 : 0;
	int tries = 0;

	MUST(sendto(fd, &request, sizeof(request), 0, &here.any, here.length));
	do {
		CHECK(wait_events(fd, POLLIN, 5000) == POLLIN, "no answer of this machine");
		MUST(recv(fd, answer, sizeof(answer), 0));
	} while (answer[offset] != ICMP_ECHOREPLY && tries++ < 8);
	CHECK(answer[offset] == ICMP_ECHOREPLY, "an answer of type %u", answer[offset]);
	close(fd);
}

static int other_kinds(int argc, char **argv)
{
	int want[sizeof(kinds) / sizeof(kinds[0])] = {0};
	int fd = (int)MUST(open("/proc/sys/net/ipv4/ping_group_range", O_WRONLY | O_CLOEXEC));
	int got;

	(void)argc;
	(void)argv;
	MUST(write(fd, "0 0", 3));
	close(fd);
	for (int is_on = 0; is_on < 2; is_on++) {
		hijack_set(is_on);
		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
			got = make_error(kinds[i].family, kinds[i].type, kinds[i].protocol);
			want[i] = is_on ? want[i] : got;
			CHECK(got == want[i], "%s: %s, natively %s", kinds[i].name, strerror(got),
			      strerror(want[i]));
		}
		check_ping(SOCK_DGRAM);
		check_ping(SOCK_RAW);
		check_away(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
		check_away(AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6);
		check_away(AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE);
		check_away(AF_INET, SOCK_RAW, IPPROTO_UDP);
		check_away(AF_INET, SOCK_STREAM, PROTOCOL_MPTCP);
	}
	return 0;
}

/* A host that is not there: local sockets work, the rest has the native errors. */
static int no_host(int argc, char **argv)
{
	struct address away = address_make("10.77.0.9", 7000);
	struct address closed = address_make("127.0.0.1", 7000);
	int fd = socket_new(&away, SOCK_DGRAM);

	(void)argc;
	(void)argv;
	CHECK(hijack_get(), "tsi_hijack is off");
	MUST_FAIL(sendto(fd, "a", 1, 0, &away.any, away.length), ENETUNREACH);
	MUST_FAIL(connect(fd, &away.any, away.length), ENETUNREACH);
	close(fd);
	fd = socket_new(&closed, SOCK_STREAM);
	MUST_FAIL(connect(fd, &closed.any, closed.length), ECONNREFUSED);
	close(fd);
	MUST_FAIL(socket(AF_VSOCK, SOCK_DGRAM, 0), ENODEV);
	return 0;
}

const struct command kind_commands[] = {
	{"other-kinds", "", other_kinds},
	{"no-host", "", no_host},
	{NULL, NULL, NULL},
};
