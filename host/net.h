// SPDX-License-Identifier: Apache-2.0
/*
 * The guest's network: TSI, where the guest has no network card and a process of smk's opens its
 * sockets (docs/tsi.md), or a virtio-net card on QEMU's own user-mode stack, or none.
 *
 * TSI's process is a child, not a part of the session's loop: what reads the guest's rings has none
 * of smk's descriptors, no right to open a file or to start a program, and cannot hold up the
 * streams; when it breaks, the run goes on without a network.
 */
#ifndef HOST_NET_H
#define HOST_NET_H

#include <smk/contract.h>

#include "host.h"
#include "host/tsi/tsi.h"

enum net_kind {
	NET_NONE,
	NET_TSI,
	NET_USER,
	NET__COUNT,
};

/* Without --net. */
#define NET_DEFAULT NET_TSI

#define NET_CONTROL_PORT 5000 /* of vsock */

struct net_options {
	enum net_kind kind;
	bool is_given;
	bool allows_loopback;
	bool allows_link_local;
	bool has_control; /* the control channel goes over vsock, too */
	struct tsi_publish publishes[TSI_PUBLISHES_MAX]; /* not bound yet */
	const char *texts[TSI_PUBLISHES_MAX];            /* as they were given */
	size_t publish_count;
	const char *dns[SMK_DNS_MAX];
	size_t dns_count;
};

/* A network that runs, as far as QEMU and smk have to know. */
struct net {
	int qemu_fd; /* QEMU's end of vhost-user; -1: none */
	pid_t pid;   /* of TSI's process; -1: none */
};
#define NET_STOPPED ((struct net){.qemu_fd = -1, .pid = -1})

/* Whether an option says that there is a network: it is not only the default. */
bool net_is_asked(const struct net_options *options);
/* Whether the options fit each other. */
int net_check(const struct net_options *options, struct failure *f) FAIL_MUST_CHECK;
/* A name server's address; one of IPv6's link scope has its interface behind it: fe80::1%eth0. */
bool net_parse_server(const char *text, struct sockaddr_storage *ret);
/*
 * Takes the published ports and starts TSI's process; `ret` is to be stopped. The guest's end of the
 * control channel is that process's when it is to go over vsock: then it is closed here, and -1.
 */
int net_start(struct net_options *options, int *control_fd, struct net *ret,
	      struct failure *f) FAIL_MUST_CHECK;
/* After QEMU's end: what the guest has sent still goes out, for some seconds at most. */
void net_stop(struct net *net);

/* In TSI's process: no right is left that a user's process has not, and few of those. */
int net_drop_rights(void);

/*
 * What QEMU and the guest's kernel are told; options: NULL is no network; fd: QEMU's end of
 * vhost-user, or -1.
 */
void net_add_argv(const struct net_options *options, int fd, struct strings *argv);
/* Adds to the words of the kernel's command line; those of the user's own (--append) come after. */
void net_add_words(const struct net_options *options, int fd, const struct strings *own,
		   struct strings *words);
/* Adds the name servers that the guest may reach, and the search list, as the boot contract says them. */
void net_add_dns(const struct net_options *options, bool with_servers, bool with_domains,
		 struct strings *words);

#endif
