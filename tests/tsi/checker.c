// SPDX-License-Identifier: Apache-2.0
/* The rules of checker.h. */
#include "tests/tsi/checker.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tests/tsi/names.h"

#define REUSE_MS 15000 /* hosts forget a name some seconds after its release */

static const char *const counter_names[] = {
	"packets_in", "packets_out", "bytes_in",  "bytes_out",   "datagrams_in", "datagrams_out",
	"create",     "connect",     "getname",   "sendto_addr", "listen",       "accept",
	"release",    "children",    "resets_in", "resets_out",  "left",
};
static_assert(sizeof(counter_names) / sizeof(counter_names[0]) == COUNT__COUNT, "a name for each");

static void wrong(struct checker *checker, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void wrong(struct checker *checker, const char *fmt, ...)
{
	va_list arguments;
	char text[sizeof(checker->texts[0])];

	va_start(arguments, fmt);
	vsnprintf(text, sizeof(text), fmt, arguments);
	va_end(arguments);
	checker->violations++;
	for (unsigned i = 0; i < checker->text_count; i++)
		if (!strcmp(checker->texts[i], text))
			return;
	if (checker->text_count < VIOLATIONS_MAX)
		strcpy(checker->texts[checker->text_count++], text);
}

static void check_port(struct checker *checker, const char *what, uint32_t port)
{
	if (!port || port == TSI_PORT_TIME || port == TSI_PORT_STREAM ||
	    (port >= TSI_PORT_CREATE && port < TSI_PORT__END))
		wrong(checker, "%s is %u, which is not the guest's to use", what, port);
}

static void check_address(struct checker *checker, const char *what,
			  const struct tsi_address *address, uint16_t family)
{
	uint32_t want = family == AF_INET6 ? TSI_LENGTH_INET6 : TSI_LENGTH_INET;
	uint16_t got;

	memcpy(&got, address->bytes, sizeof(got));
	if (address->length != want || got != family)
		wrong(checker, "%s: an address of family %u and length %u for a socket of %u", what,
		      got, address->length, family);
	for (size_t i = want; i < sizeof(address->bytes); i++) {
		if (address->bytes[i]) {
			wrong(checker, "%s: byte %zu behind the address is not zero", what, i);
			return;
		}
	}
}

/* The live proxy that a message names, made from this control port; NULL: there is none. */
static struct known *named(struct checker *checker, const char *what, uint32_t control_port,
			   uint32_t port)
{
	struct known *known = names_find(&checker->names, port, TSI_PORT_STREAM);

	if (!known || known->is_released) {
		wrong(checker, "%s: %u is no living proxy", what, port);
		return NULL;
	}
	if (known->control_port != control_port)
		wrong(checker, "%s: from control port %u, created from %u", what, control_port,
		      known->control_port);
	return known;
}

union message {
	struct tsi_create create;
	struct tsi_connect connect;
	struct tsi_getname getname;
	struct tsi_listen listen;
	struct tsi_accept accept;
	struct tsi_release release;
};

typedef void rule(struct checker *checker, uint32_t control_port, const union message *message);

static void on_create(struct checker *checker, uint32_t control_port, const union message *message)
{
	const struct tsi_create *create = &message->create;
	struct known *known = names_find(&checker->names, create->port, TSI_PORT_STREAM);
	double now = tsi_now_ms();

	check_port(checker, "CREATE: S", create->port);
	if (create->family != AF_INET && create->family != AF_INET6)
		wrong(checker, "CREATE: family %u", create->family);
	if (create->type != TSI_SOCKET_STREAM && create->type != TSI_SOCKET_DATAGRAM)
		wrong(checker, "CREATE: type %u", create->type);
	if (known && !known->is_released)
		wrong(checker, "CREATE: %u is in use", create->port);
	else if (known && now - known->released_ms < REUSE_MS)
		wrong(checker, "CREATE: %u was released %.0f ms ago", create->port,
		      now - known->released_ms);
	known = names_learn(&checker->names, create->port, TSI_PORT_STREAM);
	*known = (struct known){
		.guest_port = create->port,
		.host_port = TSI_PORT_STREAM,
		.control_port = control_port,
		.family = create->family,
		.type = create->type,
	};
	names_learn(&checker->names, control_port, NAME_CONTROL)->owner = known;
}

static void on_connect(struct checker *checker, uint32_t control_port, const union message *message)
{
	struct known *known = named(checker, "CONNECT", control_port, message->connect.port);

	if (!known)
		return;
	check_address(checker, "CONNECT", &message->connect.address, known->family);
	if (known->type == TSI_SOCKET_STREAM && known->is_connecting)
		wrong(checker, "CONNECT: %u a second time", known->guest_port);
	known->is_connecting = true;
}

static void on_getname(struct checker *checker, uint32_t control_port, const union message *message)
{
	struct known *known =
		names_find(&checker->names, message->getname.port, message->getname.host_port);

	(void)control_port;
	if (!known || known->is_released)
		wrong(checker, "GETNAME: %u:%u is no living proxy", message->getname.port,
		      message->getname.host_port);
}

static void on_sendto(struct checker *checker, uint32_t control_port, const union message *message)
{
	struct known *known = named(checker, "SENDTO_ADDR", control_port, message->connect.port);

	if (!known)
		return;
	check_address(checker, "SENDTO_ADDR", &message->connect.address, known->family);
	if (known->type != TSI_SOCKET_DATAGRAM)
		wrong(checker, "SENDTO_ADDR: %u is a stream", known->guest_port);
}

static void on_listen(struct checker *checker, uint32_t control_port, const union message *message)
{
	struct known *known = named(checker, "LISTEN", control_port, message->listen.port);

	check_port(checker, "LISTEN: V", message->listen.vm_port);
	if (!known)
		return;
	check_address(checker, "LISTEN", &message->listen.address, known->family);
	if (known->type != TSI_SOCKET_STREAM)
		wrong(checker, "LISTEN: %u is a datagram proxy", known->guest_port);
	if (known->is_listener || known->is_connecting)
		wrong(checker, "LISTEN: %u is in use already", known->guest_port);
	known->is_listener = true;
}

static void on_accept(struct checker *checker, uint32_t control_port, const union message *message)
{
	struct known *known = named(checker, "ACCEPT", control_port, message->accept.port);

	if (known && !known->is_listener)
		wrong(checker, "ACCEPT: %u does not listen", known->guest_port);
	if (!(message->accept.flags & TSI_NONBLOCK))
		wrong(checker, "ACCEPT: flags 0x%x would park it", message->accept.flags);
}

static void on_release(struct checker *checker, uint32_t control_port, const union message *message)
{
	const struct tsi_release *release = &message->release;
	struct known *known = names_find(&checker->names, release->port, release->host_port);

	(void)control_port;
	if (!known || release->host_port == NAME_CONTROL) {
		wrong(checker, "RELEASE: %u:%u was never made", release->port, release->host_port);
		return;
	}
	if (known->is_released)
		wrong(checker, "RELEASE: %u:%u a second time", release->port, release->host_port);
	known->is_released = true;
	known->released_ms = tsi_now_ms();
}

static const struct {
	const char *name;
	size_t size;
	size_t size_max;
	enum counter counter;
	rule *check;
} rules[] = {
	/* Two bytes more of CREATE are the protocol's number, which is a proposal. */
	{"CREATE", 8, 10, COUNT_CREATE, on_create},
	{"CONNECT", 136, 136, COUNT_CONNECT, on_connect},
	{"GETNAME", 12, 12, COUNT_GETNAME, on_getname},
	{"SENDTO_ADDR", 136, 136, COUNT_SENDTO_ADDR, on_sendto},
	{"SENDTO_DATA", 0, TSI_DATAGRAM_MAX, COUNT_DATAGRAMS_IN, NULL},
	{"LISTEN", 144, 144, COUNT_LISTEN, on_listen},
	{"ACCEPT", 8, 8, COUNT_ACCEPT, on_accept},
	{"RELEASE", 8, 8, COUNT_RELEASE, on_release},
};
static_assert(sizeof(rules) / sizeof(rules[0]) == TSI_PORT__END - TSI_PORT_CREATE);

static void check_data(struct checker *checker, uint32_t port)
{
	struct known *known = names_find(&checker->names, port, TSI_PORT_STREAM);

	checker->counters[COUNT_DATAGRAMS_IN]++;
	if (!known || known->is_released || known->type != TSI_SOCKET_DATAGRAM)
		wrong(checker, "a datagram from %u, which is no living datagram proxy", port);
}

static void check_datagram(struct checker *checker, const struct packet *packet)
{
	const struct vsock_header *header = &packet->header;
	size_t row = header->dst_port - TSI_PORT_CREATE;
	uint8_t bytes[sizeof(*header) + sizeof(union message)] = {0};
	union message message;

	if (header->op != VSOCK_RW || header->buf_alloc || header->fwd_cnt || header->flags ||
	    header->length > TSI_DATAGRAM_MAX)
		wrong(checker, "a datagram of op %u, credit %u and %u, flags %u, length %u",
		      header->op, header->buf_alloc, header->fwd_cnt, header->flags,
		      header->length);
	check_port(checker, "a datagram's source", header->src_port);
	if (header->dst_port < TSI_PORT_CREATE || header->dst_port >= TSI_PORT__END ||
	    !rules[row].check) {
		check_data(checker, header->src_port);
		return;
	}
	checker->counters[rules[row].counter]++;
	if (header->length < rules[row].size || header->length > rules[row].size_max) {
		wrong(checker, "%s of %u bytes", rules[row].name, header->length);
		return;
	}
	iov_copy_out(packet->chain->iov, packet->chain->out_count, bytes, sizeof(bytes));
	memcpy(&message, bytes + sizeof(*header), sizeof(message));
	rules[row].check(checker, header->src_port, &message);
}

/* A stream that TSI made, or that the host began; others are no affair of TSI's. */
static void check_stream(struct checker *checker, const struct packet *packet)
{
	const struct vsock_header *header = &packet->header;
	struct known *known = names_find(&checker->names, header->src_port, header->dst_port);

	checker->counters[COUNT_RESETS_IN] += header->op == VSOCK_RST;
	if (header->op == VSOCK_RESPONSE && known) {
		checker->counters[COUNT_CHILDREN]++;
		known->has_connected = true;
		known->is_released = false;
	}
	if (header->dst_port == TSI_PORT_STREAM && header->op == VSOCK_REQUEST &&
	    (!known || !known->has_connected))
		wrong(checker, "REQUEST of %u before its CONNECT had succeeded", header->src_port);
	if (!known || header->op == VSOCK_RST)
		return;
	if (header->op == VSOCK_RW && known->is_released)
		wrong(checker, "RW of %u:%u after its release", header->src_port, header->dst_port);
	if (header->buf_alloc < known->guest_alloc)
		wrong(checker, "the buffer of %u:%u shrinks from %u to %u", header->src_port,
		      header->dst_port, known->guest_alloc, header->buf_alloc);
	known->guest_alloc = header->buf_alloc;
	known->sent += header->length;
	if (known->sent - known->host_taken > known->host_alloc)
		wrong(checker, "%u:%u sends more than there is credit for", header->src_port,
		      header->dst_port);
}

void checker_incoming(struct checker *checker, const struct packet *packet)
{
	const struct vsock_header *header = &packet->header;

	checker->counters[COUNT_PACKETS_IN]++;
	checker->counters[COUNT_BYTES_IN] += header->length;
	if (header->src_cid != VSOCK_CID_GUEST || header->dst_cid != VSOCK_CID_HOST)
		wrong(checker, "a packet from %llu to %llu", (unsigned long long)header->src_cid,
		      (unsigned long long)header->dst_cid);
	if (packet->chain->descriptors > 2)
		wrong(checker, "a packet of %u descriptors", packet->chain->descriptors);
	if (packet->chain->out_bytes != sizeof(*header) + header->length)
		wrong(checker, "a packet of length %u in %zu bytes", header->length,
		      packet->chain->out_bytes);
	if (header->type == VSOCK_DATAGRAM)
		check_datagram(checker, packet);
	else if (header->type == VSOCK_STREAM)
		check_stream(checker, packet);
	else
		wrong(checker, "a packet of type %u", header->type);
}

/* What a CONNECT is answered with decides what the guest may do next. */
void checker_small(struct checker *checker, const struct tsi_small *small)
{
	struct known *control = names_find(&checker->names, small->header.dst_port, NAME_CONTROL);
	struct tsi_result result;

	memcpy(&result, small->body, sizeof(result));
	if (small->header.type == VSOCK_DATAGRAM && small->header.src_port == TSI_PORT_CONNECT &&
	    control && control->owner)
		control->owner->has_connected = !result.result;
}

void checker_outgoing(struct checker *checker, const struct vsock_header *header)
{
	struct known *known;

	checker->counters[COUNT_PACKETS_OUT]++;
	checker->counters[COUNT_BYTES_OUT] += header->length;
	if (header->type != VSOCK_STREAM) {
		checker->counters[COUNT_DATAGRAMS_OUT] += header->src_port < TSI_PORT_CREATE;
		return;
	}
	checker->counters[COUNT_RESETS_OUT] += header->op == VSOCK_RST;
	if (header->op == VSOCK_REQUEST) {
		known = names_learn(&checker->names, header->dst_port, header->src_port);
		*known = (struct known){.guest_port = header->dst_port,
					.host_port = header->src_port,
					.type = TSI_SOCKET_STREAM,
					.is_released = true}; /* until it is taken */
	}
	known = names_find(&checker->names, header->dst_port, header->src_port);
	if (known && header->op != VSOCK_RST) {
		known->host_alloc = header->buf_alloc;
		known->host_taken = header->fwd_cnt;
	}
}

static void check_left(struct checker *checker)
{
	struct known *known;

	while ((known = names_take(&checker->names))) {
		if (known->host_port != NAME_CONTROL && !known->is_released) {
			checker->counters[COUNT_LEFT]++;
			wrong(checker, "%u:%u was never released", known->guest_port,
			      known->host_port);
		}
		free(known);
	}
}

void checker_finish(struct checker *checker, const char *profile, FILE *out)
{
	check_left(checker);
	fprintf(out, "{\"profile\": \"%s\", \"violations\": %u, \"texts\": [", profile,
		checker->violations);
	for (unsigned i = 0; i < checker->text_count; i++)
		fprintf(out, "%s\"%s\"", i ? ", " : "", checker->texts[i]);
	fprintf(out, "], \"counters\": {");
	for (unsigned i = 0; i < COUNT__COUNT; i++)
		fprintf(out, "%s\"%s\": %lu", i ? ", " : "", counter_names[i],
			checker->counters[i]);
	fprintf(out, "}}\n");
	fflush(out);
}
