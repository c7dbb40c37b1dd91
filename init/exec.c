// SPDX-License-Identifier: Apache-2.0
/*
 * The execve of the entrypoint: finds args[0] on the PATH of the process's own environment, and
 * says of a failed execve what a person needs to know. In particular "no such file" may be about
 * the program or about the interpreter that the program asks for, and the kernel's errno does not
 * tell.
 *
 * Unlike execvp(3) there is no falling back to /bin/sh for a file that no loader knows.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "init/spawn.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define HEAD_BYTES   4096

int exec_error_code(int err)
{
	return err == ENOENT ? SMK_EXIT_NOT_FOUND : SMK_EXIT_CANNOT_RUN;
}

/* "#!", blanks, the interpreter up to a blank or the end of the line. */
static bool script_interpreter(const uint8_t *head, size_t length, char *ret, size_t size)
{
	size_t begin = 2;

	while (begin < length && (head[begin] == ' ' || head[begin] == '\t'))
		begin++;
	size_t end = begin;

	while (end < length && !memchr(" \t\n", head[end], 4)) /* the NUL too */
		end++;
	if (end == begin || end - begin >= size)
		return false;
	*(char *)mempcpy(ret, head + begin, end - begin) = '\0';
	return true;
}

/* Offsets of what we read of an ELF file, by class. */
struct elf_layout {
	size_t phoff, phoff_size, phentsize, phnum;
	size_t p_offset, p_filesz, word;
};

static const struct elf_layout elf_layouts[] = {
	[ELFCLASS32] = {offsetof(Elf32_Ehdr, e_phoff), 4, offsetof(Elf32_Ehdr, e_phentsize),
			offsetof(Elf32_Ehdr, e_phnum), offsetof(Elf32_Phdr, p_offset),
			offsetof(Elf32_Phdr, p_filesz), 4},
	[ELFCLASS64] = {offsetof(Elf64_Ehdr, e_phoff), 8, offsetof(Elf64_Ehdr, e_phentsize),
			offsetof(Elf64_Ehdr, e_phnum), offsetof(Elf64_Phdr, p_offset),
			offsetof(Elf64_Phdr, p_filesz), 8},
};

/* A little-endian number of `size` bytes; false when it does not lie within the bytes. */
static bool read_number(const uint8_t *bytes, size_t length, uint64_t at, size_t size,
			uint64_t *ret)
{
	uint64_t value = 0;

	if (at > length || length - at < size)
		return false;
	for (size_t i = size; i-- > 0;)
		value = value << 8 | bytes[at + i];
	*ret = value;
	return true;
}

static bool copy_interpreter(const uint8_t *head, size_t length, uint64_t at, uint64_t count,
			     char *ret, size_t size)
{
	if (count < 2 || count > size || at > length || count > length - at)
		return false;
	if (head[at + count - 1] != '\0')
		return false;
	memcpy(ret, head + at, count);
	return true;
}

static bool elf_interpreter(const uint8_t *head, size_t length, char *ret, size_t size)
{
	uint64_t phoff, phentsize, phnum, type, at, count;

	if (length <= EI_CLASS || head[EI_CLASS] < ELFCLASS32 || head[EI_CLASS] > ELFCLASS64)
		return false;
	const struct elf_layout *l = &elf_layouts[head[EI_CLASS]];

	if (!read_number(head, length, l->phoff, l->phoff_size, &phoff) ||
	    !read_number(head, length, l->phentsize, 2, &phentsize) ||
	    !read_number(head, length, l->phnum, 2, &phnum) || phoff > length)
		return false;
	for (uint64_t i = 0; i < phnum; i++) {
		uint64_t entry = phoff + i * phentsize;

		if (!read_number(head, length, entry, 4, &type))
			return false;
		if (type == PT_INTERP)
			return read_number(head, length, entry + l->p_offset, l->word, &at) &&
			       read_number(head, length, entry + l->p_filesz, l->word, &count) &&
			       copy_interpreter(head, length, at, count, ret, size);
	}
	return false;
}

bool exec_interpreter(const uint8_t *head, size_t length, char *ret, size_t size)
{
	if (length > 2 && head[0] == '#' && head[1] == '!')
		return script_interpreter(head, length, ret, size);
	if (length > SELFMAG && memcmp(head, ELFMAG, SELFMAG) == 0)
		return elf_interpreter(head, length, ret, size);
	return false;
}

/* execve said ENOENT and the file is there: something that it asks for is not. */
static int fail_interpreter(const char *path, struct failure *f)
{
	uint8_t head[HEAD_BYTES];
	char interpreter[128];
	ssize_t length = -1;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd >= 0) {
		length = read(fd, head, sizeof(head));
		close(fd);
	}
	if (length > 0 && exec_interpreter(head, (size_t)length, interpreter, sizeof(interpreter)))
		return fail_err(f, ENOENT, "execve", path, "its interpreter %s is missing",
				interpreter);
	return fail_err(f, ENOENT, "execve", path, "its interpreter or loader is missing");
}

static void fail_exec(int err, const char *path, struct failure *f)
{
	if (err == ENOENT && faccessat(AT_FDCWD, path, F_OK, 0) == 0)
		fail_interpreter(path, f);
	else
		fail_err(f, err, "execve", path, "%s", "");
	fail_at(f, STAGE_SPAWN, "/process/args/0");
	fail_code(f, exec_error_code(err));
}

/* These say "not in this directory"; anything else is about the program itself. */
static bool is_elsewhere(int err, const char *path)
{
	return err == ENOTDIR || (err == ENOENT && faccessat(AT_FDCWD, path, F_OK, 0) < 0);
}

/*
 * Tries each directory of PATH; an empty one is the current directory, as everywhere. A file that
 * may not be executed does not end the search, but is what is reported when nothing better comes.
 */
static void exec_on_path(char *const args[], char *const env[], struct failure *f)
{
	const char *path = lookup_env(env, "PATH");
	const char *dir = path ? path : DEFAULT_PATH;
	char candidate[4096], denied[4096] = "";

	for (;;) {
		size_t length = strcspn(dir, ":");
		int n = snprintf(candidate, sizeof(candidate), "%.*s%s%s", (int)length, dir,
				 length ? "/" : "./", args[0]);

		if (n > 0 && (size_t)n < sizeof(candidate)) {
			execve(candidate, args, env);
			int err = errno;

			if (err == EACCES && !denied[0]) {
				strcpy(denied, candidate);
			} else if (err != EACCES && !is_elsewhere(err, candidate)) {
				fail_exec(err, candidate, f);
				return;
			}
		}
		if (!dir[length])
			break;
		dir += length + 1;
	}
	if (denied[0]) {
		fail_exec(EACCES, denied, f);
		return;
	}
	fail_err(f, ENOENT, "execve", args[0], "not found on the PATH");
	fail_at(f, STAGE_SPAWN, "/process/args/0");
	fail_code(f, SMK_EXIT_NOT_FOUND);
}

void exec_entrypoint(char *const args[], char *const env[], struct failure *f)
{
	if (args[0][0] != '\0' && !strchr(args[0], '/')) {
		exec_on_path(args, env, f);
		return;
	}
	execve(args[0], args, env);
	fail_exec(errno, args[0], f);
}
