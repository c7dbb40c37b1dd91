// SPDX-License-Identifier: Apache-2.0
/*
 * linux.netDevices: one rtnetlink request names a device, sets it up and, when the configuration joins
 * another network namespace, moves it there.
 *
 * A move keeps what is the device's own (MTU, MAC address) and loses its addresses. The specification
 * wants the permanent ones of global scope to be kept, so they are read before the move and given to
 * the device again behind it. Routes that are more than an address's prefix are not kept.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include "init/apply.h"
#include "init/namespace.h"
#include "init/sys.h"

#define REPLY_BYTES   8192 /* what the kernel fills of a dump in one piece, at most */
#define NAMES_MAX     4096 /* numbers tried for a name with "%d" */
#define MESSAGE_BYTES 1024

/* A request, and as many bytes of attributes as it has. */
struct message {
	union {
		struct nlmsghdr header;
		char bytes[MESSAGE_BYTES];
	};
};

/* Addresses of a device, as the messages of the dump that they came in. */
struct addresses {
	char bytes[REPLY_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	size_t used;
};

/* A message's fixed part, of this size, zeroed. */
static void *message_begin(struct message *message, uint16_t type, uint16_t flags, size_t size)
{
	memset(message, 0, sizeof(*message));
	message->header.nlmsg_type = type;
	message->header.nlmsg_flags = NLM_F_REQUEST | flags;
	message->header.nlmsg_len = (uint32_t)NLMSG_LENGTH(size);
	return NLMSG_DATA(&message->header);
}

/* Its callers' attributes are few and short, but for those that a dump of the kernel's had. */
static int message_add(struct message *message, uint16_t type, const void *data, size_t size)
{
	size_t at = NLMSG_ALIGN(message->header.nlmsg_len);
	struct rtattr *attribute = (struct rtattr *)(message->bytes + at);

	if (at + RTA_SPACE(size) > sizeof(*message)) {
		errno = EMSGSIZE;
		return -1;
	}
	attribute->rta_type = type;
	attribute->rta_len = (uint16_t)RTA_LENGTH(size);
	memcpy(RTA_DATA(attribute), data, size);
	message->header.nlmsg_len = (uint32_t)(at + RTA_LENGTH(size));
	return 0;
}

static int message_send(int fd, const struct message *message)
{
	size_t length = message->header.nlmsg_len;

	return send(fd, message, length, 0) == (ssize_t)length ? 0 : -1;
}

/* The kernel's answer to a request is one message, an error's number or 0. */
static int message_ask(int fd, struct message *message)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error; /* the request comes behind it, and is cut off */
	} reply;

	message->header.nlmsg_flags |= NLM_F_ACK;
	if (message_send(fd, message))
		return -1;
	ssize_t got = recv(fd, &reply, sizeof(reply), 0);

	if (got < 0)
		return -1;
	const bool is_answer =
		got == (ssize_t)sizeof(reply) && reply.header.nlmsg_type == NLMSG_ERROR;

	errno = is_answer ? -reply.error.error : EPROTO;
	return errno ? -1 : 0;
}

static int find_index(int fd, const char *name)
{
	struct ifreq request = {.ifr_flags = 0};

	strncpy(request.ifr_name, name, sizeof(request.ifr_name) - 1);
	return ioctl(fd, SIOCGIFINDEX, &request) ? -1 : request.ifr_ifindex;
}

static bool is_permanent(const struct ifaddrmsg *address, size_t length)
{
	uint32_t flags = address->ifa_flags;
	int left = (int)length;

	for (const struct rtattr *at = IFA_RTA(address); RTA_OK(at, left); at = RTA_NEXT(at, left))
		if (at->rta_type == IFA_FLAGS)
			memcpy(&flags, RTA_DATA(at), sizeof(flags));
	return flags & IFA_F_PERMANENT && address->ifa_scope == RT_SCOPE_UNIVERSE;
}

/* One part of the dump. 1: there are more to come. */
static int keep_addresses(const char *bytes, size_t length, int index, struct addresses *ret)
{
	const struct nlmsghdr *message = (const struct nlmsghdr *)bytes;

	for (; NLMSG_OK(message, length); message = NLMSG_NEXT(message, length)) {
		const struct ifaddrmsg *address = NLMSG_DATA(message);
		size_t size = NLMSG_ALIGN(message->nlmsg_len);

		if (message->nlmsg_type == NLMSG_DONE)
			return 0;
		errno = EPROTO;
		if (message->nlmsg_type != RTM_NEWADDR)
			return -1;
		if ((int)address->ifa_index != index ||
		    !is_permanent(address, IFA_PAYLOAD(message)))
			continue;
		errno = E2BIG;
		if (size > sizeof(ret->bytes) - ret->used)
			return -1;
		memcpy(ret->bytes + ret->used, message, message->nlmsg_len);
		ret->used += size;
	}
	return 1;
}

static int read_addresses(int fd, int index, struct addresses *ret)
{
	char bytes[REPLY_BYTES] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct message message;
	int more = 1;

	message_begin(&message, RTM_GETADDR, NLM_F_DUMP, sizeof(struct ifaddrmsg));
	ret->used = 0;
	if (message_send(fd, &message))
		return -1;
	while (more > 0) {
		ssize_t got = recv(fd, bytes, sizeof(bytes), 0);

		if (got <= 0)
			return -1;
		more = keep_addresses(bytes, (size_t)got, index, ret);
	}
	return more;
}

/* As it was, but for its label, which is the device's old name, and how long it is valid: always. */
static int give_address(int fd, int index, const struct nlmsghdr *kept)
{
	const struct ifaddrmsg *from = NLMSG_DATA(kept);
	int left = (int)IFA_PAYLOAD(kept);
	struct message message;
	struct ifaddrmsg *to =
		message_begin(&message, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof(*to));

	*to = *from;
	to->ifa_index = (unsigned)index;
	for (const struct rtattr *at = IFA_RTA(from); RTA_OK(at, left); at = RTA_NEXT(at, left)) {
		if (at->rta_type != IFA_LABEL && at->rta_type != IFA_CACHEINFO &&
		    message_add(&message, at->rta_type, RTA_DATA(at), RTA_PAYLOAD(at)))
			return -1;
	}
	return message_ask(fd, &message);
}

static int give_addresses(int fd, int index, const struct addresses *addresses)
{
	const struct nlmsghdr *message = (const struct nlmsghdr *)addresses->bytes;
	size_t left = addresses->used;

	for (; NLMSG_OK(message, left); message = NLMSG_NEXT(message, left))
		if (give_address(fd, index, message))
			return -1;
	return 0;
}

/* target_fd: the namespace that the device moves to; -1: it stays. */
static int change_link(int fd, int index, const char *name, int target_fd)
{
	struct message message;
	struct ifinfomsg *link = message_begin(&message, RTM_NEWLINK, 0, sizeof(*link));
	const uint32_t namespace_fd = (uint32_t)target_fd;

	link->ifi_index = index;
	link->ifi_flags = link->ifi_change = IFF_UP;
	if (message_add(&message, IFLA_IFNAME, name, strlen(name) + 1) ||
	    (target_fd >= 0 &&
	     message_add(&message, IFLA_NET_NS_FD, &namespace_fd, sizeof(namespace_fd))))
		return -1;
	return message_ask(fd, &message);
}

static int open_socket(void)
{
	return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
}

/*
 * A socket of the namespace that is joined, which PID 1 is in for no longer than that. *ret_fd: -1 when
 * it is PID 1's own.
 */
static int open_there(const struct early *early, int target_fd, int *ret_fd, struct failure *f)
{
	AUTO_FD own_fd = sys_open(early->proc_fd, "self/ns/net", O_RDONLY, 0);
	AUTO_FD fd = -1;
	struct stat own, target;

	if (own_fd < 0 || fstat(own_fd, &own) || fstat(target_fd, &target))
		return fail_sys(f, "open", "/proc/self/ns/net");
	if (own.st_dev == target.st_dev && own.st_ino == target.st_ino)
		return 0;
	if (setns(target_fd, CLONE_NEWNET))
		return fail_sys(f, "setns", NULL);
	fd = open_socket();
	if (fd < 0)
		fail_sys(f, "socket", NULL);
	if (setns(own_fd, CLONE_NEWNET))
		return fail_sys(f, "setns", "/proc/self/ns/net");
	*ret_fd = sys_take(&fd);
	return *ret_fd < 0 ? -1 : 0;
}

/* With "%d" in it the first of its kind that is free; the kernel would take that, and not tell. */
static int choose_name(int fd, const char *wanted, char ret[static IFNAMSIZ])
{
	const char *number = strstr(wanted, "%d");
	int length = number ? (int)(number - wanted) : 0;

	errno = EEXIST;
	if (!number) {
		strncpy(ret, wanted, IFNAMSIZ - 1);
		return find_index(fd, wanted) < 0 ? 0 : -1;
	}
	for (int i = 0; i < NAMES_MAX; i++) {
		if (snprintf(ret, IFNAMSIZ, "%.*s%d%s", length, wanted, i, number + 2) >= IFNAMSIZ)
			break;
		if (find_index(fd, ret) < 0)
			return 0;
	}
	errno = EEXIST;
	return -1;
}

static int move_device(const struct step *step, int fd, int index, int there_fd, int target_fd,
		       struct failure *f)
{
	struct addresses addresses;
	char name[IFNAMSIZ] = "";

	if (choose_name(there_fd, step->dst, name))
		return fail_sys(f, "name device", step->dst);
	if (read_addresses(fd, index, &addresses))
		return fail_sys(f, "read addresses", step->src);
	if (change_link(fd, index, name, target_fd))
		return fail_sys(f, "move device", step->src);
	index = find_index(there_fd, name);
	if (index < 0)
		return fail_sys(f, "find device", name);
	return give_addresses(there_fd, index, &addresses) ? fail_sys(f, "add address", name) : 0;
}

int step_net_device(struct apply_state *state, const struct step *step, struct failure *f)
{
	const struct oci_namespace *network = &state->namespaces[OCI_NAMESPACE_NETWORK];
	AUTO_FD fd = open_socket();
	AUTO_FD target_fd = -1;
	AUTO_FD there_fd = -1;

	if (fd < 0)
		return fail_sys(f, "socket", step->src);
	if (step->network &&
	    namespace_open(state->early, network, OCI_NAMESPACE_NETWORK, &target_fd, f))
		return fail_at(f, STAGE_APPLY, network->field);
	if (step->network && open_there(state->early, target_fd, &there_fd, f))
		return -1;
	int index = find_index(fd, step->src);

	if (index < 0)
		return fail_sys(f, "find device", step->src);
	if (there_fd >= 0)
		return move_device(step, fd, index, there_fd, target_fd, f);
	return change_link(fd, index, step->dst, -1) ? fail_sys(f, "change device", step->src) : 0;
}
