// SPDX-License-Identifier: Apache-2.0
/* What QEMU and the guest's kernel are told of the network. */
#include "net.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

#include <smk/contract.h>

/* The addresses of QEMU's user-mode network; the kernel sets its card up without DHCP. */
#define USER_WORDS "ip=10.0.2.15::10.0.2.2:255.255.255.0::eth0:off:10.0.2.3"

#define TSI_WORD          "tsi_hijack"
#define TEXT(number)      #number
#define CONTROL_KEY(port) SMK_KEY_CONTROL "=vsock:" TEXT(port)
#define CONTROL_WORD      CONTROL_KEY(NET_CONTROL_PORT)

static void add_forwards(const struct net_options *options, struct strings *argv)
{
	char *netdev = must_copy("user,id=net");

	for (size_t i = 0; i < options->publish_count; i++) {
		const struct tsi_publish *publish = &options->publishes[i];
		const struct sockaddr_in *inet = (const void *)&publish->address;
		AUTO_FREE char *shorter = netdev;
		char address[INET_ADDRSTRLEN];

		inet_ntop(AF_INET, &inet->sin_addr, address, sizeof(address));
		netdev = must_format("%s,hostfwd=tcp:%s:%u-:%u", shorter, address,
				     ntohs(inet->sin_port), publish->guest_port);
	}
	strings_add(argv, "-netdev");
	strings_add(argv, "%s", netdev);
	free(netdev);
}

void net_add_argv(const struct net_options *options, int fd, struct strings *argv)
{
	if (!options)
		return;
	if (options->kind == NET_USER) {
		add_forwards(options, argv);
		strings_add(argv, "-device");
		strings_add(argv, "virtio-net-device,netdev=net");
	} else if (options->kind == NET_TSI && fd >= 0) {
		strings_add(argv, "-chardev");
		strings_add(argv, "socket,id=tsi,fd=%d", fd);
		strings_add(argv, "-device");
		strings_add(argv, "vhost-user-vsock-device,chardev=tsi");
	}
}

/* Whether a word begins with that; one --append may have several. */
static bool has_key(const struct strings *own, const char *key)
{
	for (size_t i = 0; i < own->count; i++) {
		const char *at = own->items[i];

		while ((at = strstr(at, key)) && at != own->items[i] && at[-1] != ' ')
			at++;
		if (at)
			return true;
	}
	return false;
}

void net_add_words(const struct net_options *options, int fd, const struct strings *own,
		   struct strings *words)
{
	if (!options || options->kind == NET_NONE || (options->kind == NET_TSI && fd < 0))
		return;
	strings_add(words, "%s", options->kind == NET_USER ? USER_WORDS : TSI_WORD);
	if (options->has_control)
		strings_add(words, "%s", CONTROL_WORD);
	net_add_dns(options, !has_key(own, SMK_KEY_DNS "="), !has_key(own, SMK_KEY_SEARCH "="),
		    words);
}
