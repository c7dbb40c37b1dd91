// SPDX-License-Identifier: Apache-2.0
// Ids, capability sets, signal masks and limits.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/probe/probe.h"

static void three(const char *key, uint32_t real, uint32_t effective, uint32_t saved)
{
	json_open(key, '[');
	json_number(NULL, real);
	json_number(NULL, effective);
	json_number(NULL, saved);
	json_close(']');
}

/* Members of /proc/self/status that are facts as they stand. */
static const struct {
	const char *line;
	const char *key;
} status_lines[] = {
	{"CapInh:", "capInheritable"}, {"CapPrm:", "capPermitted"},
	{"CapEff:", "capEffective"},   {"CapBnd:", "capBounding"},
	{"CapAmb:", "capAmbient"},     {"NoNewPrivs:", "noNewPrivs"},
	{"Seccomp:", "seccomp"},       {"Seccomp_filters:", "seccompFilters"},
	{"SigBlk:", "sigBlocked"},     {"SigIgn:", "sigIgnored"},
	{"SigCgt:", "sigCaught"},      {"SigPnd:", "sigPending"},
	{"FDSize:", "fdSize"},
};

static void status(void)
{
	const char *text = file_text("/proc/self/status", NULL);

	for (size_t i = 0; text && i < sizeof(status_lines) / sizeof(status_lines[0]); i++) {
		const char *at = strstr(text, status_lines[i].line);
		char value[64];

		if (at && sscanf(at + strlen(status_lines[i].line), " %63s", value) == 1)
			json_text(status_lines[i].key, value);
	}
}

void facts_ids(void)
{
	uid_t uid[3];
	gid_t gid[3], groups[65536 / 16];

	getresuid(&uid[0], &uid[1], &uid[2]);
	getresgid(&gid[0], &gid[1], &gid[2]);
	three("uid", uid[0], uid[1], uid[2]);
	three("gid", gid[0], gid[1], gid[2]);

	int count = getgroups(sizeof(groups) / sizeof(groups[0]), groups);

	json_open("groups", '[');
	for (int i = 0; i < count; i++)
		json_number(NULL, groups[i]);
	json_close(']');
	json_signed("pid", getpid());
	json_signed("ppid", getppid());
	json_signed("pgid", getpgid(0));
	json_signed("sid", getsid(0));

	mode_t mask = umask(0);

	umask(mask);
	json_number("umask", mask);
	status();
}

static const char *const limit_names[] = {
	[RLIMIT_CPU] = "CPU",           [RLIMIT_FSIZE] = "FSIZE",
	[RLIMIT_DATA] = "DATA",         [RLIMIT_STACK] = "STACK",
	[RLIMIT_CORE] = "CORE",         [RLIMIT_RSS] = "RSS",
	[RLIMIT_NPROC] = "NPROC",       [RLIMIT_NOFILE] = "NOFILE",
	[RLIMIT_MEMLOCK] = "MEMLOCK",   [RLIMIT_AS] = "AS",
	[RLIMIT_LOCKS] = "LOCKS",       [RLIMIT_SIGPENDING] = "SIGPENDING",
	[RLIMIT_MSGQUEUE] = "MSGQUEUE", [RLIMIT_NICE] = "NICE",
	[RLIMIT_RTPRIO] = "RTPRIO",     [RLIMIT_RTTIME] = "RTTIME",
};

void facts_limits(void)
{
	const char *oom = file_text("/proc/self/oom_score_adj", NULL);

	json_signed("oomScoreAdj", oom ? atoi(oom) : -9999);
	json_open("rlimits", '{');
	for (int i = 0; i < (int)(sizeof(limit_names) / sizeof(limit_names[0])); i++) {
		struct rlimit limit;

		if (getrlimit(i, &limit) < 0)
			continue;
		json_open(limit_names[i], '[');
		json_number(NULL, limit.rlim_cur);
		json_number(NULL, limit.rlim_max);
		json_close(']');
	}
	json_close('}');
}
