// SPDX-License-Identifier: Apache-2.0
/*
 * launch DIR [FD]: starts DIR/init as PID 1 of new namespaces, in about a millisecond; with FD, a
 * socket, it first sends a byte, and waits for one.
 *
 * DIR/initramfs/{init,config.json} are copied into a tmpfs, which becomes the root; DIR/block stands
 * for /sys/block and DIR/cmdline for /proc/cmdline, and, when it is set, the file NS_PROFILE for
 * /proc/version (see tests/coverage/profile.c). Other descriptors than 0, 1 and 2 are passed on.
 * Ends with 0 when PID 1 switched its namespace off, else with 1.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAMESPACES \
	(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP)

static void need(long result, const char *what)
{
	if (result >= 0)
		return;
	perror(what);
	_exit(99);
}

static void copy(const char *from, const char *to, mode_t mode)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (in < 0)
		return; /* a case without a configuration */
	int out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, mode);

	need(out, to);
	need(fstat(in, &st), from);
	for (off_t at = 0; at < st.st_size;) /* a tracer's attaching cuts it short */
		need(sendfile(out, in, &at, (size_t)(st.st_size - at)), "sendfile");
	close(in);
	close(out);
}

static void make_root(void)
{
	const char *profile = getenv("NS_PROFILE");

	need(mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL), "private");
	need(mount("root", "root", "tmpfs", 0, "mode=755"), "tmpfs");
	copy("initramfs/init", "root/init", 0755);
	copy("initramfs/config.json", "root/config.json", 0644);
	need(mkdir("root/proc", 0755), "mkdir");
	need(mkdir("root/sys", 0755), "mkdir");
	need(mkdir("root/dev", 0755), "mkdir");
	need(mkdir("root/old", 0755), "mkdir");
	need(mount("dev", "root/dev", "tmpfs", 0, "mode=755"), "dev");
	need(mount("proc", "root/proc", "proc", 0, NULL), "proc");
	need(mount("sysfs", "root/sys", "sysfs", 0, NULL), "sysfs");
	need(mount("block", "root/sys/block", NULL, MS_BIND, NULL), "block");
	/* A kernel gives a user namespace a procfs only when it sees one in which nothing is mounted. */
	need(mkdir("root/full-proc", 0755), "mkdir");
	need(mount("proc", "root/full-proc", "proc", 0, NULL), "full-proc");
	need(mount("cmdline", "root/proc/cmdline", NULL, MS_BIND, NULL), "cmdline");
	if (profile)
		need(mount(profile, "root/proc/version", NULL, MS_BIND, NULL), profile);
	need(syscall(SYS_pivot_root, "root", "root/old"), "pivot_root");
	need(chdir("/"), "chdir");
	need(umount2("/old", MNT_DETACH), "umount");
	need(rmdir("/old"), "rmdir");
}

static void wait_for_byte(int fd)
{
	char byte;

	need(send(fd, "r", 1, 0), "send");
	need(recv(fd, &byte, 1, 0), "recv");
	close(fd);
}

int main(int argc, char *argv[])
{
	static char name[] = "/init";
	static char *const args[] = {name, NULL};
	int status;

	if (argc < 2)
		return 2;
	need(prctl(PR_SET_PDEATHSIG, SIGKILL), "prctl");
	need(chdir(argv[1]), argv[1]);
	need(unshare(NAMESPACES), "unshare");
	pid_t pid = fork();

	need(pid, "fork");
	if (pid == 0) {
		need(prctl(PR_SET_PDEATHSIG, SIGKILL), "prctl");
		make_root();
		if (argc > 2)
			wait_for_byte(atoi(argv[2]));
		execve(name, args, args + 1);
		need(-1, "execve");
	}
	for (int fd = 1; fd < 64; fd++)
		close(fd);
	if (waitpid(pid, &status, 0) < 0)
		return 1;
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGINT ? 0 : 1; /* see reboot(2) */
}
