// SPDX-License-Identifier: Apache-2.0
// Settings of the whole machine: names and network devices.
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if.h>

#include "init/apply.h"
#include "init/sys.h"

int step_hostname(struct apply_state *state, const struct step *step, struct failure *f)
{
	(void)state;
	return sethostname(step->src, strlen(step->src)) ? fail_sys(f, "sethostname", step->src)
							 : 0;
}

int step_domainname(struct apply_state *state, const struct step *step, struct failure *f)
{
	(void)state;
	return setdomainname(step->src, strlen(step->src)) ? fail_sys(f, "setdomainname", step->src)
							   : 0;
}

int step_loopback(struct apply_state *state, const struct step *step, struct failure *f)
{
	AUTO_FD fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};

	(void)state;
	(void)step;
	if (fd < 0)
		return fail_sys(f, "socket", "lo");
	return ioctl(fd, SIOCSIFFLAGS, &request) ? fail_sys(f, "set up", "lo") : 0;
}

/*
 * The machine's network is the container's, unless that joins another: then the device would have to
 * move, which is refused, for nothing may be left out silently.
 */
int step_net_device(struct apply_state *state, const struct step *step, struct failure *f)
{
	AUTO_FD fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {.ifr_flags = 0};

	(void)state;
	if (step->network)
		return fail_err(f, ENOSYS, "move device", step->src,
				"this version moves no device to another network namespace");
	if (fd < 0)
		return fail_sys(f, "socket", step->src);
	strncpy(request.ifr_name, step->src, sizeof(request.ifr_name) - 1);
	if (ioctl(fd, SIOCGIFINDEX, &request))
		return fail_sys(f, "find device", step->src);
	if (!strcmp(step->src, step->dst))
		return 0;
	strncpy(request.ifr_newname, step->dst, sizeof(request.ifr_newname) - 1);
	return ioctl(fd, SIOCSIFNAME, &request) ? fail_sys(f, "rename device", step->src) : 0;
}
