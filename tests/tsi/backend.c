// SPDX-License-Identifier: Apache-2.0
/*
 * backend [--profile NAME] [--publish [IP:]HOST:GUEST] [--service PORT:TCPPORT] [--seed N]
 * [--refuse-listen ERRNO] SOCKET
 *
 * The tests' host of TSI: smk's own code behind a unix socket, in the manner of a VMM that exists, or
 * of one that misbehaves. It serves one QEMU, and at its end prints one line of JSON: what the guest
 * did wrong on the wire (tests/tsi/checker.h), and how much it did. Exit code 1: something was wrong.
 *
 * A service is a port of vsock that leads to a TCP port of the loopback address, for one connection.
 *
 *   smk     as smk run does it
 *   v1.17   packets of two descriptors at most, credit each 4 MiB, padded answers, the peer's end is
 *           a reset, every late failure is ECONNREFUSED, a name is free 5 s after its release
 *   v1.19   any packet, credit at half of the guest's buffer, a reset confirms a close
 *   mac     as v1.17, with errno as macOS has them and its O_NONBLOCK; tells the time
 *   deny    EPERM for listening, EACCES for everything else
 *   mute    takes everything, answers nothing
 *   busy    as v1.17, but the second and the third LISTEN find the port taken
 *   fuzz    answers that are lost, doubled, cut, too long, changed, or were never asked for
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>

#include "tests/tsi/checker.h"

#define TRAITS_1_17                                                                           \
	.buf_alloc = 8u << 20, .queued_max = 1u << 30, .credit_bytes = 4u << 20,              \
	.descriptors_max = 2, .linger_ms = 5000, .pads_replies = true, .resets_at_end = true, \
	.refuses_all = true, .swaps_cids = true, .asks_credit = true

struct profile {
	const char *name;
	const struct tsi_traits *traits;
	int refusal;
	int listen_refusal;
	bool is_mac;
	bool is_mute;
	bool is_busy;
	bool is_fuzz;
};

static const struct tsi_traits traits_1_17 = {TRAITS_1_17, .nonblock_flags = TSI_NONBLOCK};
static const struct tsi_traits traits_mac = {TRAITS_1_17, .nonblock_flags = 0x4};
static const struct tsi_traits traits_1_19 = {
	.buf_alloc = 8u << 20,
	.queued_max = 1u << 30,
	.descriptors_max = CHAIN_MAX,
	.linger_ms = 5000,
	.nonblock_flags = TSI_NONBLOCK,
	.pads_replies = true,
	.resets_at_end = true,
	.refuses_all = true,
	.confirms_close = true,
	.swaps_cids = true,
	.asks_credit = true,
};

static const struct profile profiles[] = {
	{"smk", .traits = &tsi_traits_smk},
	{"v1.17", .traits = &traits_1_17},
	{"v1.19", .traits = &traits_1_19},
	{"mac", .traits = &traits_mac, .is_mac = true},
	{"deny", .traits = &traits_1_17, .refusal = EACCES, .listen_refusal = EPERM},
	{"mute", .traits = &traits_1_17, .is_mute = true},
	{"busy", .traits = &traits_1_17, .is_busy = true},
	{"fuzz", .traits = &traits_1_17, .is_fuzz = true},
};

struct host {
	const struct profile *profile;
	struct checker checker;
	uint64_t random;
	unsigned listens;
	bool is_inside; /* of a packet that fuzzing has made */
};

static uint32_t draw(struct host *host)
{
	host->random = host->random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(host->random >> 33);
}

/* ---- mac ---------------------------------------------------------------------------------------
 */

/* Results that such a host passes on as it has them. */
static void make_mac(struct tsi_small *small)
{
	struct tsi_result result;

	memcpy(&result, small->body, sizeof(result));
	if (small->header.src_port == TSI_PORT_CONNECT && result.result == -ECONNREFUSED)
		result.result = -61;
	else if (small->header.src_port == TSI_PORT_ACCEPT && result.result == -EAGAIN)
		result.result = -35;
	memcpy(small->body, &result, sizeof(result));
}

static void tell_time(struct muxer *muxer)
{
	const struct vsock_header header = {
		.src_cid = VSOCK_CID_HOST,
		.dst_cid = VSOCK_CID_GUEST,
		.src_port = TSI_PORT_TIME,
		.dst_port = TSI_PORT_TIME,
		.type = VSOCK_DATAGRAM,
		.op = VSOCK_RW,
	};
	struct timespec now;
	uint64_t nanoseconds;

	clock_gettime(CLOCK_REALTIME, &now);
	nanoseconds = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	muxer_post(muxer, &header, &nanoseconds, sizeof(nanoseconds));
}

/* ---- fuzz --------------------------------------------------------------------------------------
 */

static void post_nonsense(struct host *host, struct muxer *muxer, const struct tsi_small *like)
{
	struct tsi_small small = *like;

	host->is_inside = true;
	small.header.src_port = TSI_PORT_CREATE + draw(host) % 10;
	if (draw(host) % 2) {
		small.header.type = VSOCK_STREAM;
		small.header.src_port = TSI_PORT_STREAM;
		small.header.op = (uint16_t)(draw(host) % (VSOCK_OP__COUNT + 1));
		small.header.buf_alloc = draw(host);
		small.header.fwd_cnt = draw(host);
	}
	if (draw(host) % 4 == 0)
		small.header.dst_port = draw(host);
	muxer_post(muxer, &small.header, small.body, draw(host) % sizeof(small.body));
	host->is_inside = false;
}

/* One change, or none; false: the answer is lost. */
static bool make_fuzz(struct host *host, struct muxer *muxer, struct tsi_small *small)
{
	uint32_t value = draw(host);

	switch (draw(host) % 12) {
	case 0:
		return false;
	case 1:
		host->is_inside = true;
		muxer_post(muxer, &small->header, small->body, small->header.length);
		host->is_inside = false;
		return true;
	case 2:
		small->header.length = value % 8;
		return true;
	case 3:
		small->header.length = value;
		return true;
	case 4:
		memcpy(small->body, &value, sizeof(value));
		return true;
	case 5:
		small->body[value % sizeof(small->body)] ^= (uint8_t)(value >> 8);
		return true;
	case 6:
		small->header.src_port = TSI_PORT_CREATE + value % 9;
		return true;
	case 7:
		small->header.type = (uint16_t)(value % 5);
		return true;
	case 8:
		small->header.op = (uint16_t)(value % 10);
		return true;
	case 9:
		post_nonsense(host, muxer, small);
		return true;
	default:
		return true;
	}
}

/* ---- busy --------------------------------------------------------------------------------------
 */

static bool refuse_listen(struct host *host, struct muxer *muxer, const struct packet *packet)
{
	if (packet->header.type != VSOCK_DATAGRAM || packet->header.dst_port != TSI_PORT_LISTEN)
		return false;
	host->listens++;
	if (host->listens != 2 && host->listens != 3)
		return false;
	control_result(muxer, TSI_PORT_LISTEN, packet->header.src_port, -EADDRINUSE);
	return true;
}

/* ---- the probe --------------------------------------------------------------------------------- */

static bool on_incoming(void *context, struct muxer *muxer, const struct packet *packet)
{
	struct host *host = context;

	checker_incoming(&host->checker, packet);
	if (host->profile->is_mac && packet->header.dst_port == TSI_PORT_CREATE)
		tell_time(muxer);
	if (host->profile->is_busy && refuse_listen(host, muxer, packet))
		return false;
	return !host->profile->is_mute;
}

static bool on_small(void *context, struct muxer *muxer, struct tsi_small *small)
{
	struct host *host = context;

	if (host->profile->is_mac && small->header.type == VSOCK_DATAGRAM)
		make_mac(small);
	if (host->profile->is_fuzz && !host->is_inside && !make_fuzz(host, muxer, small))
		return false;
	checker_small(&host->checker, small);
	return true;
}

static void on_outgoing(void *context, const struct vsock_header *header)
{
	struct host *host = context;

	checker_outgoing(&host->checker, header);
}

/* ---- main -------------------------------------------------------------------------------------- */

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "backend: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* [IP:]HOST:GUEST, on the loopback address without an IP. */
static struct tsi_publish publish(const char *text)
{
	struct tsi_publish ret = {.length = sizeof(struct sockaddr_in)};
	struct sockaddr_in *inet = (void *)&ret.address;
	char ip[16] = "127.0.0.1";
	unsigned host;
	unsigned guest;
	int one = 1;

	if (sscanf(text, "%15[0-9.]:%u:%u", ip, &host, &guest) != 3 &&
	    sscanf(text, "%u:%u", &host, &guest) != 2) {
		errno = EINVAL;
		die(text);
	}
	if (!strchr(ip, '.'))
		strcpy(ip, "127.0.0.1");
	inet->sin_family = AF_INET;
	inet->sin_port = htons((uint16_t)host);
	inet_pton(AF_INET, ip, &inet->sin_addr);
	ret.guest_port = (uint16_t)guest;
	ret.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (setsockopt(ret.fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) ||
	    bind(ret.fd, (struct sockaddr *)&ret.address, ret.length))
		die(text);
	return ret;
}

/* PORT:TCPPORT. */
static struct tsi_service service(const char *text)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	struct tsi_service ret;
	unsigned port;

	if (sscanf(text, "%u:%u", &ret.port, &port) != 2) {
		errno = EINVAL;
		die(text);
	}
	address.sin_port = htons((uint16_t)port);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ret.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(ret.fd, (struct sockaddr *)&address, sizeof(address)) ||
	    fcntl(ret.fd, F_SETFL, O_NONBLOCK))
		die(text);
	return ret;
}

static int accept_one(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int connected;

	if (strlen(path) >= sizeof(address.sun_path))
		die(path);
	strcpy(address.sun_path, path);
	unlink(path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 1))
		die(path);
	printf("listening\n");
	fflush(stdout);
	connected = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	if (connected < 0)
		die(path);
	close(fd);
	return connected;
}

static const struct profile *find_profile(const char *name)
{
	for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++)
		if (!strcmp(profiles[i].name, name))
			return &profiles[i];
	errno = EINVAL;
	die(name);
}

int main(int argc, char **argv)
{
	static struct host host = {.profile = &profiles[0], .random = 1};
	const struct tsi_probe probe = {&host, on_incoming, on_small, on_outgoing};
	struct tsi_publish publishes[TSI_PUBLISHES_MAX];
	struct tsi_service services[TSI_SERVICES_MAX];
	int listen_refusal = 0;
	struct tsi_setup setup = {.publishes = publishes, .services = services, .probe = &probe};
	int i;

	signal(SIGPIPE, SIG_IGN);
	for (i = 1; i + 2 < argc; i += 2) {
		if (!strcmp(argv[i], "--profile"))
			host.profile = find_profile(argv[i + 1]);
		else if (!strcmp(argv[i], "--publish") && setup.publish_count < TSI_PUBLISHES_MAX)
			publishes[setup.publish_count++] = publish(argv[i + 1]);
		else if (!strcmp(argv[i], "--service") && setup.service_count < TSI_SERVICES_MAX)
			services[setup.service_count++] = service(argv[i + 1]);
		else if (!strcmp(argv[i], "--seed"))
			host.random = strtoull(argv[i + 1], NULL, 0);
		else if (!strcmp(argv[i], "--refuse-listen"))
			listen_refusal = atoi(argv[i + 1]);
		else
			break;
	}
	if (i != argc - 1) {
		fprintf(stderr,
			"usage: backend [--profile NAME] [--publish [IP:]HOST:GUEST] "
			"[--service PORT:TCPPORT] [--seed N] [--refuse-listen ERRNO] SOCKET\n");
		return 2;
	}
	setup.traits = host.profile->traits;
	setup.policy = (struct tsi_policy){
		.allows_loopback = true,
		.allows_link_local = true,
		.publishes_all = true,
		.refusal = host.profile->refusal,
		.listen_refusal = listen_refusal ? listen_refusal : host.profile->listen_refusal,
	};
	if (tsi_serve(&setup, accept_one(argv[i])))
		host.checker.violations++;
	checker_finish(&host.checker, host.profile->name, stdout);
	return host.checker.violations ? 1 : 0;
}
