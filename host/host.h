// SPDX-License-Identifier: Apache-2.0
/*
 * What the parts of smk hand to each other. smk run goes one way:
 *
 *   options -> bundle -> pack -> assets -> machine (QEMU's argv) -> session -> exit code
 *
 * and around the session the hooks of the host, hooks.h.
 *
 * Each part fills a plain struct that later ones only read. Every failure is a struct failure,
 * printed once, by main, as one line; smk's own failures end with 125.
 */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <smk/fail.h>

#include "oci/message.h"
#include "oci/oci.h"

/* ---- memory and strings: these end smk with 125 when memory is short ----------------------------- */

/* A growing array of strings, always ended by a NULL, so that items can be given to execv. */
struct strings {
	char **items;
	size_t count;
	size_t capacity;
};

void *must_alloc(size_t size); /* zeroed */
char *must_copy(const char *text);
char *must_format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void strings_add(struct strings *strings, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void strings_finish(struct strings *strings);

/* Attribute cleanups; both keep errno and accept "nothing" (-1, NULL). */
void cleanup_fd(int *fd);
void cleanup_free(void *pointer);
#define AUTO_FD   __attribute__((cleanup(cleanup_fd))) int
#define AUTO_FREE __attribute__((cleanup(cleanup_free)))

/* Milliseconds of CLOCK_MONOTONIC. */
double now_ms(void);
/* What poll() is to be told so that it ends at that time; 0: never. */
int poll_timeout(double deadline_ms);

/* ---- say: everything that smk itself prints on stderr -------------------------------------------- */

void say_failure(const struct failure *f);
/* One that changes nothing. */
void say_tolerated(const struct failure *f);
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void say_warning(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* A line that replaces itself, on a terminal only; say_progress(NULL) takes it away. */
void say_progress(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Words quoted for a shell when they need it, into a new string. */
char *say_quoted(const char *word);

/* ---- options ------------------------------------------------------------------------------------- */

enum accel {
	ACCEL_AUTO,
	ACCEL_KVM,
	ACCEL_TCG,
	ACCEL__COUNT,
};

enum upper_choice {
	CHOICE_TMPFS, /* upper_value: the size, or NULL */
	CHOICE_DISK,  /* upper_value: the size of a new disk */
	CHOICE_FILE,  /* upper_value: path of an ext4 image that stays */
	CHOICE_NONE,
	CHOICE__COUNT,
};

struct image_options;
struct net_options;
struct vmm;

struct run_options {
	unsigned memory_mib; /* 0: as many layers need */
	unsigned cpus;
	enum accel accel;
	enum upper_choice upper;
	const char *upper_value;
	struct strings append;
	struct strings env;      /* NAME=VALUE, complete */
	struct strings file_env; /* of --env-file, until all options are known */
	unsigned timeout_s;      /* 0: none */
	bool timing;
	bool print_vmm;
	bool keep;
	bool console;
	const char *bundle; /* a bundle's directory, or an image's reference */
	struct image_options *image;
	struct net_options *net;
	unsigned init_timeout_s; /* until the entrypoint runs; 0: none */
	/* Of bake: */
	const char *directory;
	bool verity;
	const struct vmm *vmm;
	bool vmm_asked; /* print what it is told */
};

void options_init(struct run_options *options);
/* What smk.upper= says of --upper, a new string; NULL: nothing. */
char *upper_key(const struct run_options *options);
int options_parse(int argc, char *const *argv, struct run_options *ret,
		  struct failure *f) FAIL_MUST_CHECK;
/* The same for smk bake [options] WHAT DIR [--] [words]. */
int options_parse_bake(int argc, char *const *argv, struct run_options *ret,
		       struct failure *f) FAIL_MUST_CHECK;
void options_finish(struct run_options *options);
/* The options' part of the help text, made from the table. */
void options_help(bool is_bake);
/* The word of a list that is nearest to `word`, or NULL when none is near. */
const char *nearest(const char *word, const char *const *list, size_t count);

/* ---- files and programs -------------------------------------------------------------------------- */

/* Reads a whole regular file of at most `limit` bytes (more is an error). */
int file_read(int dir_fd, const char *path, size_t limit, char **ret_bytes, size_t *ret_length,
	      struct failure *f) FAIL_MUST_CHECK;
int file_write_at(int fd, const char *path, uint64_t offset, const void *bytes, size_t length,
		  struct failure *f) FAIL_MUST_CHECK;
/* $XDG_CACHE_HOME/smk/NAME (or ~/.cache/smk/NAME), made when missing; an absolute path. */
int cache_directory(const char *name, char **ret_path, struct failure *f) FAIL_MUST_CHECK;
/* The files of a scratch directory. */
#define SCRATCH_UPPER     "upper.ext4"
#define SCRATCH_INITRAMFS "initramfs"
/* A new private directory under $TMPDIR; gone with its files when smk ends, unless kept. */
int scratch_directory(bool keep, const char **ret_path, struct failure *f) FAIL_MUST_CHECK;
/* Takes the scratch directory away now; safe to call when there is none. */
void scratch_remove(void);
/* Removes what killed ones left. */
void scratch_sweep(void);

/* The last bytes of an output. */
#define TAIL_SIZE 16384
struct tail {
	char bytes[TAIL_SIZE];
	uint64_t written;
};

void tail_add(struct tail *tail, const char *bytes, size_t length);
/* The last `lines` lines on stderr, each after `prefix`, control characters shown as dots. */
void tail_print(const struct tail *tail, unsigned lines, const char *prefix);
/* The last non-empty line, printable, into buffer. */
void tail_last_line(const struct tail *tail, char *buffer, size_t size);
/* The same without "PROGRAM: " in front: who says it adds the name. */
void tail_last_words(const struct tail *tail, const char *program, char *buffer, size_t size);

/* ---- signals: one pipe, so that every wait is a poll --------------------------------------------- */

/* Installs the handlers; the pipe's read end is given back. */
int signals_open(struct failure *f) FAIL_MUST_CHECK;
int signals_fd(void);
/* The next signal that came in, or 0. */
int signals_next(void);
/* Linux's number for a signal of this host that is passed on to the workload; 0: not passed on. */
int signals_guest_number(int signal);
/* Linux's number of a signal by its name; 0: there is none. */
int signals_parse(const char *text);
/* Whether the signal asks smk to end. */
bool signals_is_end(int signal);
/* While no VM runs: whether one of them has come in, now or before; what else came is dropped. */
bool signals_want_end(void);
/* All that came in were for what has ended. */
void signals_forget(void);

/* ---- terminal ------------------------------------------------------------------------------- */

/* Raw mode on stdin, undone when smk ends. Returns whether stdin is a terminal. */
bool terminal_raw(void);
void terminal_restore(void);
/* The size of the terminal on stdin or stdout; false when there is none. */
bool terminal_size(uint16_t *ret_rows, uint16_t *ret_columns);

/* ---- bundle --------------------------------------------------------------------------------- */

struct bundle {
	const char *path;
	char *config; /* edited bytes, as the guest gets them */
	size_t config_length;
	int stop_signal;      /* what TERM becomes in the guest; 0: TERM */
	struct oci_spec spec; /* of the edited bytes */
	char *root_path;      /* as found: BUNDLE/root.path, or root.path when absolute */
	int root_fd;
	char *real_path; /* absolute, without links */
	int dir_fd;
};

void bundle_init(struct bundle *bundle);
int bundle_open(const char *path, const struct strings *env, struct bundle *ret,
		struct failure *f) FAIL_MUST_CHECK;
/* The same from a configuration that was made here (malloc'd, the bundle's from now on); no root. */
int bundle_from_config(const char *path, char *config, size_t length, struct bundle *ret,
		       struct failure *f) FAIL_MUST_CHECK;
/* Adds annotations to the configuration. */
int bundle_annotate(struct bundle *bundle, const struct strings *keys, const struct strings *values,
		    struct failure *f) FAIL_MUST_CHECK;
void bundle_finish(struct bundle *bundle);

/* ---- pack ----------------------------------------------------------------------------------- */

struct tree_key {
	char hex[65];
	uint64_t files;
	uint64_t bytes;
};

/*
 * A key of everything below root_fd that an image of it depends on, and of how it is packed; no
 * link is followed.
 */
int tree_key(int root_fd, const char *root_path, const char *how, struct tree_key *ret,
	     struct failure *f) FAIL_MUST_CHECK;
/* The layer image of the tree: from the cache, or packed now. */
int pack_layer(int root_fd, const char *root_path, char **ret_image, bool *ret_is_cached,
	       struct failure *f) FAIL_MUST_CHECK;
/* The words given to mksquashfs: a part of the key. */
extern const char pack_options[];
int pack_squashfs(int root_fd, const char *image, const struct tree_key *key,
		  struct failure *f) FAIL_MUST_CHECK;
/* A new sparse ext4 image of `size` (mkfs's words: 64M, 1G) at path. */
int pack_ext4(const char *path, const char *size, struct failure *f) FAIL_MUST_CHECK;

/* ---- assets --------------------------------------------------------------------------------- */

/* Path of an uncompressed kernel: the override, or the cached extraction keyed by build id. */
int assets_kernel(char **ret_path, struct failure *f) FAIL_MUST_CHECK;
/* The initramfs with this configuration, in memory without a name; the caller closes it. */
int assets_initramfs(const char *config, size_t length, int *ret_fd,
		     struct failure *f) FAIL_MUST_CHECK;
int assets_initramfs_file(const char *config, size_t length, const char *path,
			  struct failure *f) FAIL_MUST_CHECK;

/* ---- machine: QEMU's command line ---------------------------------------------------------------- */

struct machine {
	enum accel accel; /* never ACCEL_AUTO */
	unsigned memory_mib;
	unsigned cpus;
	const char *kernel;
	const char *initramfs;
	const struct strings *layers; /* disk images, lowest first */
	const struct image_options *image;
	const char *upper; /* disk image, or NULL */
	bool upper_is_temporary;
	const char *upper_key; /* value of smk.upper=, or NULL */
	const struct strings *append;
	const struct net_options *net; /* NULL: none */
	int net_fd;                    /* QEMU's end of TSI's vhost-user; -1: none */
	int control_fd; /* -1: no control port, and the console on stdio (--print-vmm) */
	int console_fd;
};

enum accel machine_accel(enum accel asked);
/* Whether the accelerator can be used here; else why not. */
int machine_check_accel(enum accel accel, struct failure *f) FAIL_MUST_CHECK;
int machine_argv(const struct machine *machine, const char *program, struct strings *ret,
		 struct failure *f) FAIL_MUST_CHECK;

/* ---- channel: frames to and from init-oci -------------------------------------------------------- */

#define CHANNEL_IN_BYTES  (128u << 10)
#define CHANNEL_OUT_BYTES (512u << 10)

struct channel {
	int fd; /* non-blocking; -1 once closed */
	uint8_t *in;
	size_t in_begin;
	size_t in_end;
	uint8_t *out;
	size_t out_length;
};

struct channel_frame {
	uint8_t type;
	uint8_t flags;
	uint16_t stream;
	const uint8_t *payload; /* valid until the next call */
	uint32_t length;
};

void channel_init(struct channel *channel, int fd);
void channel_finish(struct channel *channel);
/* Reads what is there. Returns 1; 0 when the other side has closed; -1. */
int channel_read(struct channel *channel, struct failure *f) FAIL_MUST_CHECK;
/* The next whole frame: 1, or 0 when there is none yet; -1 when it breaks the protocol. */
int channel_next(struct channel *channel, struct channel_frame *ret,
		 struct failure *f) FAIL_MUST_CHECK;
/* Bytes of payload that channel_send() can take now. */
size_t channel_room(const struct channel *channel);
/* Queues a frame; there must be room. */
void channel_send(struct channel *channel, const struct channel_frame *frame);
int channel_flush(struct channel *channel, struct failure *f) FAIL_MUST_CHECK;

/* ---- session: from the start of QEMU to its end -------------------------------------------------- */

struct timeline {
	double begin_ms; /* smk's main */
	double packed_ms;
	double ready_ms; /* assets at hand */
	double started_ms;
	double hello_ms;
	double exit_ms; /* exit record received */
	double end_ms;  /* QEMU has ended */
	struct marks hello_marks;
};

struct volume_servers;

struct session_setup {
	struct process *vmm; /* on hold; the session takes it */
	const struct bundle *bundle;
	struct volume_servers *volumes;
	int control_fd; /* our ends; the session closes them */
	int console_fd;
	bool show_console;
	unsigned timeout_s;
	unsigned init_timeout_s;
};

/* Fills the record; a run without one is a failure, and the console's end is printed. */
int session_run(const struct session_setup *setup, struct timeline *timeline,
		struct exit_record *ret, struct failure *f) FAIL_MUST_CHECK;

void timing_print(const struct timeline *timeline, const struct exit_record *record,
		  bool is_layer_cached);

/* ---- commands ------------------------------------------------------------------------------------ */

/* Each returns the exit code, or -1 with f set. */
int command_run(int argc, char *const *argv, struct failure *f);
int command_bake(int argc, char *const *argv, struct failure *f);
int command_plan(int argc, char *const *argv, struct failure *f);
int command_cache(int argc, char *const *argv, struct failure *f);
int command_assets(int argc, char *const *argv, struct failure *f);

#endif
