// SPDX-License-Identifier: Apache-2.0
// Open descriptors, /dev, and the files that init-oci may have written.
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "tests/probe/probe.h"

/* Every descriptor that is open; no directory is opened for it, which would be one more. */
void facts_descriptors(void)
{
	json_open("fds", '{');
	for (int fd = 0; fd < 4096; fd++) {
		char path[32], number_text[16], target[256];

		if (fcntl(fd, F_GETFD) < 0)
			continue;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		snprintf(number_text, sizeof(number_text), "%d", fd);
		ssize_t length = readlink(path, target, sizeof(target));

		json_bytes(number_text, length < 0 ? NULL : target,
			   length < 0 ? 0 : (size_t)length);
	}
	json_close('}');
}

static char type_letter(mode_t mode)
{
	static const char letters[] = "?pc?d?b?-?l?s???";

	return letters[(mode >> 12) & 15];
}

static void describe(const char *directory, const char *name)
{
	char path[512], target[256], type[2] = "?";
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	if (lstat(path, &st) < 0)
		return;
	type[0] = type_letter(st.st_mode);
	json_open(path, '{');
	json_text("type", type);
	json_number("mode", st.st_mode & 07777);
	json_number("uid", st.st_uid);
	json_number("gid", st.st_gid);
	json_number("major", major(st.st_rdev));
	json_number("minor", minor(st.st_rdev));
	if (S_ISLNK(st.st_mode)) {
		ssize_t length = readlink(path, target, sizeof(target));

		json_bytes("target", target, length < 0 ? 0 : (size_t)length);
	}
	json_close('}');
}

static void list(const char *directory)
{
	DIR *dir = opendir(*directory ? directory : "/");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			describe(directory, entry->d_name);
	}
	if (dir)
		closedir(dir);
}

void facts_devices(void)
{
	json_open("devices", '{');
	list("/dev");
	list("/dev/pts");
	json_close('}');
}

void facts_files(void)
{
	static const char *const paths[] = {"/etc/hosts", "/etc/hostname", "/etc/resolv.conf"};

	json_open("files", '{');
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		size_t length = 0;
		const char *text = file_text(paths[i], &length);

		json_bytes(paths[i], text, length);
	}
	json_close('}');
	json_open("roots", '{');
	list("");
	json_close('}');
}
