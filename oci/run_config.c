// SPDX-License-Identifier: Apache-2.0
/*
 * The conversion. How it works: overrides are merged with the image's configuration into a plain
 * struct first; then the text is written twice by the same function, once to learn its length.
 */
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"
#include "run_merged.h"

#define BIT(n) (UINT64_C(1) << (n))

#define ALL_CAPABILITIES (BIT(CAPABILITY__COUNT) - 1)

static const uint64_t default_capabilities =
	BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER) | BIT(CAP_FSETID) | BIT(CAP_KILL) |
	BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_SETFCAP) | BIT(CAP_SETGID) | BIT(CAP_SETPCAP) |
	BIT(CAP_SETUID) | BIT(CAP_SYS_CHROOT);

static const char *const masked_paths[] = {
	"/proc/acpi",       "/proc/kcore",       "/proc/keys",        "/proc/latency_stats",
	"/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi",
	"/sys/firmware",    "/sys/fs/selinux",   "/sys/dev/block",
};

static const char *const readonly_paths[] = {
	"/proc/asound", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

static const char *const namespaces[] = {"pid", "ipc", "uts", "mount"};

#define PIDS_LIMIT       2048
#define DEFAULT_HOSTNAME "smk" /* the same for every run: an image is baked to the same bytes */
#define OWN              "dev.supermachine." /* begins annotations that no image's label sets */

/* "Drop all, add one" leaves one; "add all, drop one" all others. */
static uint64_t merge_capabilities(const struct oci_overrides *over)
{
	if (!(ALL_CAPABILITIES & ~over->capabilities_drop))
		return over->capabilities_add;
	return (default_capabilities | over->capabilities_add) & ~over->capabilities_drop;
}

/*
 * As podman takes it: an empty part of "USER:GROUP" is as if it had not been given, and who is not given is
 * root. What is too long is left as it is for the parser to refuse.
 */
static const char *plain_user(const char *user, char buffer[OCI_USER_BYTES_MAX + 2])
{
	size_t length = has_text(user) ? strlen(user) : 0;

	if (!length || length > OCI_USER_BYTES_MAX)
		return user;
	if (user[length - 1] == ':')
		length--;
	snprintf(buffer, OCI_USER_BYTES_MAX + 2, "%s%.*s", user[0] == ':' && length ? "0" : "",
		 (int)length, user);
	return buffer;
}

/* conversion.md: Entrypoint and Cmd; an entrypoint of the command line takes the image's Cmd away. */
static int merge(const struct oci_image_config *image, const struct oci_overrides *over,
		 struct merged *ret, struct failure *f)
{
	*ret = (struct merged){
		.image = image,
		.over = over,
		.entrypoint = over->has_entrypoint ? over->entrypoint : image->entrypoint,
		.args = over->args,
		.cwd = has_text(over->working_dir) ? over->working_dir : image->working_dir,
		.hostname = has_text(over->hostname) ? over->hostname : DEFAULT_HOSTNAME,
		.user = has_text(over->user) ? over->user : image->user,
		.stop_signal = has_text(over->stop_signal) ? over->stop_signal : image->stop_signal,
		.capabilities = merge_capabilities(over),
	};
	if (!ret->args.count && !over->has_entrypoint)
		ret->args = image->cmd;
	ret->user = plain_user(ret->user, ret->user_text);
	if (!has_text(ret->cwd))
		ret->cwd = "/";
	if (ret->cwd[0] != '/')
		return fail_config(f, "/config/WorkingDir", "%.100s: must be an absolute path",
				   ret->cwd);
	if (!ret->entrypoint.count && !ret->args.count)
		return fail_config(f, "",
				   "the image has neither Entrypoint nor Cmd: say what to run");
	return 0;
}

void write_strings(struct writer *writer, const struct oci_strings *strings)
{
	for (size_t i = 0; i < strings->count; i++)
		write_string(writer, NULL, strings->items[i]);
}

/* ---- the rest ------------------------------------------------------------------------------- */

static bool has_pair(const struct oci_pair *pairs, size_t first, size_t count, const char *key)
{
	for (size_t i = first; i < count; i++)
		if (!strcmp(pairs[i].key, key))
			return true;
	return false;
}

static bool is_annotated(const struct merged *m, const char *key)
{
	return has_pair(m->over->annotations, 0, m->over->annotation_count, key);
}

/* init-oci acts on its own annotations, and the command line's words come last. */
static bool is_label_used(const struct merged *m, const char *key)
{
	return key[0] && strncmp(key, OWN, strlen(OWN)) != 0 && !is_annotated(m, key) &&
	       !(has_text(m->over->stop_signal) && !strcmp(key, OCI_ANNOTATION_STOP_SIGNAL));
}

/* conversion.md, "Annotation Fields": a label of the same name wins. */
static void write_implied(struct writer *writer, const struct merged *m, const char *key,
			  const char *value)
{
	const struct oci_pairs *labels = &m->image->labels;
	bool is_labelled = has_pair(labels->items, 0, labels->count, key) && is_label_used(m, key);

	if (has_text(value) && !is_labelled && !is_annotated(m, key))
		write_string(writer, key, value);
}

/* The last of a name is the one that counts. */
static void write_pairs(struct writer *writer, const struct oci_pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!has_pair(pairs, i + 1, count, pairs[i].key))
			write_string(writer, pairs[i].key, pairs[i].value);
}

/* "80/tcp,443/tcp", as conversion.md wants the ports; cut at its last whole one when very long. */
static void write_ports(struct writer *writer, const struct merged *m)
{
	const struct oci_pairs *ports = &m->image->exposed_ports;
	char text[1024];
	size_t length = 0;

	for (size_t i = 0; i < ports->count; i++) {
		size_t more = strlen(ports->items[i].key);

		if (length + more + 2 > sizeof(text))
			break;
		if (length)
			text[length++] = ',';
		memcpy(text + length, ports->items[i].key, more);
		length += more;
	}
	text[length] = '\0';
	write_implied(writer, m, "org.opencontainers.image.exposedPorts", text);
}

static void write_annotations(struct writer *writer, const struct merged *m)
{
	const struct oci_image_config *image = m->image;
	const struct oci_pairs *labels = &image->labels;

	write_open(writer, "annotations", '{');
	write_implied(writer, m, "org.opencontainers.image.os", image->platform.os);
	write_implied(writer, m, "org.opencontainers.image.architecture",
		      image->platform.architecture);
	write_implied(writer, m, "org.opencontainers.image.variant", image->platform.variant);
	write_implied(writer, m, "org.opencontainers.image.author", image->author);
	write_implied(writer, m, "org.opencontainers.image.created", image->created);
	write_implied(writer, m, OCI_ANNOTATION_STOP_SIGNAL, m->stop_signal);
	write_ports(writer, m);
	write_implied(writer, m, OCI_ANNOTATION_USER, m->user);
	for (size_t i = 0; i < labels->count; i++)
		if (is_label_used(m, labels->items[i].key))
			write_string(writer, labels->items[i].key,
				     labels->items[i].value ? labels->items[i].value : "");
	write_pairs(writer, m->over->annotations, m->over->annotation_count);
	write_volume_directories(writer, m);
	write_close(writer, '}');
}

static void write_list(struct writer *writer, const char *key, const char *const *items,
		       size_t count)
{
	write_open(writer, key, '[');
	for (size_t i = 0; i < count; i++)
		write_string(writer, NULL, items[i]);
	write_close(writer, ']');
}

static void write_linux(struct writer *writer, const struct merged *m)
{
	write_open(writer, "linux", '{');
	write_open(writer, "namespaces", '[');
	for (size_t i = 0; i < COUNT(namespaces); i++) {
		write_open(writer, NULL, '{');
		write_string(writer, "type", namespaces[i]);
		write_close(writer, '}');
	}
	write_close(writer, ']');
	write_open(writer, "sysctl", '{');
	write_pairs(writer, m->over->sysctls, m->over->sysctl_count);
	write_close(writer, '}');
	write_open(writer, "resources", '{');
	write_open(writer, "pids", '{');
	write_uint(writer, "limit", PIDS_LIMIT);
	write_close(writer, '}');
	write_close(writer, '}');
	write_list(writer, "maskedPaths", masked_paths, COUNT(masked_paths));
	write_list(writer, "readonlyPaths", readonly_paths, COUNT(readonly_paths));
	if (!m->over->unconfined)
		write_default_seccomp(writer, m->capabilities);
	write_close(writer, '}');
}

static size_t write_all(const struct merged *m, char *text, size_t size)
{
	struct writer writer = {.text = text, .size = size};

	write_open(&writer, NULL, '{');
	write_string(&writer, "ociVersion", "1.2.0");
	write_process(&writer, m);
	write_open(&writer, "root", '{');
	write_string(&writer, "path", "rootfs");
	write_bool(&writer, "readonly", m->over->read_only);
	write_close(&writer, '}');
	write_string(&writer, "hostname", m->hostname);
	write_mounts(&writer, m);
	write_annotations(&writer, m);
	write_linux(&writer, m);
	write_close(&writer, '}');
	return write_finish(&writer);
}

int oci_run_config(const struct oci_image_config *image, const struct oci_overrides *overrides,
		   char **ret_text, size_t *ret_length, struct failure *f)
{
	struct merged m;
	char nothing[1]; /* the first time, only the length is wanted */
	size_t length;
	char *text;

	if (merge(image, overrides, &m, f))
		return -1;
	length = write_all(&m, nothing, sizeof(nothing));
	text = malloc(length + 1);
	if (!text)
		return fail_config(f, "", "out of memory");
	write_all(&m, text, length + 1);
	*ret_text = text;
	*ret_length = length;
	return 0;
}
