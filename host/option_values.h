// SPDX-License-Identifier: Apache-2.0
/* The setters behind the rows of options.c: each checks one value and stores it. */
#ifndef HOST_OPTION_VALUES_H
#define HOST_OPTION_VALUES_H

#include "host.h"

typedef int option_setter(struct run_options *o, const char *value, struct failure *f);

option_setter set_memory, set_cpus, set_kernel, set_init, set_append, set_upper, set_env,
	set_env_file, set_init_timeout, set_verity, set_vmm, set_accel, set_timeout, set_timing,
	set_console, set_print_vmm, set_keep, set_rm, set_interactive, set_net, set_publish,
	set_dns;

/* What --env says comes after what files say, whatever their order. */
void env_merge(struct run_options *o);

#endif
