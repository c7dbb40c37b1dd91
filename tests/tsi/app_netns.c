// SPDX-License-Identifier: Apache-2.0
/* A container's network: a namespace with a pair of veth and a default route to the machine. */
#include <errno.h>
#include <net/if.h>
#include <net/route.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

#include "tests/tsi/app.h"

#define OUTER "172.20.0.1"
#define INNER "172.20.0.2"
#define LAN   "10.77.0.9"

/* ---- a pair of veth: "out" here, "in" in the namespace of a process -------------------------- */

struct request {
	struct nlmsghdr header;
	struct ifinfomsg info;
	char attributes[256];
};

static struct rtattr *add(struct request *request, unsigned short type, const void *data,
			  size_t size)
{
	struct rtattr *ret = (void *)((char *)request + NLMSG_ALIGN(request->header.nlmsg_len));

	ret->rta_type = type;
	ret->rta_len = (unsigned short)RTA_LENGTH(size);
	if (size)
		memcpy(RTA_DATA(ret), data, size);
	request->header.nlmsg_len =
		NLMSG_ALIGN(request->header.nlmsg_len) + (uint32_t)RTA_ALIGN(ret->rta_len);
	return ret;
}

static void add_end(struct request *request, struct rtattr *nest)
{
	nest->rta_len =
		(unsigned short)((char *)request + request->header.nlmsg_len - (char *)nest);
}

static void make_veth(pid_t pid)
{
	static const struct ifinfomsg nothing;
	struct request request = {
		.header = {.nlmsg_len = NLMSG_LENGTH(sizeof(request.info)),
			   .nlmsg_type = RTM_NEWLINK,
			   .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL}};
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char rest[512];
	} answer;
	int fd = (int)MUST(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
	struct rtattr *link;
	struct rtattr *data;
	struct rtattr *peer;

	add(&request, IFLA_IFNAME, "out", sizeof("out"));
	link = add(&request, IFLA_LINKINFO, NULL, 0);
	add(&request, IFLA_INFO_KIND, "veth", sizeof("veth"));
	data = add(&request, IFLA_INFO_DATA, NULL, 0);
	peer = add(&request, VETH_INFO_PEER, &nothing, sizeof(nothing));
	add(&request, IFLA_IFNAME, "in", sizeof("in"));
	add(&request, IFLA_NET_NS_PID, &pid, sizeof(pid));
	add_end(&request, peer);
	add_end(&request, data);
	add_end(&request, link);
	MUST(send(fd, &request, request.header.nlmsg_len, 0));
	MUST(recv(fd, &answer, sizeof(answer), 0));
	CHECK(answer.header.nlmsg_type == NLMSG_ERROR && !answer.error.error, "veth: %s",
	      strerror(-answer.error.error));
	close(fd);
}

static void set_up(const char *name, const char *ip)
{
	struct address address = address_make(ip ? ip : "0.0.0.0", 0);
	struct address mask = address_make("255.255.255.0", 0);
	struct ifreq request = {0};
	int fd = (int)MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));

	strcpy(request.ifr_name, name);
	if (ip) {
		memcpy(&request.ifr_addr, &address.inet, sizeof(address.inet));
		MUST(ioctl(fd, SIOCSIFADDR, &request));
		memcpy(&request.ifr_netmask, &mask.inet, sizeof(mask.inet));
		MUST(ioctl(fd, SIOCSIFNETMASK, &request));
	}
	request.ifr_flags = IFF_UP;
	MUST(ioctl(fd, SIOCSIFFLAGS, &request));
	close(fd);
}

static void add_default_route(const char *ip)
{
	struct address gateway = address_make(ip, 0);
	struct address any = address_make("0.0.0.0", 0);
	struct rtentry route = {.rt_flags = RTF_UP | RTF_GATEWAY};
	int fd = (int)MUST(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));

	memcpy(&route.rt_gateway, &gateway.inet, sizeof(gateway.inet));
	memcpy(&route.rt_dst, &any.inet, sizeof(any.inet));
	memcpy(&route.rt_genmask, &any.inet, sizeof(any.inet));
	MUST(ioctl(fd, SIOCADDRT, &route));
	close(fd);
}

/* ---- what the container sees ------------------------------------------------------------------ */

static void exchange(const struct address *address)
{
	int fd = stream_connect(address);
	char byte = 'n';

	write_all(fd, &byte, 1);
	read_all(fd, &byte, 1);
	CHECK(byte == 'n', "another echo of %s", address_text(address));
	close(fd);
}

static void check_datagram(const char *ip)
{
	struct address echo = peer_address(ip, PEER_UDP_ECHO);
	int fd = socket_new(&echo, SOCK_DGRAM);
	char byte = 'u';

	MUST(connect(fd, &echo.any, echo.length));
	MUST(send(fd, &byte, 1, 0));
	CHECK(wait_events(fd, 1, 10000) == 1, "no datagram of %s", ip);
	MUST(recv(fd, &byte, 1, 0));
	close(fd);
}

/* Away: by the host. On the link and on this machine: as if there were no host. */
static _Noreturn void contain(int ready_fd, int go_fd)
{
	struct address lan = peer_address(LAN, PEER_ECHO);
	struct address outer = address_make(OUTER, 8900);
	struct address closed = peer_address(OUTER, PEER_ECHO);
	struct address loopback = peer_address("127.0.0.1", PEER_ECHO);
	char byte = 'r';

	MUST(unshare(CLONE_NEWNET));
	write_all(ready_fd, &byte, 1);
	read_all(go_fd, &byte, 1);
	set_up("lo", NULL);
	set_up("in", INNER);
	exchange(&lan); /* no route at all */
	add_default_route(OUTER);
	exchange(&lan);
	check_datagram(LAN);
	exchange(&outer);
	for (int i = 0; i < 2; i++) {
		struct address *address = i ? &loopback : &closed;
		int fd = socket_new(address, SOCK_STREAM);

		MUST_FAIL(connect(fd, &address->any, address->length), ECONNREFUSED);
		close(fd);
	}
	exit(0);
}

/* The machine's server on the pair: the container has to come over the link, with its own address. */
static void serve_inner(int listener_fd)
{
	struct address peer = {.length = sizeof(peer.storage)};
	struct address want = address_make(INNER, 0);
	char byte;
	int fd;

	CHECK(wait_events(listener_fd, 1, 30000) == 1, "nobody comes over the link");
	fd = (int)MUST(accept(listener_fd, &peer.any, &peer.length));
	address_set_port(&want, address_port(&peer));
	CHECK(address_is_equal(&peer, &want), "the container is %s", address_text(&peer));
	read_all(fd, &byte, 1);
	write_all(fd, &byte, 1);
	close(fd);
}

static int namespaces(int argc, char **argv)
{
	struct address outer = address_make(OUTER, 8900);
	int ready[2];
	int go[2];
	int listener_fd;
	char byte;
	pid_t pid;

	(void)argc;
	(void)argv;
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ready));
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, go));
	pid = fork();
	if (!pid)
		contain(ready[1], go[0]);
	close(ready[1]);
	read_all(ready[0], &byte, 1);
	make_veth(pid);
	set_up("out", OUTER);
	listener_fd = stream_listen(&outer, 4);
	write_all(go[1], &byte, 1);
	serve_inner(listener_fd);
	process_join(pid);
	close(listener_fd);
	return 0;
}

const struct command netns_commands[] = {
	{"namespaces", "", namespaces},
	{NULL, NULL, NULL},
};
