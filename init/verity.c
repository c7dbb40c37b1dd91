// SPDX-License-Identifier: Apache-2.0
/*
 * dm-verity over a layer's disk: every block that is read from then on is checked against the root
 * hash of the configuration, by the kernel. The hash tree stands behind the data, after one block.
 *
 * The device mapper is told by ioctls on its control device, with a header and after it the table
 * (include/uapi/linux/dm-ioctl.h).
 */
#include <errno.h>
#include <linux/dm-ioctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "init/sys.h"
#include "init/verity.h"

#define CONTROL           "/dev/mapper/control"
#define SECTORS_PER_BLOCK 8

struct dm_request {
	struct dm_ioctl header;
	struct dm_target_spec target;
	char parameters[512];
};

static void prepare(struct dm_request *request, const char *name, uint32_t flags)
{
	memset(request, 0, sizeof(*request));
	request->header.version[0] = DM_VERSION_MAJOR;
	request->header.data_size = sizeof(*request);
	request->header.data_start = offsetof(struct dm_request, target);
	request->header.flags = flags;
	snprintf(request->header.name, sizeof(request->header.name), "%s", name);
}

static int create(int fd, const char *name, uint64_t *ret_device, struct failure *f)
{
	struct dm_request request;

	prepare(&request, name, DM_READONLY_FLAG);
	if (ioctl(fd, DM_DEV_CREATE, &request) < 0)
		return fail_sys(f, "ioctl(DM_DEV_CREATE)", name);
	*ret_device = request.header.dev;
	return 0;
}

static int load(int fd, const char *name, dev_t disk, const struct step *step, struct failure *f)
{
	struct dm_request request;

	prepare(&request, name, DM_READONLY_FLAG);
	request.header.target_count = 1;
	request.target.length = step->verity_blocks * SECTORS_PER_BLOCK;
	strcpy(request.target.target_type, "verity");
	snprintf(request.parameters, sizeof(request.parameters),
		 "1 %u:%u %u:%u 4096 4096 %llu %llu sha256 %s -", major(disk), minor(disk),
		 major(disk), minor(disk), (unsigned long long)step->verity_blocks,
		 (unsigned long long)step->verity_blocks + 1, step->verity_root);
	if (ioctl(fd, DM_TABLE_LOAD, &request) < 0)
		return errno == E2BIG ? fail_err(f, 0, "dm-verity", NULL, "the disk is cut off")
				      : fail_sys(f, "ioctl(DM_TABLE_LOAD)", name);
	prepare(&request, name, 0);
	if (ioctl(fd, DM_DEV_SUSPEND, &request) < 0)
		return fail_sys(f, "ioctl(DM_DEV_SUSPEND)", name);
	return 0;
}

static const char *device_name(const struct step *step)
{
	return strrchr(step->dst, '/') + 1;
}

int verity_open(const struct step *step, const char *disk, char device[static VERITY_DEVICE_MAX],
		struct failure *f)
{
	AUTO_FD fd = sys_open(AT_FDCWD, CONTROL, O_RDWR, 0);
	const char *name = device_name(step);
	struct stat st;
	uint64_t number = 0;

	if (fd < 0)
		return fail_sys(f, "open", CONTROL);
	if (stat(disk, &st))
		return fail_sys(f, "stat", disk);
	if (create(fd, name, &number, f) || load(fd, name, st.st_rdev, step, f))
		return -1;
	/* The minor's low byte, the major's 12 bits, the rest of the minor: the kernel's packing. */
	snprintf(device, VERITY_DEVICE_MAX, "/dev/dm-%u",
		 (unsigned)((number & 0xff) | (number >> 12 & 0xfff00)));
	return 0;
}

/* The status is one letter: V of valid, C of corrupted, which it stays. */
static int check(int fd, const struct step *step, struct failure *f)
{
	struct dm_request request;

	prepare(&request, device_name(step), 0);
	if (ioctl(fd, DM_TABLE_STATUS, &request) < 0) /* ENXIO: it did not come to that layer */
		return errno == ENXIO ? 0 : fail_sys(f, "ioctl(DM_TABLE_STATUS)", NULL);
	return request.parameters[0] == 'C'
		       ? fail_err(f, 0, "dm-verity", NULL, "the layer is damaged")
		       : 0;
}

int verity_check(const struct plan *plan, struct failure *f)
{
	AUTO_FD fd = -1;

	for (size_t i = 0; i < plan->count; i++) {
		const struct step *step = &plan->steps[i];

		if (!step->verity_blocks)
			continue;
		if (fd < 0)
			fd = sys_open(AT_FDCWD, CONTROL, O_RDWR, 0);
		if (fd < 0)
			return fail_sys(f, "open", CONTROL);
		if (check(fd, step, f))
			return fail_at(f, STAGE_SUPERVISE, step->field);
	}
	return 0;
}
