// SPDX-License-Identifier: Apache-2.0
/*
 * Directories, links, device nodes and small files inside the container's root. The last component
 * is never followed where something is made; what the image already has there stays, or is refused.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "init/apply.h"
#include "init/sys.h"

int step_mkdir(struct apply_state *state, const struct step *step, struct failure *f)
{
	struct failure ignored = {.stage = STAGE_NONE};
	AUTO_FD fd = -1;
	const char *name;

	if (target_parent(state->root_fd, step->dst, &state->parent, &name, f))
		return -1;
	state->has_made = !mkdirat(state->parent.fd, name, step->mode);
	if (state->has_made)
		return 0;
	if (errno != EEXIST)
		return fail_sys(f, "mkdir", step->dst);
	/* What a dangling link names is made, as for mounts. Of anything else chdir(2) has the word. */
	if (target_find(state->root_fd, step->dst, &fd, &ignored) || fd >= 0)
		return 0;
	return target_make_dir(state->root_fd, step->dst, step->mode, &fd, f);
}

int step_symlink(struct apply_state *state, const struct step *step, struct failure *f)
{
	const char *name;

	if (target_parent(state->root_fd, step->dst, &state->parent, &name, f))
		return -1;
	if (symlinkat(step->src, state->parent.fd, name) && errno != EEXIST)
		return fail_sys(f, "symlink", step->dst);
	return 0;
}

static int make_node(int parent_fd, const char *name, const struct step *step, struct failure *f)
{
	dev_t device = makedev(step->dev_major, step->dev_minor);
	struct stat present;

	if (!mknodat(parent_fd, name, step->mode, device)) {
		if ((step->uid || step->gid) &&
		    fchownat(parent_fd, name, step->uid, step->gid, AT_SYMLINK_NOFOLLOW))
			return fail_sys(f, "chown", step->dst);
		return 0;
	}
	if (errno != EEXIST || fstatat(parent_fd, name, &present, AT_SYMLINK_NOFOLLOW))
		return fail_sys(f, "mknod", step->dst);
	/* Without a mount on /dev the image may hold its own nodes; another device is a trap. */
	if ((present.st_mode ^ step->mode) & S_IFMT || present.st_rdev != device)
		return fail_err(f, EEXIST, "mknod", step->dst,
				"the image has something else there than device %u:%u",
				step->dev_major, step->dev_minor);
	/* Perhaps it is not the image's but a bind's, and so not ours to change. */
	if (step->field[0] == '/' && (present.st_mode != step->mode ||
				      present.st_uid != step->uid || present.st_gid != step->gid))
		console_warn("apply: %s: %s: is there, and keeps its mode and owner", step->field,
			     step->dst);
	return 0;
}

/* In the work tree there is only what init-oci has made. */
int step_mknod(struct apply_state *state, const struct step *step, struct failure *f)
{
	const char *name;

	if (step->flags & STEP_WORK) {
		if (mkdir("/" STEP_DEVICE_DIR, 0755) && errno != EEXIST)
			return fail_sys(f, "mkdir", "/" STEP_DEVICE_DIR);
		return make_node(state->early->work_fd, step->dst, step, f);
	}
	if (target_parent(state->root_fd, step->dst, &state->parent, &name, f))
		return -1;
	return make_node(state->parent.fd, name, step, f);
}

static int open_inside(int root_fd, const char *path, int flags)
{
	return sys_open_resolve(root_fd, path, flags | O_NONBLOCK | O_NOCTTY, 0,
				RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

/* An address of a resolver on the very machine that asks it. */
static bool is_loopback(const char *server)
{
	static const char *const prefixes[] = {"127.", "::ffff:127."};
	static const char *const words[] = {"::1", "0.0.0.0", "::"};
	size_t length = strcspn(server, " \t\r%");

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (strncmp(server, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i]) == length && strncmp(server, words[i], length) == 0)
			return true;
	return false;
}

/*
 * A resolv.conf of the machine that made the image: what it asks listens there, and not here. One that is
 * longer than such a file ever is, or no text, is somebody's own.
 */
static bool is_stub(int root_fd, const char *path)
{
	static const char server[] = "nameserver";
	AUTO_FD fd = open_inside(root_fd, path, O_RDONLY);
	char text[4096];
	ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text));

	if (got < 0 || got == (ssize_t)sizeof(text) || memchr(text, '\0', (size_t)got))
		return false;
	text[got] = '\0';
	for (char *word = strtok(text, "\n"); word; word = strtok(NULL, "\n")) {
		size_t blanks;

		if (strncmp(word, server, strlen(server)) != 0)
			continue;
		word += strlen(server);
		blanks = strspn(word, " \t");
		if (blanks && !is_loopback(word + blanks))
			return false;
	}
	return true;
}

/* Whether the image's own file, links followed, is to stay. */
static int find_own(int root_fd, const struct step *step, bool *ret, struct failure *f)
{
	struct failure why = {.stage = STAGE_NONE};
	AUTO_FD fd = -1;
	struct stat status;

	*ret = false;
	if (target_find(root_fd, step->dst, &fd, &why) && why.err != ELOOP) {
		*f = why;
		return -1;
	}
	if (fd < 0) /* of a loop, who makes the file has the word */
		return 0;
	if (fstat(fd, &status))
		return fail_sys(f, "stat", step->dst);
	*ret = !S_ISREG(status.st_mode) ||
	       (status.st_size > 0 && !(step->flags & STEP_IF_STUB && is_stub(root_fd, step->dst)));
	return 0;
}

/* It would lead to where something is mounted later, or to nowhere. */
static int remove_link(struct apply_state *state, const struct step *step, struct failure *f)
{
	struct stat status;
	const char *name;

	if (target_parent(state->root_fd, step->dst, &state->parent, &name, f))
		return -1;
	if (fstatat(state->parent.fd, name, &status, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : fail_sys(f, "stat", step->dst);
	return S_ISLNK(status.st_mode) && unlinkat(state->parent.fd, name, 0)
		       ? fail_sys(f, "unlink", step->dst)
		       : 0;
}

/*
 * Links are followed inside the root and a missing file is made where they lead; with STEP_NO_LINK it
 * takes the link's place. Only a regular file is ever written to.
 */
int step_file(struct apply_state *state, const struct step *step, struct failure *f)
{
	AUTO_FD place_fd = -1;
	AUTO_FD fd = -1;
	struct stat status;
	bool has_own = false;

	if (step->flags & STEP_IF_MISSING && find_own(state->root_fd, step, &has_own, f))
		return -1;
	if (has_own)
		return 0;
	if ((step->flags & STEP_NO_LINK && remove_link(state, step, f)) ||
	    target_make_file(state->root_fd, step->dst, &place_fd, f))
		return -1;
	if (fstat(place_fd, &status))
		return fail_sys(f, "stat", step->dst);
	if (!S_ISREG(status.st_mode))
		return fail_err(f, EINVAL, "write", step->dst, "not a regular file");
	fd = open_inside(state->root_fd, step->dst, O_WRONLY | O_TRUNC);
	if (fd < 0)
		return fail_sys(f, "open", step->dst);
	if (sys_write_full(fd, step->src, strlen(step->src)))
		return fail_sys(f, "write", step->dst);
	return step->mode && fchmod(fd, step->mode) ? fail_sys(f, "chmod", step->dst) : 0;
}
