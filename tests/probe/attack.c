// SPDX-License-Identifier: Apache-2.0
/*
 * Commands that try to get out of the container or at PID 1. Each prints "NAME ERRNO", 0 for an
 * attempt that worked.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/probe/probe.h"

static void say(const char *name, int result)
{
	printf("%s %d\n", name, result < 0 ? errno : 0);
}

static void try_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	say(path, fd);
	if (fd >= 0)
		close(fd);
}

/* PID 1's program, memory and descriptors. */
static int do_proc1(int argc, char *argv[])
{
	char target[256];

	(void)argc;
	(void)argv;
	try_open("/proc/1/exe", O_WRONLY);
	try_open("/proc/1/mem", O_RDWR);
	try_open("/proc/1/root", O_RDONLY);
	try_open("/proc/1/cwd", O_RDONLY);
	try_open("/proc/1/fd/2", O_RDONLY);
	try_open("/proc/1/environ", O_RDONLY);
	say("readlink", (int)readlink("/proc/1/exe", target, sizeof(target)));
	return 0;
}

static int do_trace1(int argc, char *argv[])
{
	(void)argc;
	(void)argv;
	say("ptrace", (int)ptrace(PTRACE_ATTACH, 1, NULL, NULL));
	return 0;
}

/* What ends or stops any other process. */
static int do_strike1(int argc, char *argv[])
{
	(void)argc;
	(void)argv;
	say("kill", kill(1, SIGKILL));
	say("stop", kill(1, SIGSTOP));
	sleep(1);
	return 3;
}

/* The old way out of a chroot; prints what the directory it reaches holds. */
static int do_escape(int argc, char *argv[])
{
	(void)argc;
	(void)argv;
	mkdir("/tmp-escape", 0700);
	if (chroot("/tmp-escape") < 0)
		return complain("chroot");
	for (int i = 0; i < 64; i++) {
		if (chdir("..") < 0)
			return complain("chdir");
	}
	if (chroot(".") < 0)
		return complain("chroot");
	printf("layer %d\n", access("/layer", F_OK) == 0);
	printf("init %d\n", access("/init", F_OK) == 0);
	printf("probe %d\n", access("/probe", F_OK) == 0);
	return 0;
}

static bool is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

/* What lies below the root: for who may unmount it, and join its mount namespace afresh. */
static int do_escape_below(int argc, char *argv[])
{
	int fd = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);

	(void)argc;
	(void)argv;
	if (fd < 0)
		return complain("open");
	(void)umount2("/", MNT_DETACH); /* refused when it is locked, and then nothing is below */
	if (setns(fd, CLONE_NEWNS) < 0)
		return complain("setns");
	if (chdir("/") < 0)
		return complain("chdir");
	printf("layer %d\n", is_there("/layer/000"));
	printf("upper %d\n", is_there("/upper/upper"));
	printf("container %d\n", is_there("/container"));
	printf("proc %d\n", is_there("/proc/1/status"));
	printf("boot root %d\n", is_there("/init"));
	return 0;
}

/* Typing into the terminal that one was given (CVE-2017-5226). */
static int do_tiocsti(int argc, char *argv[])
{
	(void)argc;
	(void)argv;
	say("tiocsti", ioctl(0, TIOCSTI, "x"));
	return 0;
}

const struct command attack_commands[] = {
	{"open-proc1", "", do_proc1},
	{"trace-proc1", "", do_trace1},
	{"open-proc1", "", do_proc1},
	{"strike-proc1", "", do_strike1},
	{"escape", "", do_escape},
	{"tiocsti", "", do_tiocsti},
	{"escape-below", "", do_escape_below},
	{NULL, NULL, NULL},
};
