// SPDX-License-Identifier: Apache-2.0
/*
 * Signals of PID 1: all blocked, read from a signalfd, forwarded to the entrypoint.
 *
 * The kernel's own calls with its 64-bit set, because musl's sigfillset() leaves out 32 to 34, and
 * signal 34 is the first real-time signal of programs built on glibc. Real-time signals queue, so
 * they are forwarded with their values, and one that finds the entrypoint's queue full is held and
 * tried again; nothing more is read meanwhile, so that the sender notices.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init/supervise.h"

#define KERNEL_SET_SIZE 8
#define FIRST_REALTIME  32 /* the kernel's SIGRTMIN */
#define TAKE_MAX        64 /* then the other events have their turn */

static const uint64_t every_signal = ~UINT64_C(0);

int signals_block(struct failure *f)
{
	if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, &every_signal, NULL, KERNEL_SET_SIZE) < 0)
		return fail_sys(f, "rt_sigprocmask", NULL);
	return 0;
}

int signals_open(struct endpoint *ret, struct failure *f)
{
	int fd = (int)syscall(SYS_signalfd4, -1, &every_signal, KERNEL_SET_SIZE,
			      SFD_NONBLOCK | SFD_CLOEXEC);

	if (fd < 0)
		return fail_sys(f, "signalfd4", NULL);
	*ret = (struct endpoint){.fd = fd};
	return 0;
}

/* A second try, for what may have been a moment's. */
static int send_signal(const struct supervisor *s, int sig, siginfo_t *info)
{
	int pid_fd = s->child->pid_fd;
	long result = syscall(SYS_pidfd_send_signal, pid_fd, sig, info, 0);

	if (result < 0 && errno != EAGAIN && errno != ESRCH)
		result = syscall(SYS_pidfd_send_signal, pid_fd, sig, info, 0);
	return (int)result;
}

bool signals_send(const struct supervisor *s, int sig)
{
	return send_signal(s, sig, NULL) == 0;
}

/* False: the entrypoint's queue is full. */
static bool forward(struct supervisor *s, const struct signalfd_siginfo *got)
{
	int sig = (int)got->ssi_signo;
	siginfo_t info;

	if (sig < FIRST_REALTIME) {
		(void)send_signal(s, sig, NULL); /* it may have ended meanwhile */
		return true;
	}
	memset(&info, 0, sizeof(info));
	info.si_signo = sig;
	info.si_code = SI_QUEUE; /* any other is refused, or may be merged */
	info.si_pid = (pid_t)got->ssi_pid;
	info.si_uid = got->ssi_uid;
	info.si_value.sival_ptr = (void *)(uintptr_t)got->ssi_ptr;
	return send_signal(s, sig, &info) == 0 || errno != EAGAIN;
}

/* What PID 1's own writes raise (SIGPIPE) names PID 1 as its sender. */
static bool is_own(const struct signalfd_siginfo *got)
{
	return got->ssi_pid == (uint32_t)getpid();
}

static void take(struct supervisor *s, const struct signalfd_siginfo *got)
{
	if (got->ssi_signo == SIGCHLD) {
		s->has_children = true;
	} else if (!is_own(got)) {
		s->held = *got;
		supervise_event(s, LIFE_SIGNAL);
	}
}

void signals_forward(struct supervisor *s)
{
	s->has_held = !forward(s, &s->held);
}

static bool retry_held(struct supervisor *s)
{
	s->has_children = true; /* a SIGCHLD may stand behind it in the queue */
	signals_forward(s);
	return !s->has_held;
}

bool signals_take(struct supervisor *s)
{
	struct signalfd_siginfo got;
	unsigned count = 0;

	if (s->has_held && !retry_held(s))
		return false;
	while (s->signals.is_readable && !s->has_held && count < TAKE_MAX) {
		if (read(s->signals.fd, &got, sizeof(got)) != sizeof(got)) {
			s->signals.is_readable = errno == EINTR;
			continue;
		}
		take(s, &got);
		count++;
	}
	return count > 0;
}
