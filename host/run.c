// SPDX-License-Identifier: Apache-2.0
/* smk run: the stages in their order, and what they leave behind cleaned up. */
#include "boot.h"
#include "hooks.h"
#include "net.h"
#include "volumes.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define SERVER_END_MS 1000 /* that a volume's server needs, once QEMU is gone */

/* All that a run owns; run_finish() gives it back. */
struct run {
	struct run_options options;
	struct boot boot;
	struct timeline timeline;
	char *qemu;
	char *kernel;
	char *initramfs;
	int initramfs_fd;
	char *upper;
	char *upper_key;
	int control[2]; /* ours, QEMU's */
	int console[2];
	struct net net;
	struct strings argv;
	struct process vmm;
	struct volume_servers volumes;
};

static void run_init(struct run *run)
{
	*run = (struct run){
		.initramfs_fd = -1,
		.control = {-1, -1},
		.console = {-1, -1},
		.net = NET_STOPPED,
		.vmm = PROCESS_NONE,
	};
	options_init(&run->options);
	volumes_init(&run->volumes, run->options.image);
	boot_init(&run->boot);
	run->timeline.begin_ms = now_ms();
}

static void run_finish(struct run *run)
{
	volumes_finish(&run->volumes);
	net_stop(&run->net);
	options_finish(&run->options);
	boot_finish(&run->boot);
	strings_finish(&run->argv);
	free(run->qemu);
	free(run->kernel);
	free(run->initramfs);
	free(run->upper);
	free(run->upper_key);
	cleanup_fd(&run->initramfs_fd);
	for (int i = 0; i < 2; i++) {
		cleanup_fd(&run->control[i]);
		cleanup_fd(&run->console[i]);
	}
	scratch_remove();
}

static int new_upper_disk(struct run *run, struct failure *f)
{
	const char *scratch;

	if (scratch_directory(run->options.keep, &scratch, f))
		return -1;
	run->upper = must_format("%s/" SCRATCH_UPPER, scratch);
	return pack_ext4(run->upper, run->options.upper_value, f);
}

static int check_upper_file(struct run *run, struct failure *f)
{
	struct stat st;

	/* Absolute, and without links: QEMU would take what stands before a colon for a protocol. */
	run->upper = realpath(run->options.upper_value, NULL);
	if (!run->upper || stat(run->upper, &st))
		return fail_sys(f, "--upper", run->options.upper_value);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return fail_err(f, 0, "--upper", run->upper, "no disk image");
	if (access(run->upper, R_OK | W_OK))
		return fail_sys(f, "--upper", run->upper);
	return 0;
}

static int prepare_upper(struct run *run, struct failure *f)
{
	run->upper_key = upper_key(&run->options);
	if (run->options.upper == CHOICE_DISK)
		return new_upper_disk(run, f);
	return run->options.upper == CHOICE_FILE ? check_upper_file(run, f) : 0;
}

/* In memory without a name; a file when the command line is to be copied. */
static int prepare_initramfs(struct run *run, struct failure *f)
{
	const struct bundle *bundle = &run->boot.bundle;
	const char *scratch;

	if (!run->options.print_vmm) {
		if (assets_initramfs(bundle->config, bundle->config_length, &run->initramfs_fd, f))
			return -1;
		run->initramfs = must_format("/dev/fd/%d", run->initramfs_fd);
		return 0;
	}
	if (scratch_directory(run->options.keep, &scratch, f))
		return -1;
	run->initramfs = must_format("%s/" SCRATCH_INITRAMFS, scratch);
	return assets_initramfs_file(bundle->config, bundle->config_length, run->initramfs, f);
}

static int prepare_sockets(struct run *run, struct failure *f)
{
	if (run->options.print_vmm) {
		if (run->options.net->kind == NET_TSI && net_is_asked(run->options.net))
			say_warning("--net tsi: the printed command has no network: it is smk's");
		return 0;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, run->control) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, run->console))
		return fail_sys(f, "socketpair", NULL);
	return net_start(run->options.net, &run->control[1], &run->net, f);
}

static int prepare(struct run *run, struct failure *f)
{
	const struct run_options *options = &run->options;

	if (machine_check_accel(machine_accel(options->accel), f) || net_check(options->net, f) ||
	    program_find("qemu-system-aarch64", &run->qemu, f) ||
	    volumes_choose(&run->volumes, options->print_vmm, f) ||
	    boot_prepare(options, &run->boot, f))
		return -1;
	run->timeline.packed_ms = now_ms();
	if (assets_kernel(&run->kernel, f) || prepare_initramfs(run, f) || prepare_upper(run, f) ||
	    prepare_sockets(run, f))
		return -1;
	run->timeline.ready_ms = now_ms();
	return 0;
}

static int build_argv(struct run *run, struct failure *f)
{
	const struct run_options *options = &run->options;
	const struct machine machine = {
		.accel = machine_accel(options->accel),
		.memory_mib = run->boot.memory_mib,
		.cpus = options->cpus,
		.kernel = run->kernel,
		.initramfs = run->initramfs,
		.layers = &run->boot.layers,
		.image = options->image,
		.upper = run->upper,
		.upper_is_temporary = options->upper == CHOICE_DISK,
		.upper_key = run->upper_key,
		.append = &options->append,
		.net = options->net,
		.net_fd = run->net.qemu_fd,
		.control_fd = run->control[1],
		.console_fd = run->console[1],
	};

	return machine_argv(&machine, run->qemu, &run->argv, f);
}

static void print_file(const struct run *run, const char *what, const char *path, bool is_temporary)
{
	if (path)
		printf("# %s: %s%s\n", what, path,
		       is_temporary && !run->options.keep ? " (removed now: --keep keeps it)" : "");
}

/* The hooks are smk's: who runs the command line runs none. */
static void warn_of_hooks(const struct oci_hooks *hooks)
{
	const char *field = hooks_of_host(hooks);

	if (field)
		say_warning("%s: the printed command runs no hooks of the host", field);
}

/* The command line, and after it a comment for each file that it needs. */
static int print_vmm(const struct run *run)
{
	warn_of_hooks(&run->boot.bundle.spec.hooks);
	for (size_t i = 0; i < run->argv.count; i++) {
		AUTO_FREE char *word = say_quoted(run->argv.items[i]);

		printf("%s%s", i ? " " : "", word);
	}
	printf("\n");
	print_file(run, "kernel", run->kernel, false);
	print_file(run, "initramfs", run->initramfs, true);
	for (size_t i = 0; i < run->boot.layers.count; i++)
		print_file(run, "layer", run->boot.layers.items[i], false);
	print_file(run, "upper", run->upper, run->options.upper == CHOICE_DISK);
	return 0;
}

static void say_record(const struct exit_record *record)
{
	char line[FAIL_LINE_MAX];

	if (record->has_failure) {
		fail_format(&record->failure, line);
		fprintf(stderr, "%s\n", line);
	}
	if (record->oom_killed)
		say_warning("the workload was killed because the guest ran out of memory");
	if (record->dropped_bytes)
		say_warning("%llu bytes of output were lost",
			    (unsigned long long)record->dropped_bytes);
}

static size_t add_volume_fds(const struct run *run, int *fds, size_t count)
{
	const struct image_options *image = run->options.image;

	for (size_t i = 0; i < image->volume_count; i++)
		if (image->volumes[i].vmm_fd >= 0)
			fds[count++] = image->volumes[i].vmm_fd;
	return count;
}

#define OWN_FDS_MAX 4
/* Those of QEMU's descriptors that this run has; their number. */
static size_t own_fds(const struct run *run, int fds[OWN_FDS_MAX])
{
	const int all[OWN_FDS_MAX] = {run->control[1], run->console[1], run->initramfs_fd,
				      run->net.qemu_fd};
	size_t count = 0;

	for (size_t i = 0; i < OWN_FDS_MAX; i++)
		if (all[i] >= 0)
			fds[count++] = all[i];
	return count;
}

/* QEMU's process with its ends of the sockets; ours would hide the end of file. */
static int hold_vmm(struct run *run, struct failure *f)
{
	int keep_fds[OWN_FDS_MAX + VOLUMES_MAX];
	size_t own = own_fds(run, keep_fds);
	const struct process_setup setup = {
		.path = run->qemu,
		.argv = run->argv.items,
		.cwd_fd = -1,
		.keep_fds = keep_fds,
		.keep_count = add_volume_fds(run, keep_fds, own),
	};
	int result = process_hold(&setup, &run->vmm, f);

	volumes_close_fds(&run->volumes);
	for (size_t i = 0; i < own; i++)
		close(keep_fds[i]);
	run->control[1] = run->console[1] = run->initramfs_fd = run->net.qemu_fd = -1;
	return result;
}

/* What QEMU says of a server that failed at its start is less than the server does. */
static int blame_volumes(struct run *run, struct failure *f)
{
	struct failure reason = {0};

	if (volumes_check(&run->volumes, SERVER_END_MS, &reason))
		*f = reason;
	return -1;
}

static int run_session(struct run *run, struct failure *f)
{
	const struct session_setup setup = {
		.vmm = &run->vmm,
		.bundle = &run->boot.bundle,
		.volumes = &run->volumes,
		.control_fd = run->control[0],
		.console_fd = run->console[0],
		.show_console = run->options.console,
		.timeout_s = run->options.timeout_s,
		.init_timeout_s = run->options.init_timeout_s,
	};
	struct exit_record record;

	run->control[0] = run->console[0] = -1;
	if (session_run(&setup, &run->timeline, &record, f))
		return blame_volumes(run, f);
	say_record(&record);
	if (run->options.timing)
		timing_print(&run->timeline, &record, run->boot.is_cached);
	return record.code;
}

/* From the first hook on, poststop is run on every way out: what hooks made, hooks take away. */
static int run_vm(struct run *run, struct failure *f)
{
	const struct bundle *bundle = &run->boot.bundle;
	pid_t pid;
	int code;

	if (hold_vmm(run, f))
		return -1;
	pid = run->vmm.pid;
	if (hooks_run(bundle, OCI_HOOK_PRESTART, pid, f) ||
	    hooks_run(bundle, OCI_HOOK_CREATE_RUNTIME, pid, f))
		code = -1;
	else
		code = run_session(run, f);
	process_stop(&run->vmm);
	hooks_run_tolerant(bundle, OCI_HOOK_POSTSTOP, pid);
	return code;
}

static int run_all(struct run *run, int argc, char *const *argv, struct failure *f)
{
	if (options_parse(argc, argv, &run->options, f) || signals_open(f) < 0)
		return -1;
	scratch_sweep();
	if (prepare(run, f) || (!run->options.print_vmm && volumes_start(&run->volumes, f)) ||
	    build_argv(run, f))
		return -1;
	return run->options.print_vmm ? print_vmm(run) : run_vm(run, f);
}

int command_run(int argc, char *const *argv, struct failure *f)
{
	struct run run;
	int code;

	run_init(&run);
	code = run_all(&run, argc, argv, f);
	run_finish(&run);
	return code;
}
