// SPDX-License-Identifier: Apache-2.0
/*
 * Calls each of the three static libraries once; tests/scripts/third-party.sh compares the line.
 * That musl and not glibc is behind them shows in __GLIBC__, which the kernel's header search must
 * not bring.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/vm_sockets.h>

#include <jansson.h>
#include <seccomp.h>
#include <sys/capability.h>

#ifdef __GLIBC__
#define LIBC "glibc"
#else
#define LIBC "musl"
#endif

int main(void)
{
	json_t *value = json_loads("[1, 18]", 0, NULL);
	char *text = json_dumps(value, JSON_COMPACT);
	cap_value_t cap = -1;
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	if (!text || cap_from_name("cap_net_admin", &cap) != 0 || !filter)
		return 1;
	printf("json %s depth %d, cap %d, seccomp %d, %s\n", text, JSON_PARSER_MAX_DEPTH, (int)cap,
	       seccomp_rule_add(filter, SCMP_ACT_ERRNO(1), SCMP_SYS(ptrace), 0), LIBC);
	seccomp_release(filter);
	json_decref(value);
	free(text);
	return 0;
}
