// SPDX-License-Identifier: Apache-2.0
/*
 * spawn: the entrypoint's standard streams, its process, and the news of whether its execve worked.
 *
 * Should: return only when that is known (birth.c). Must not: leave a child behind on failure.
 */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/namespace.h"
#include "init/spawn.h"
#include "init/sys.h"

/* One stream: the end of PID 1 and the end of the child. */
struct ends {
	int ours;
	int theirs;
};

static int set_nonblocking(int fd)
{
	return fcntl(fd, F_SETFL, O_NONBLOCK); /* a fresh pipe has no other flag to keep */
}

/*
 * A pipe for stream n of the child. It belongs to the user, so that the workload can open it again
 * as /dev/stdout; only our end is non-blocking.
 */
static int open_pipe(unsigned n, const struct oci_user *user, struct ends *ret, struct failure *f)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return fail_sys(f, "pipe2", NULL);
	*ret = n == 0 ? (struct ends){.ours = fds[1], .theirs = fds[0]}
		      : (struct ends){.ours = fds[0], .theirs = fds[1]};
	if (set_nonblocking(ret->ours) < 0)
		return fail_sys(f, "fcntl(F_SETFL)", NULL);
	if ((user->uid || user->gid) && fchown(ret->theirs, user->uid, user->gid) < 0)
		return fail_sys(f, "fchown", NULL);
	return 0;
}

static int open_streams(const struct oci_spec *spec, struct ends ends[3], struct failure *f)
{
	const struct oci_linux *linux_ = &spec->linux_;
	const struct oci_user outside = {
		.uid = userns_outside(&linux_->uid_maps, spec->process.user.uid),
		.gid = userns_outside(&linux_->gid_maps, spec->process.user.gid),
	};

	for (unsigned n = 0; n < 3; n++) {
		if (open_pipe(n, &outside, &ends[n], f) < 0)
			return -1;
	}
	return 0;
}

static void close_ends(struct ends ends[3], bool ours_too)
{
	for (unsigned n = 0; n < 3; n++) {
		sys_close(&ends[n].theirs);
		if (ours_too)
			sys_close(&ends[n].ours);
	}
}

/* The child's own terminal, which the configuration's devpts made: its master is handed over. */
static int take_terminal(int talk_fd, struct child *child, struct failure *f)
{
	if (pty_receive(talk_fd, &child->output_fd, f) < 0)
		return -1;
	child->input_fd = fcntl(child->output_fd, F_DUPFD_CLOEXEC, 3);
	return child->input_fd < 0 ? fail_sys(f, "fcntl(F_DUPFD)", NULL) : 0;
}

static void end_child(struct child *child)
{
	sys_end_child(child->pid);
	sys_close(&child->pid_fd);
	sys_close(&child->output_fd);
}

static int start(const struct child_setup *setup, struct child *child, struct failure *f)
{
	AUTO_FD talk_fd = -1;
	int result = namespaces_open(setup->namespaces, setup->linux_, setup->early, f);

	if (result == 0)
		result = birth(setup, child, &talk_fd, f);
	namespaces_close(setup->namespaces);
	if (result < 0 || !setup->process->terminal)
		return result;
	if (take_terminal(talk_fd, child, f) == 0)
		return 0;
	end_child(child);
	return fail_at(f, STAGE_SPAWN, "/process/terminal");
}

int spawn(const struct oci_spec *spec, const struct plan *plan, const struct container *container,
	  const struct early *early, struct child *ret, struct failure *f)
{
	struct child child = {.pid_fd = -1,
			      .cgroup_fd = container->cgroup_fd,
			      .input_fd = -1,
			      .output_fd = -1,
			      .error_fd = -1};
	struct ends ends[3] = {{-1, -1}, {-1, -1}, {-1, -1}};
	int result = spec->process.terminal ? 0 : open_streams(spec, ends, f);

	if (result == 0) {
		struct namespaces namespaces;
		const struct child_setup setup = {
			.spec = spec,
			.process = &spec->process,
			.linux_ = &spec->linux_,
			.plan = plan,
			.arena = spec->arena,
			.early = early,
			.namespaces = &namespaces,
			.step_fds = container->step_fds,
			.root_fd = container->root_fd,
			.proc_fd = early->proc_fd,
			.cgroup_fd = container->cgroup_fd,
			.stdio_fd = {ends[0].theirs, ends[1].theirs, ends[2].theirs},
			.has_terminal = spec->process.terminal,
		};

		result = start(&setup, &child, f);
	}
	close_ends(ends, result < 0);
	if (result < 0)
		return fail_at(f, STAGE_SPAWN, NULL);
	if (!spec->process.terminal) {
		child.input_fd = ends[0].ours;
		child.output_fd = ends[1].ours;
		child.error_fd = ends[2].ours;
	}
	*ret = child;
	return 0;
}
