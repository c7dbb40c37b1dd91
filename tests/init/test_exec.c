// SPDX-License-Identifier: Apache-2.0
// What a program's first bytes say about its interpreter, and what execve's errors stand for.
#include <elf.h>
#include <errno.h>
#include <stdlib.h>

#include "init/spawn.h"
#include "tests/t.h"

static const char *of_text(const char *text)
{
	static char interpreter[64];

	return exec_interpreter((const uint8_t *)text, strlen(text), interpreter,
				sizeof(interpreter))
		       ? interpreter
		       : NULL;
}

static void scripts(void)
{
	CHECK_STR(of_text("#!/bin/sh\necho"), "/bin/sh");
	CHECK_STR(of_text("#! \t/usr/bin/env  python3 -u\n"), "/usr/bin/env");
	CHECK_STR(of_text("#!/bin/sh\r\necho"), "/bin/sh\r");
	CHECK_STR(of_text("#!/no/newline"), "/no/newline");
	CHECK(of_text("#!\n") == NULL);
	CHECK(of_text("#!") == NULL);
	CHECK(of_text("#!   ") == NULL);
	CHECK(of_text("echo") == NULL);
	CHECK(of_text("") == NULL);
}

static void a_script_line_that_does_not_fit(void)
{
	char text[200] = "#!/";

	memset(text + 3, 'x', sizeof(text) - 4);
	CHECK(of_text(text) == NULL);
}

struct program64 {
	Elf64_Ehdr header;
	Elf64_Phdr segments[2];
	char interpreter[16];
};

static struct program64 make64(void)
{
	struct program64 p = {
		.header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB},
			   .e_phoff = offsetof(struct program64, segments),
			   .e_phentsize = sizeof(Elf64_Phdr),
			   .e_phnum = 2},
		.segments = {{.p_type = PT_LOAD},
			     {.p_type = PT_INTERP,
			      .p_offset = offsetof(struct program64, interpreter),
			      .p_filesz = 9}},
		.interpreter = "/lib/ld1",
	};

	return p;
}

static const char *of_program(const void *program, size_t length)
{
	static char interpreter[64];

	return exec_interpreter(program, length, interpreter, sizeof(interpreter)) ? interpreter
										   : NULL;
}

static void programs_of_64_bits(void)
{
	struct program64 p = make64();

	CHECK_STR(of_program(&p, sizeof(p)), "/lib/ld1");
	p.header.e_phnum = 1;
	CHECK(of_program(&p, sizeof(p)) == NULL);
}

static void programs_of_32_bits(void)
{
	struct {
		Elf32_Ehdr header;
		Elf32_Phdr segment;
		char interpreter[16];
	} p = {
		.header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB},
			   .e_phoff = sizeof(Elf32_Ehdr),
			   .e_phentsize = sizeof(Elf32_Phdr),
			   .e_phnum = 1},
		.segment = {.p_type = PT_INTERP,
			    .p_offset = sizeof(Elf32_Ehdr) + sizeof(Elf32_Phdr),
			    .p_filesz = 9},
		.interpreter = "/lib/ld2",
	};

	CHECK_STR(of_program(&p, sizeof(p)), "/lib/ld2");
}

/* Whatever stands in the file: nothing is read outside its bytes (the sanitizer says). */
static void hostile_programs(void)
{
	struct program64 whole = make64();
	static const uint64_t values[] = {
		0, 1, 8, 100, sizeof(whole), 1u << 31, UINT64_MAX - 8, UINT64_MAX};

	for (size_t length = 0; length <= sizeof(whole); length++) {
		uint8_t *exact = memcpy(malloc(length + 1), &whole, length);

		(void)of_program(exact, length);
		free(exact);
	}
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct program64 p = whole;

		p.header.e_phoff = values[i];
		(void)of_program(&p, sizeof(p));
		p = whole;
		p.segments[1].p_offset = values[i];
		(void)of_program(&p, sizeof(p));
		p = whole;
		p.segments[1].p_filesz = values[i];
		CHECK(values[i] == 9 || !of_program(&p, sizeof(p)) || values[i] <= 16);
		p = whole;
		p.header.e_phentsize = (uint16_t)values[i];
		p.header.e_phnum = 0xffff;
		(void)of_program(&p, sizeof(p));
	}
}

static void an_interpreter_without_end(void)
{
	struct program64 p = make64();

	p.segments[1].p_filesz = 8; /* without its NUL */
	CHECK(of_program(&p, sizeof(p)) == NULL);
	p.header.e_ident[EI_CLASS] = 3;
	CHECK(of_program(&p, sizeof(p)) == NULL);
}

static void error_codes(void)
{
	static const int found[] = {EACCES, ENOEXEC, ELOOP,  ENAMETOOLONG, ENOTDIR, E2BIG,
				    EPERM,  ETXTBSY, EINVAL, EIO,          ENOMEM,  EISDIR};

	CHECK_INT(exec_error_code(ENOENT), 127);
	for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++)
		CHECK_INT(exec_error_code(found[i]), 126);
}

static const struct t_case cases[] = {
	{"scripts", scripts},
	{"a-script-line-that-does-not-fit", a_script_line_that_does_not_fit},
	{"programs-of-64-bits", programs_of_64_bits},
	{"programs-of-32-bits", programs_of_32_bits},
	{"hostile-programs", hostile_programs},
	{"an-interpreter-without-end", an_interpreter_without_end},
	{"error-codes", error_codes},
};

T_MAIN("init-exec", cases)
