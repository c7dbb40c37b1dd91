// SPDX-License-Identifier: Apache-2.0
/*
 * An OCI runtime configuration as plain structs: what config.json (runtime-spec 1.x) says, checked
 * and with every name already turned into the kernel's number. No JSON type leaves oci/.
 *
 * Ownership: everything hangs off the spec's arena; oci_spec_finish() frees it all at once. Strings
 * are NUL-terminated and contain no other NUL. Absent optional values have a has_ flag or are NULL.
 */
#ifndef OCI_OCI_H
#define OCI_OCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <smk/fail.h>

#include "oci_linux.h"

struct arena;

/* Limits on input, so that a hostile configuration cannot starve PID 1. */
#define OCI_CONFIG_MAX_BYTES (4u << 20)
#define OCI_HEAP_MAX_BYTES   (64u << 20)

/*
 * Our own annotation: "USER[:GROUP]", names or numbers, looked up in the container's passwd and group.
 * The runtime specification knows numbers only, and an image's names are known only in its root.
 */
#define OCI_ANNOTATION_USER "dev.supermachine.user"
#define OCI_USER_BYTES_MAX  256

/*
 * And another: "BLOCKS,ROOT" for layer number n, the data blocks (of 4096 bytes) and the root hash (SHA-256,
 * 64 lower-case digits) of a dm-verity disk whose hash tree stands one block behind its data.
 */
#define OCI_ANNOTATION_VERITY        "dev.supermachine.verity."
#define OCI_ANNOTATION_VERITY_FORMAT OCI_ANNOTATION_VERITY "%03u"

/*
 * And a third: the path of an image's volume. The root has a directory there, made when it is missing; a
 * tmpfs with tmpcopyup there gets the owner and the mode of what it covers, too.
 */
#define OCI_ANNOTATION_VOLUME        "dev.supermachine.volume."
#define OCI_ANNOTATION_VOLUME_FORMAT OCI_ANNOTATION_VOLUME "%03u"

/* Source: config.md, "User" (POSIX platform). */
struct oci_user {
	uint32_t uid;
	uint32_t gid;
	bool has_umask;
	uint32_t umask;
	uint32_t *additional_gids;
	size_t additional_gid_count;
};

/* Sets of capabilities, bit n is capability n of linux/capability.h. config.md, "Linux process". */
struct oci_capabilities {
	bool present;
	uint64_t bounding;
	uint64_t effective;
	uint64_t inheritable;
	uint64_t permitted;
	uint64_t ambient;
};

struct oci_rlimit {
	int resource;  /* RLIMIT_* of asm-generic/resource.h */
	uint64_t soft; /* UINT64_MAX is RLIM_INFINITY */
	uint64_t hard;
};

struct oci_process {
	bool terminal;
	bool has_console_size;
	uint16_t console_rows;
	uint16_t console_columns;
	struct oci_user user;
	struct oci_strings args;
	struct oci_strings env;
	const char *cwd; /* absolute, cleaned like a destination */
	struct oci_capabilities caps;
	struct oci_rlimit *rlimits;
	size_t rlimit_count;
	bool no_new_privileges;
	bool has_oom_score_adj;
	int oom_score_adj;
	struct oci_scheduler scheduler;
	struct oci_io_priority io_priority;
	struct oci_cpu_set
		exec_cpus_initial; /* execCPUAffinity: of later processes, not the first */
	struct oci_cpu_set exec_cpus_final;
};

enum oci_propagation {
	OCI_PROPAGATION_NONE, /* not asked for */
	OCI_PROPAGATION_PRIVATE,
	OCI_PROPAGATION_SHARED,
	OCI_PROPAGATION_SLAVE,
	OCI_PROPAGATION_UNBINDABLE,
};

enum oci_idmap {
	OCI_IDMAP_NONE,
	OCI_IDMAP_ONE,
	OCI_IDMAP_RECURSIVE,
};

/* One entry of "mounts", its options already sorted into what they mean. */
struct oci_mount {
	const char
		*destination; /* absolute, cleaned of "." and "//"; ".." is resolved in the root */
	const char *type;     /* NULL for a bind */
	const char *source;   /* NULL when absent */
	bool bind;
	bool recursive;    /* rbind */
	uint64_t attr_set; /* MOUNT_ATTR_* of linux/mount.h */
	uint64_t attr_clear;
	bool sb_readonly; /* "ro" also sets the superblock read-only for a new file system */
	enum oci_propagation propagation;
	bool propagation_recursive;
	uint64_t attr_set_recursive; /* of the r* options: for all mounts below too */
	uint64_t attr_clear_recursive;
	enum oci_idmap idmap;
	struct oci_id_maps uid_maps; /* none: the container's user namespace's */
	struct oci_id_maps gid_maps;
	bool remount;            /* change what is mounted at destination */
	bool tmpcopyup;          /* a new tmpfs begins with the files that it covers */
	bool copy_symlink;       /* a source that is a link is made again, not followed */
	struct oci_strings data; /* what is left: file system options, each "key" or "key=value" */
};

/* One entry of linux.devices. */
struct oci_device {
	const char *path; /* absolute, without ".." */
	uint32_t mode;    /* S_IFCHR, S_IFBLK or S_IFIFO, and the permissions */
	uint32_t major;
	uint32_t minor;
	uint32_t uid;
	uint32_t gid;
};

struct oci_root {
	const char *path;
	bool readonly;
};

struct oci_annotation {
	const char *key;
	const char *value;
};

/* A field that is known, harmless, and not applied. */
struct oci_warning {
	const char *field; /* JSON pointer */
	const char *why;
};

struct oci_spec {
	struct arena *arena;
	const char *version;
	struct oci_root root;
	bool has_process;
	struct oci_process process;
	const char *hostname;   /* NULL when absent */
	const char *domainname; /* NULL when absent */
	struct oci_mount *mounts;
	size_t mount_count;
	struct oci_device *devices;
	size_t device_count;
	struct oci_linux linux_; /* gcc knows "linux" as a macro */
	struct oci_hooks hooks;
	struct oci_annotation *annotations;
	size_t annotation_count;
	bool has_verity;       /* annotations of OCI_ANNOTATION_VERITY_FORMAT are there */
	const char *user_name; /* of OCI_ANNOTATION_USER: instead of process.user's ids; or NULL */
	struct oci_warning *warnings;
	size_t warning_count;
};

/*
 * Parses bytes (not NUL-terminated, at most OCI_CONFIG_MAX_BYTES) into *ret, checking every field.
 * hash_seed: random, for the parser's hash tables; 0 is replaced by 1. Not reentrant: the JSON
 * library's allocator is process-wide, and is pointed at the arena while this runs.
 */
int oci_parse(const char *bytes, size_t length, uint32_t hash_seed, struct oci_spec *ret,
	      struct failure *f) FAIL_MUST_CHECK;
void oci_spec_finish(struct oci_spec *spec);

/* The OCI features document (features.md) as JSON text into an allocated string; NULL: no memory.
 */
char *oci_features_json(void);

#endif
