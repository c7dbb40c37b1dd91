// SPDX-License-Identifier: Apache-2.0
/* One message of vhost-user, with its descriptors, in and out. */
#include "host/tsi/vhost_message.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* The descriptors of a message; which it must not be without are missed by its handler. */
static void take_fds(struct msghdr *received, struct message *message)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(received); c; c = CMSG_NXTHDR(received, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		message->fd_count = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(message->fds, CMSG_DATA(c), message->fd_count * sizeof(int));
	}
}

int message_receive(int fd, struct message *message)
{
	char control[CMSG_SPACE(sizeof(message->fds))];
	struct iovec iov = {&message->header, sizeof(message->header)};
	struct msghdr received = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t got;
	size_t size;

	memset(message, 0, sizeof(*message));
	do {
		got = recvmsg(fd, &received, MSG_CMSG_CLOEXEC | MSG_WAITALL);
	} while (got < 0 && errno == EINTR);
	if (got <= 0)
		return got < 0 && errno != ECONNRESET ? -1 : 0;
	take_fds(&received, message);
	size = message->header.size;
	if (got != sizeof(message->header) ||
	    size > offsetof(struct message, fds) - offsetof(struct message, number))
		return -1;
	if (size && recv(fd, &message->number, size, MSG_WAITALL) != (ssize_t)size)
		return -1;
	return 1;
}

int message_answer(int fd, struct message *message)
{
	struct iovec iov[] = {{&message->header, sizeof(message->header)},
			      {&message->number, message->header.size}};
	const struct msghdr sent = {.msg_iov = iov, .msg_iovlen = 2};
	size_t length = iov[0].iov_len + iov[1].iov_len;

	message->header.flags = MESSAGE_VERSION | MESSAGE_REPLY;
	return sendmsg(fd, &sent, MSG_NOSIGNAL) == (ssize_t)length ? 0 : -1;
}
