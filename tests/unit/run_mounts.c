// SPDX-License-Identifier: Apache-2.0
/* Mounts of a new runtime configuration, and its members of one value. */
#include "tests/unit/run_config.h"

/* "destination type option,option; ..." of all mounts. */
static void check_mounts(const char *image, const struct oci_overrides *over, const char *want)
{
	struct failure f = {0};
	json_t *root = convert(image, over, &f);
	json_t *mounts = json_object_get(root, "mounts"), *mount, *option;
	char got[4096] = "";
	size_t used = 0, i, j;

	CHECK_STR(f.why, "");
	json_array_foreach(mounts, i, mount)
	{
		used += (size_t)snprintf(got + used, sizeof(got) - used, "%s %s ",
					 json_string_value(json_object_get(mount, "destination")),
					 json_string_value(json_object_get(mount, "source")));
		json_array_foreach(json_object_get(mount, "options"), j, option) used +=
			(size_t)snprintf(got + used, sizeof(got) - used, "%s%s", j ? "," : "",
					 json_string_value(option));
		used += (size_t)snprintf(got + used, sizeof(got) - used, ";");
	}
	for (size_t at = 0; at < strlen(want) && at < used; at += 100) /* what is shown is cut */
		CHECK_STR(got + at, want + at);
	CHECK_STR(got, want);
	json_decref(root);
}

#define PROC   "/proc proc nosuid,noexec,nodev;"
#define DEV    "/dev tmpfs nosuid,noexec,strictatime,mode=755,size=65536k;"
#define SYS    "/sys sysfs nosuid,noexec,nodev,ro;"
#define PTS    "/dev/pts devpts nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5;"
#define MQUEUE "/dev/mqueue mqueue nosuid,noexec,nodev;"
#define SHM    "/dev/shm tmpfs nosuid,noexec,nodev,mode=1777,size=65536k;"
#define CGROUP "/sys/fs/cgroup cgroup nosuid,noexec,nodev,relatime,ro;"
#define TOP    PROC DEV SYS
#define BELOW  PTS MQUEUE SHM
#define ALL    TOP BELOW CGROUP
#define COPY   " tmpfs nosuid,nodev,tmpcopyup"
#define RUNS   "/run" COPY ",mode=755;"
#define TMP    "/tmp" COPY ",mode=1777;"
#define VARTMP "/var/tmp" COPY ",mode=1777;"

static void mounts(void)
{
	const struct oci_run_mount own[] = {
		{"/dev/shm", "tmpfs", "tmpfs", WORDS(W("size=1M"))},
		{"/v", "bind", "/h1", WORDS(W("bind"), W("ro"))},
		{"/v", "bind", "/h2", WORDS(W("rbind"))},
		{"/tmp", "tmpfs", "tmpfs", {NULL, 0}},
	};
	const struct oci_overrides none = {0}, read_only = {.read_only = true};
	const struct oci_overrides some = {.mounts = own, .mount_count = COUNT(own)};
	const struct oci_overrides both = {
		.read_only = true, .mounts = own, .mount_count = COUNT(own)};
	const struct oci_overrides fixed = {.fixed_root = true};
	static const char volumes[] = IMAGE(RUN ",\"Volumes\":{\"/v\":{},\"/w\":{},\"/tmp\":{}}");

	check_mounts(volumes, &none, ALL);
	check_mounts(volumes, &fixed, TOP "/v" COPY ";/w" COPY ";/tmp" COPY ";" BELOW CGROUP);
	check_mounts(IMAGE(RUN), &read_only, TOP RUNS TMP BELOW VARTMP CGROUP);
	check_mounts(volumes, &read_only,
		     TOP RUNS TMP "/v" COPY ";/w" COPY ";" BELOW VARTMP CGROUP);
	check_mounts(volumes, &some,
		     TOP "/v /h2 rbind;/tmp tmpfs ;" PTS MQUEUE "/dev/shm tmpfs size=1M;" CGROUP);
	check_mounts(volumes, &both,
		     TOP RUNS "/w" COPY ";/v /h2 rbind;/tmp tmpfs ;" PTS MQUEUE VARTMP
			      "/dev/shm tmpfs size=1M;" CGROUP);
}

/* A mount comes after those above it, whoever asks for them and in whatever order. */
static void order_of_mounts(void)
{
	const struct oci_run_mount own[] = {
		{"/a/b/c", "tmpfs", "1", {NULL, 0}}, {"/dev", "tmpfs", "2", {NULL, 0}},
		{"//a/", "tmpfs", "3", {NULL, 0}},   {"/a//b", "tmpfs", "4", {NULL, 0}},
		{"/x/y/", "tmpfs", "5", {NULL, 0}},
	};
	const struct oci_overrides over = {
		.read_only = true, .mounts = own, .mount_count = COUNT(own)};
	static const char volumes[] = IMAGE(
		RUN ",\"Volumes\":{\"/x\":{},\"/x/y\":{},\"/\":{},\"/a/b/c/d\":{},\"/run/\":{}}");

	check_mounts(volumes, &over,
		     PROC SYS RUNS TMP "/x" COPY ";/dev 2 ;//a/ 3 ;" BELOW VARTMP
				       "/a//b 4 ;/x/y/ 5 ;" CGROUP "/a/b/c 1 ;/a/b/c/d" COPY ";");
}

/* Their paths go to the guest, which makes the directories: those that nothing else is mounted on. */
static void volume_directories(void)
{
	const struct oci_run_mount own[] = {{"/v", "9p", "t", {NULL, 0}}};
	const struct oci_overrides none = {0}, read_only = {.read_only = true};
	const struct oci_overrides some = {.mounts = own, .mount_count = COUNT(own)};
	static const char volumes[] = IMAGE(RUN ",\"Volumes\":{\"/v/\":{},\"/w\":{},\"/\":{}}");

	check_one(volumes, &none, " annotations dev.supermachine.volume.000", "\"/v/\"");
	check_one(volumes, &none, " annotations dev.supermachine.volume.001", "\"/w\"");
	check_one(volumes, &none, " annotations dev.supermachine.volume.002", "(absent)");
	check_one(volumes, &read_only, " annotations dev.supermachine.volume.001", "\"/w\"");
	check_one(volumes, &some, " annotations dev.supermachine.volume.000", "\"/w\"");
	check_one(volumes, &some, " annotations dev.supermachine.volume.001", "(absent)");
}

static void the_rest(void)
{
	static const struct oci_pair sysctls[] = {{"net.a", "1"}, {"net.b", "2"}, {"net.a", "3"}};
	static const struct oci_overrides none;
	static const struct oci_overrides over = {.hostname = "h",
						  .read_only = true,
						  .terminal = true,
						  .unconfined = true,
						  .no_new_privileges = true,
						  .sysctls = sysctls,
						  .sysctl_count = COUNT(sysctls)};

	check_one(IMAGE(RUN), &none, " root", "{\"path\":\"rootfs\",\"readonly\":false}");
	check_one(IMAGE(RUN), &none, " hostname", "\"smk\"");
	check_one(IMAGE(RUN), &none, " process terminal", "false");
	check_one(IMAGE(RUN), &none, " process noNewPrivileges", "false");
	check_one(IMAGE(RUN), &none, " process user", "{\"uid\":0,\"gid\":0,\"umask\":18}");
	check_one(IMAGE(RUN), &none, " linux sysctl", "{}");
	check_one(IMAGE(RUN), &none, " linux resources", "{\"pids\":{\"limit\":2048}}");
	check_one(
		IMAGE(RUN), &none, " linux namespaces",
		"[{\"type\":\"pid\"},{\"type\":\"ipc\"},{\"type\":\"uts\"},{\"type\":\"mount\"}]");
	check_one(IMAGE(RUN), &none, " linux maskedPaths 0", "\"/proc/acpi\"");
	check_one(IMAGE(RUN), &none, " linux readonlyPaths 4", "\"/proc/sys\"");
	check_one(IMAGE(RUN), &none, " linux seccomp defaultErrnoRet", "38");
	check_one(IMAGE(RUN), &over, " root readonly", "true");
	check_one(IMAGE(RUN), &over, " hostname", "\"h\"");
	check_one(IMAGE(RUN), &over, " process terminal", "true");
	check_one(IMAGE(RUN), &over, " process noNewPrivileges", "true");
	check_one(IMAGE(RUN), &over, " linux sysctl", "{\"net.b\":\"2\",\"net.a\":\"3\"}");
	check_one(IMAGE(RUN), &over, " linux seccomp", "(absent)");
}

static const struct t_case cases[] = {
	{"mounts", mounts},
	{"order of mounts", order_of_mounts},
	{"volume directories", volume_directories},
	{"the rest", the_rest},
};
T_MAIN("run_mounts", cases)
