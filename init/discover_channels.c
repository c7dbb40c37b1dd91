// SPDX-License-Identifier: Apache-2.0
/*
 * The ways out: the control channel and dedicated ports for the standard streams.
 *
 * Ports appear and get their names while the kernel boots, by messages of the host, lowest number
 * first; one that the command line names is waited for. So the control port should have the highest
 * number: when it is there, the streams' ports are, too. A host that does not listen on vsock does
 * not stop the boot: the exit record then goes to the console.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/virtio_console.h>
#include <linux/vm_sockets.h>

#include <smk/contract.h>

#include "init/discover.h"
#include "init/sys.h"

#define PORT_WAIT_MS      5000
#define USUAL_WAIT_MS     100
#define PORT_PAUSE_MAX_MS 16
#define CONNECT_WAIT_MS   2000

static int open_port(const struct machine *machine, const char *label, int flags, int *ret_fd,
		     struct failure *f)
{
	const struct device *device;

	if (machine_find(machine, DEVICE_PORT, label, &device, f))
		return -1;
	return device ? machine_open(machine->early, DEVICE_PORT, device->name, flags | O_NONBLOCK,
				     ret_fd, f)
		      : 0;
}

/* Ports are the last kind that was scanned: forgetting them is lowering the count. */
static int rescan_ports(struct machine *machine, struct failure *f)
{
	while (machine->count > 0 && machine->devices[machine->count - 1].kind == DEVICE_PORT)
		machine->count--;
	return machine_scan(machine, DEVICE_PORT, f);
}

/* *ret_fd stays -1 when the port has not come in time. */
static int wait_for_port(struct machine *machine, const char *label, int wait_ms, int *ret_fd,
			 struct failure *f)
{
	int64_t deadline_ms = sys_now_ms() + wait_ms;

	for (int pause_ms = 1;; pause_ms = pause_ms < PORT_PAUSE_MAX_MS ? pause_ms * 2 : pause_ms) {
		if (open_port(machine, label, O_RDWR, ret_fd, f))
			return -1;
		if (*ret_fd >= 0 || sys_now_ms() >= deadline_ms)
			return 0;
		poll(NULL, 0, pause_ms);
		if (rescan_ports(machine, f))
			return -1;
	}
}

static int find_named_port(struct machine *machine, const char *label, int *ret_fd,
			   struct failure *f)
{
	if (wait_for_port(machine, label, PORT_WAIT_MS, ret_fd, f))
		return -1;
	if (*ret_fd < 0)
		return fail_config(f, SMK_KEY_CONTROL, "no virtio port is named \"%s\"", label);
	return 0;
}

/* Whether a console device is one whose ports the host announces by messages. */
static int has_announced_ports(const struct early *early, bool *ret, struct failure *f)
{
	struct machine consoles = {.early = early};
	int status = machine_scan(&consoles, DEVICE_CONSOLE, f);
	bool has = false;

	for (size_t i = 0; i < consoles.count; i++)
		has |= consoles.devices[i].label[VIRTIO_CONSOLE_F_MULTIPORT] == '1';
	machine_finish(&consoles);
	if (!status)
		*ret = has;
	return status;
}

/*
 * The usual port, or none. On a fast machine PID 1 may be there before the host's messages: with a
 * device that will have ports, the boot waits a little before it goes on without a channel.
 */
static int find_usual_port(struct machine *machine, int *ret_fd, struct failure *f)
{
	bool is_worth_waiting;

	if (open_port(machine, SMK_PORT_CONTROL, O_RDWR, ret_fd, f))
		return -1;
	if (*ret_fd >= 0)
		return 0;
	if (has_announced_ports(machine->early, &is_worth_waiting, f))
		return -1;
	return is_worth_waiting ? wait_for_port(machine, SMK_PORT_CONTROL, USUAL_WAIT_MS, ret_fd, f)
				: 0;
}

static int connect_host(unsigned port)
{
	const struct sockaddr_vm host = {
		.svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_HOST, .svm_port = port};
	AUTO_FD fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct pollfd connected = {.fd = fd, .events = POLLOUT};
	socklen_t size = sizeof(errno);
	int error = 0;

	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)&host, sizeof(host)) && errno != EINPROGRESS)
		return -1;
	if (poll(&connected, 1, CONNECT_WAIT_MS) != 1) {
		errno = ETIMEDOUT;
		return -1;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) || error) {
		errno = error ? error : errno;
		return -1;
	}
	return sys_take(&fd);
}

/* One that is not there is not an empty channel but a wrong command line. */
static int adopt_fd(int fd, int *ret_fd, struct failure *f)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
		fail_err(f, errno, "fcntl", NULL, "fd:%d", fd);
		return fail_at(f, STAGE_DISCOVER, SMK_KEY_CONTROL);
	}
	*ret_fd = fd;
	return 0;
}

static int find_control(const struct bootargs *args, struct machine *machine, int *ret_fd,
			struct failure *f)
{
	switch (args->control) {
	case CONTROL_AUTO:
		return find_usual_port(machine, ret_fd, f);
	case CONTROL_PORT:
		return find_named_port(machine, args->control_port, ret_fd, f);
	case CONTROL_VSOCK:
		*ret_fd = connect_host(args->control_vsock_port);
		if (*ret_fd < 0)
			console_warn("discover: " SMK_KEY_CONTROL
				     ": connect(vsock:%u): %s (errno %d); "
				     "going on without a control channel",
				     args->control_vsock_port, strerror(errno), errno);
		return 0;
	case CONTROL_FD:
		return adopt_fd(args->control_fd, ret_fd, f);
	case CONTROL_NONE:
		return 0;
	}
	return 0;
}

int discover_channels(const struct bootargs *args, struct machine *machine, struct discovered *ret,
		      struct failure *f)
{
	static const struct {
		const char *label;
		int flags;
	} streams[3] = {{SMK_PORT_STDIN, O_RDONLY},
			{SMK_PORT_STDOUT, O_WRONLY},
			{SMK_PORT_STDERR, O_WRONLY}};

	if (machine_scan(machine, DEVICE_PORT, f) ||
	    find_control(args, machine, &ret->control_fd, f))
		return -1;
	for (size_t i = 0; i < 3; i++)
		if (open_port(machine, streams[i].label, streams[i].flags, &ret->stdio_fd[i], f))
			return -1;
	return 0;
}
