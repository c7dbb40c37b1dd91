// SPDX-License-Identifier: Apache-2.0
/* Control messages: a table of them by port, each with the size it has at least. */
#include "host/tsi/muxer.h"

#include <errno.h>
#include <string.h>

union message {
	struct tsi_create create;
	struct tsi_connect connect;
	struct tsi_getname getname;
	struct tsi_listen listen;
	struct tsi_accept accept;
	struct tsi_release release;
};

static void answer(struct muxer *muxer, enum tsi_port port, uint32_t control_port, const void *body,
		   size_t size)
{
	const struct vsock_header header = {
		.src_cid = VSOCK_CID_HOST,
		.dst_cid = VSOCK_CID_GUEST,
		.src_port = port,
		.dst_port = control_port,
		.type = VSOCK_DATAGRAM,
		.op = VSOCK_RW,
	};

	muxer_post(muxer, &header, body, size);
}

void control_result(struct muxer *muxer, enum tsi_port port, uint32_t control_port, int32_t result)
{
	const struct tsi_result body = {result};

	answer(muxer, port, control_port, &body, sizeof(body));
}

static void create(struct muxer *muxer, uint32_t control_port, const union message *message)
{
	const struct tsi_create *request = &message->create;
	const struct proxy_ops *ops = request->type == TSI_SOCKET_STREAM     ? &stream_ops
				      : request->type == TSI_SOCKET_DATAGRAM ? &datagram_ops
									     : NULL;
	struct proxy *proxy;

	if (!ops || (request->family != AF_INET && request->family != AF_INET6) ||
	    proxy_find(muxer, request->port, TSI_PORT_STREAM))
		return;
	proxy = proxy_new(muxer, ops, request->port, TSI_PORT_STREAM);
	if (!proxy)
		return;
	proxy->family = request->family;
	proxy->control_port = control_port;
}

static void take_connect(struct muxer *muxer, uint32_t control_port, const union message *message)
{
	const struct tsi_connect *request = &message->connect;
	struct proxy *proxy = proxy_find(muxer, request->port, TSI_PORT_STREAM);
	struct sockaddr_storage address;
	socklen_t length;
	int result;

	if (!proxy)
		result = -ECONNREFUSED;
	else if (!policy_parse(&request->address, proxy->family, &address, &length))
		result = -EINVAL;
	else
		result = policy_check(&muxer->setup->policy, &address);
	if (!result && proxy->ops == &stream_ops)
		result = stream_connect(proxy, (struct sockaddr *)&address, length);
	else if (!result && proxy->ops == &datagram_ops)
		result = datagram_connect(proxy, (struct sockaddr *)&address, length);
	else if (!result)
		result = -EINVAL;
	if (result <= 0)
		control_result(muxer, TSI_PORT_CONNECT, proxy ? proxy->control_port : control_port,
			       result);
}

static int name_of(struct proxy *proxy, struct tsi_address *ret)
{
	struct sockaddr_storage address = {0};
	socklen_t length = sizeof(address);

	if (!proxy)
		return -EINVAL;
	if (proxy->fd < 0)
		return -ENOTCONN;
	if (getpeername(proxy->fd, (struct sockaddr *)&address, &length))
		return -errno;
	ret->length = length;
	memcpy(ret->bytes, &address, sizeof(ret->bytes));
	return 0;
}

static void getname(struct muxer *muxer, uint32_t control_port, const union message *message)
{
	const struct tsi_getname *request = &message->getname;
	struct tsi_name body = {0};

	body.result = name_of(proxy_find(muxer, request->port, request->host_port), &body.address);
	answer(muxer, TSI_PORT_GETNAME, control_port, &body, sizeof(body));
}

static void sendto_address(struct muxer *muxer, uint32_t control_port, const union message *message)
{
	const struct tsi_connect *request = &message->connect;
	struct proxy *proxy = proxy_find(muxer, request->port, TSI_PORT_STREAM);

	(void)control_port;
	if (!proxy || proxy->ops != &datagram_ops)
		return;
	/* No answer: what may not be reached loses what is sent to it. */
	if (!policy_parse(&request->address, proxy->family, &proxy->destination,
			  &proxy->destination_length) ||
	    policy_check(&muxer->setup->policy, &proxy->destination))
		proxy->destination_length = 0;
}

static void take_listen(struct muxer *muxer, uint32_t control_port, const union message *message)
{
	const struct tsi_listen *request = &message->listen;
	struct proxy *proxy = proxy_find(muxer, request->port, TSI_PORT_STREAM);
	struct sockaddr_storage address;
	socklen_t length;
	int result;

	if (proxy && proxy->ops == &datagram_ops)
		return;
	if (!proxy)
		result = -EPERM;
	else if (!policy_parse(&request->address, proxy->family, &address, &length))
		result = -EINVAL;
	else
		result = listener_listen(proxy, request, &address);
	control_result(muxer, TSI_PORT_LISTEN, control_port, result);
}

static void take_accept(struct muxer *muxer, uint32_t control_port, const union message *message)
{
	const struct tsi_accept *request = &message->accept;
	struct proxy *proxy = proxy_find(muxer, request->port, TSI_PORT_STREAM);
	int result = -EINVAL;

	if (proxy && proxy->ops == &listener_ops) {
		result = listener_accept(proxy, request->flags);
		control_port = proxy->control_port;
	}
	if (result <= 0)
		control_result(muxer, TSI_PORT_ACCEPT, control_port, result);
}

static void release(struct muxer *muxer, uint32_t control_port, const union message *message)
{
	struct proxy *proxy = proxy_find(muxer, message->release.port, message->release.host_port);

	(void)control_port;
	if (proxy)
		proxy->ops->release(muxer, proxy);
}

static const struct {
	size_t size;
	void (*take)(struct muxer *muxer, uint32_t control_port, const union message *message);
} messages[] = {
	[TSI_PORT_CREATE - TSI_PORT_CREATE] = {sizeof(struct tsi_create), create},
	[TSI_PORT_CONNECT - TSI_PORT_CREATE] = {sizeof(struct tsi_connect), take_connect},
	[TSI_PORT_GETNAME - TSI_PORT_CREATE] = {sizeof(struct tsi_getname), getname},
	[TSI_PORT_SENDTO_ADDR - TSI_PORT_CREATE] = {sizeof(struct tsi_connect), sendto_address},
	[TSI_PORT_SENDTO_DATA - TSI_PORT_CREATE] = {0, NULL},
	[TSI_PORT_LISTEN - TSI_PORT_CREATE] = {sizeof(struct tsi_listen), take_listen},
	[TSI_PORT_ACCEPT - TSI_PORT_CREATE] = {sizeof(struct tsi_accept), take_accept},
	[TSI_PORT_RELEASE - TSI_PORT_CREATE] = {sizeof(struct tsi_release), release},
};
static_assert(sizeof(messages) / sizeof(messages[0]) == TSI_PORT__END - TSI_PORT_CREATE,
	      "a row for each");

void control_take(struct muxer *muxer, const struct packet *packet)
{
	const struct chain *chain = packet->chain;
	size_t row = packet->header.dst_port - TSI_PORT_CREATE;
	uint8_t bytes[sizeof(packet->header) + sizeof(union message)] = {0};
	union message message;

	if (packet->header.length < messages[row].size)
		return;
	iov_copy_out(chain->iov, chain->out_count, bytes, sizeof(bytes));
	memcpy(&message, bytes + sizeof(packet->header), sizeof(message));
	messages[row].take(muxer, packet->header.src_port, &message);
}
