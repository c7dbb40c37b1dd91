// SPDX-License-Identifier: Apache-2.0
/*
 * Where config.json comes from, in the boot contract's order, and how it is made to go away.
 *
 * Must not: read from a root file system that is, or may be, an image's. A file is therefore only
 * ever taken from an initramfs, and no link on the way to it is followed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/fs.h>

#include <smk/contract.h>

#include "init/discover.h"
#include "init/sys.h"

#define CHUNK_BYTES 65536u

static int fail_too_large(const char *path, struct failure *f)
{
	return fail_err(f, 0, "read", path, "the configuration is larger than %u bytes",
			OCI_CONFIG_MAX_BYTES);
}

/* *ret is NULL when there is no such file and it was not asked for. */
static int read_file(const struct early *early, const char *path, bool is_asked_for, char **ret,
		     size_t *ret_length, struct failure *f)
{
	AUTO_FD fd = sys_open_resolve(early->boot_root_fd, path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW,
				      0, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);
	struct stat status;
	ssize_t length;
	char *bytes;

	if (fd < 0 && errno == ENOENT && !is_asked_for)
		return 0;
	if (fd < 0 || fstat(fd, &status))
		return fail_sys(f, "open", path);
	if (!S_ISREG(status.st_mode))
		return fail_err(f, 0, "open", path, "not a regular file");
	if (status.st_size > OCI_CONFIG_MAX_BYTES)
		return fail_too_large(path, f);
	bytes = malloc((size_t)status.st_size + 1);
	if (!bytes)
		return fail_sys(f, "malloc", path);
	length = sys_read_full(fd, bytes, (size_t)status.st_size);
	if (length < 0) {
		free(bytes);
		return fail_sys(f, "read", path);
	}
	*ret = bytes;
	*ret_length = (size_t)length;
	return 0;
}

/* Reads until the padding begins; what follows in the same chunk must be padding, too. */
static int read_padded(int fd, const char *path, char **ret, size_t *ret_length, struct failure *f)
{
	char *bytes = NULL;
	size_t length = 0;

	for (;;) {
		char *grown = length <= OCI_CONFIG_MAX_BYTES ? realloc(bytes, length + CHUNK_BYTES)
							     : NULL;
		ssize_t got = grown ? sys_read_full(fd, grown + length, CHUNK_BYTES) : -1;
		char *zero;

		bytes = grown ? grown : bytes;
		if (got < 0) {
			free(bytes);
			return length > OCI_CONFIG_MAX_BYTES ? fail_too_large(path, f)
							     : fail_sys(f, "read", path);
		}
		zero = memchr(bytes + length, '\0', (size_t)got);
		for (char *p = zero; p && p < bytes + length + got; p++) {
			if (!*p)
				continue;
			free(bytes);
			return fail_err(f, 0, "read", path,
					"the configuration is not text padded with zeros");
		}
		length = zero ? (size_t)(zero - bytes) : length + (size_t)got;
		if (zero || (size_t)got < CHUNK_BYTES)
			break;
	}
	*ret = bytes;
	*ret_length = length;
	return 0;
}

static int read_disk(const struct early *early, const char *name, struct discovered *ret,
		     struct failure *f)
{
	AUTO_FD fd = -1;

	if (machine_open(early, DEVICE_DISK, name, O_RDONLY, &fd, f) ||
	    read_padded(fd, name, &ret->config, &ret->config_length, f))
		return -1;
	strcpy(ret->config_disk, name);
	if (ret->config_length > 0)
		return 0;
	free(ret->config);
	ret->config = NULL;
	return fail_err(f, 0, "read", name, "the configuration disk is empty");
}

static int from_file(const struct bootargs *args, const struct machine *machine,
		     struct discovered *ret, struct failure *f)
{
	const char *path = SMK_PATH_CONFIG;
	bool is_asked_for = args->config != NULL;

	if (is_asked_for && strncmp(args->config, "file:", 5))
		return 0;
	if (is_asked_for)
		path = args->config + 5;
	if (!machine->early->is_initramfs)
		return is_asked_for
			       ? fail_config(f, SMK_KEY_CONFIG,
					     "file: needs an initramfs; the root file system may "
					     "be an image's")
			       : 0;
	if (strlen(path) >= sizeof(ret->config_path))
		return fail_err(f, ENAMETOOLONG, "open", path, "%s", "");
	if (read_file(machine->early, path, is_asked_for, &ret->config, &ret->config_length, f))
		return -1;
	if (ret->config)
		strcpy(ret->config_path, path);
	return 0;
}

static int from_disk(const struct bootargs *args, const struct machine *machine,
		     struct discovered *ret, struct failure *f)
{
	const struct device *device;
	char name[DEVICE_NAME_MAX];

	if (args->config) {
		if (machine_find_disk(machine, args->config + 5, SMK_KEY_CONFIG, name, f))
			return -1;
		return read_disk(machine->early, name, ret, f);
	}
	if (machine_find(machine, DEVICE_DISK, SMK_SERIAL_CONFIG, &device, f))
		return -1;
	return device ? read_disk(machine->early, device->name, ret, f) : 0;
}

int discover_config(const struct bootargs *args, const struct machine *machine,
		    struct discovered *ret, struct failure *f)
{
	static int (*const sources[])(const struct bootargs *, const struct machine *,
				      struct discovered *,
				      struct failure *) = {from_file, from_disk};

	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		if (sources[i](args, machine, ret, f))
			return -1;
		if (ret->config)
			return 0;
	}
	return fail_err(f, 0, "find configuration", "",
			"there is no " SMK_KEY_CONFIG "=, no " SMK_PATH_CONFIG
			" in an initramfs and no disk with serial " SMK_SERIAL_CONFIG);
}

/* An initramfs lives in memory: what is written over it is gone. */
static int forget_file(const struct early *early, const char *path, size_t length,
		       struct failure *f)
{
	static const char zeros[4096];
	AUTO_FD fd = sys_open_resolve(early->boot_root_fd, path, O_WRONLY | O_NOFOLLOW, 0,
				      RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);

	if (fd < 0)
		return fail_sys(f, "open", path);
	for (size_t done = 0; done < length; done += sizeof(zeros))
		if (sys_write_full(fd, zeros,
				   length - done < sizeof(zeros) ? length - done : sizeof(zeros)))
			return fail_sys(f, "write", path);
	return unlinkat(early->boot_root_fd, path + strspn(path, "/"), 0)
		       ? fail_sys(f, "unlink", path)
		       : 0;
}

/*
 * A disk cannot be unlinked, and a workload with CAP_MKNOD could make its node again: the driver lets
 * go of it, and the disk is no longer there. (A disk that is no virtio device stays.)
 */
static int forget_disk(const struct early *early, const char *name, struct failure *f)
{
	char path[DEVICE_NAME_MAX + 32] = "block/";
	char target[256];
	const char *device;
	ssize_t length;
	AUTO_FD fd = -1;

	strcat(strcat(path, name), "/device");
	length = readlinkat(early->sys_fd, path, target, sizeof(target) - 1);
	if (length < 0)
		return errno == ENOENT ? 0 : fail_sys(f, "readlink", path);
	target[length] = '\0';
	device = strrchr(target, '/') ? strrchr(target, '/') + 1 : target;
	fd = sys_open(early->sys_fd, strcat(path, "/driver/unbind"), O_WRONLY, 0);
	if (fd < 0 || sys_write_full(fd, device, strlen(device)))
		return fail_sys(f, "write", path);
	return 0;
}

int discover_forget(struct discovered *found, const struct early *early, struct failure *f)
{
	size_t length = found->config_length;

	explicit_bzero(found->config, length);
	free(found->config);
	found->config = NULL;
	found->config_length = 0;
	if (found->config_path[0])
		return forget_file(early, found->config_path, length, f);
	return found->config_disk[0] ? forget_disk(early, found->config_disk, f) : 0;
}
