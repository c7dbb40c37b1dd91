// SPDX-License-Identifier: Apache-2.0
/*
 * Any bytes as the beginning of a program: the interpreter that it asks for, beside a reading with the
 * structs of elf.h. The first byte is how much room there is for the answer.
 */
#include <elf.h>

#include "fuzz.h"
#include "init/spawn.h"

#define HEAD_MAX 4096

/* What a first line says, by strcspn(3). */
static bool script(const char *text, char *ret, size_t size)
{
	const char *begin = text + 2 + strspn(text + 2, " \t");
	size_t length = strcspn(begin, " \t\n");

	if (length == 0 || length >= size)
		return false;
	memcpy(ret, begin, length);
	ret[length] = '\0';
	return true;
}

/* The same for both classes: a table entry must lie within the bytes as far as it is read. */
#define ELF_READER(bits)                                                                       \
	static bool elf##bits(const uint8_t *head, size_t length, char *ret, size_t size)      \
	{                                                                                      \
		Elf##bits##_Ehdr header = {0};                                                 \
		Elf##bits##_Phdr entry = {0};                                                  \
		const size_t needed =                                                          \
			offsetof(Elf##bits##_Phdr, p_filesz) + sizeof(entry.p_filesz);         \
                                                                                               \
		if (length < offsetof(Elf##bits##_Ehdr, e_phnum) + 2)                          \
			return false;                                                          \
		memcpy(&header, head, length < sizeof(header) ? length : sizeof(header));      \
		for (size_t i = 0; i < header.e_phnum; i++) {                                  \
			__uint128_t at = (__uint128_t)header.e_phoff + i * header.e_phentsize; \
                                                                                               \
			if (at + 4 > length)                                                   \
				return false;                                                  \
			memcpy(&entry.p_type, head + (size_t)at, 4);                           \
			if (entry.p_type != PT_INTERP)                                         \
				continue;                                                      \
			if (at + needed > length)                                              \
				return false;                                                  \
			memcpy(&entry, head + (size_t)at, needed);                             \
			if (entry.p_filesz < 2 || entry.p_filesz > size ||                     \
			    (__uint128_t)entry.p_offset + entry.p_filesz > length ||           \
			    head[entry.p_offset + entry.p_filesz - 1])                         \
				return false;                                                  \
			memcpy(ret, head + entry.p_offset, entry.p_filesz);                    \
			return true;                                                           \
		}                                                                              \
		return false;                                                                  \
	}
ELF_READER(32)
ELF_READER(64)

static bool expected(const uint8_t *head, size_t length, char *ret, size_t size)
{
	bool is_found = false;

	if (length > 2 && memcmp(head, "#!", 2) == 0) {
		char *text = exact_string(head, length);

		is_found = script(text, ret, size);
		free(text);
	} else if (length > EI_CLASS && memcmp(head, ELFMAG, SELFMAG) == 0) {
		if (head[EI_CLASS] == ELFCLASS32)
			is_found = elf32(head, length, ret, size);
		if (head[EI_CLASS] == ELFCLASS64)
			is_found = elf64(head, length, ret, size);
	}
	return is_found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t room, length;
	uint8_t *head;
	char *ours, theirs[256];
	bool is_found;

	if (size < 1 || size - 1 > HEAD_MAX)
		return 0;
	room = 1 + (size_t)data[0];
	length = size - 1;
	head = exact_copy(data + 1, length);
	ours = malloc(room);
	is_found = exec_interpreter(head, length, ours, room);
	require(is_found == expected(head, length, theirs, room));
	if (is_found)
		require(strnlen(ours, room) < room && strcmp(ours, theirs) == 0);
	free(ours);
	free(head);
	return 0;
}
