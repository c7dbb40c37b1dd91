// SPDX-License-Identifier: Apache-2.0
// Settings of the whole machine: names and the loopback device.
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
