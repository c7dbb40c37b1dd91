// SPDX-License-Identifier: Apache-2.0
/* app's main, and what it does as PID 1: see app.h. */
#include "tests/tsi/app.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS_MAX 24

static const struct command *const tables[] = {
	basic_commands,  peer_commands,    stream_commands, connect_commands,  listen_commands,
	accept_commands, poll_commands,    end_commands,    datagram_commands, name_commands,
	option_commands, process_commands, io_commands,     ring_commands,     hard_commands,
	vsock_commands,  kind_commands,    netns_commands,  random_commands,   debug_commands,
	reset_commands,  scope_commands};

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (const struct command *c = tables[i]; c->name; c++)
			if (!strcmp(c->name, name))
				return c;
	return NULL;
}

static int usage(void)
{
	fputs("usage: app COMMAND [ARGUMENT]...\n", stderr);
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (const struct command *c = tables[i]; c->name; c++)
			fprintf(stderr, "  %s %s\n", c->name, c->arguments);
	return 2;
}

/* ---- PID 1 ---------------------------------------------------------------------------------- */

static void mount_at(const char *type, const char *path)
{
	mkdir(path, 0755);
	if (mount(type, path, type, 0, NULL))
		say("mount %s: %s", path, strerror(errno));
}

static void bring_up(const char *name)
{
	struct ifreq request = {.ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	strcpy(request.ifr_name, name);
	if (ioctl(fd, SIOCSIFFLAGS, &request))
		say("%s: %s", name, strerror(errno));
	close(fd);
}

/* In the step's process: what is failed goes to the pipe, which is stderr. */
static _Noreturn void run_step(char **words, int words_count, int why_fd)
{
	const struct command *command = find_command(words[2]);

	setpgid(0, 0);
	dup2(why_fd, STDERR_FILENO);
	close(why_fd);
	if (!command)
		fail("no command %s", words[2]);
	exit(command->run(words_count - 2, words + 2));
}

/* Reaps whoever has ended; true: it was among them. */
static bool reap_until(pid_t pid, int *ret_status)
{
	int status;
	pid_t got;

	while ((got = waitpid(-1, &status, WNOHANG)) > 0) {
		if (got != pid)
			continue;
		*ret_status = status;
		return true;
	}
	return false;
}

/* The child's end, or 0 when it takes longer. What it wrote last is in `why`. */
static bool await_step(pid_t pid, int fd, double limit_ms, int *ret_status, char *why, size_t size)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	double end = now_ms() + limit_ms;
	size_t length = 0;
	ssize_t got;

	why[0] = '\0';
	while (now_ms() < end) {
		if (poll(&poll_fd, 1, 20) > 0 && length + 1 < size) {
			got = read(fd, why + length, size - 1 - length);
			length += got > 0 ? (size_t)got : 0;
			why[length] = '\0';
		}
		if (!reap_until(pid, ret_status))
			continue;
		got = read(fd, why + length, size - 1 - length);
		why[length + (got > 0 ? (size_t)got : 0)] = '\0';
		return true;
	}
	return false;
}

static void reap(void)
{
	kill(-1, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
}

/* What is printed of it is one line. */
static void join_lines(char *why)
{
	for (char *at = why; (at = strchr(at, '\n')); at++)
		*at = at[1] ? '|' : '\0';
}

static void step(char *line)
{
	char *words[WORDS_MAX + 1] = {NULL};
	char why[900];
	char *next = line;
	int count = 0;
	int status = 0;
	bool is_on = hijack_get();
	bool is_over;
	double begin = now_ms();
	int fds[2];
	pid_t pid;

	while (count < WORDS_MAX && (words[count] = strsep(&next, " ")))
		count++;
	if (count < 3 || pipe2(fds, O_CLOEXEC))
		return;
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	pid = fork();
	if (!pid)
		run_step(words, count, fds[1]);
	close(fds[1]);
	is_over = await_step(pid, fds[0], 1000.0 * (double)number(words[1]), &status, why,
			     sizeof(why));
	join_lines(why);
	if (!is_over)
		say("not ok %s: not over after %s s; %s", words[0], words[1], why);
	else if (WIFSIGNALED(status))
		say("not ok %s: killed by signal %d; %s", words[0], WTERMSIG(status), why);
	else if (status)
		say("not ok %s: %s", words[0], why[0] ? why : "failed, and does not say why");
	else
		say("ok %s (%.0f ms)", words[0], now_ms() - begin);
	reap();
	close(fds[0]);
	hijack_set(is_on);
}

static _Noreturn void be_init(void)
{
	static char plan[65536];
	char *next = plan;
	char *line;
	int fd;

	mount_at("proc", "/proc");
	mount_at("sysfs", "/sys");
	mount_at("devtmpfs", "/dev");
	mount_at("tmpfs", "/tmp");
	fd = open("/dev/hvc0", O_RDWR);
	for (int i = 0; i < 3; i++)
		dup2(fd, i);
	if (fd > 2)
		close(fd);
	bring_up("lo");
	fd = open("/plan", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, plan, sizeof(plan) - 1) < 0)
		say("/plan: %s", strerror(errno));
	close(fd);
	while ((line = strsep(&next, "\n")))
		step(line);
	say("done");
	sync();
	reboot(RB_POWER_OFF);
	exit(1);
}

int main(int argc, char *argv[])
{
	const struct command *command;

	signal(SIGPIPE, SIG_IGN);
	if (getpid() == 1)
		be_init();
	command = argc > 1 ? find_command(argv[1]) : NULL;
	return command ? command->run(argc - 1, argv + 1) : usage();
}
