// SPDX-License-Identifier: Apache-2.0
/*
 * The probe: a static program that tests give a container as its entrypoint. Without a command it
 * prints what it sees as one JSON object; with one it does what the command says.
 */
#ifndef TESTS_PROBE_PROBE_H
#define TESTS_PROBE_PROBE_H

#include <stddef.h>
#include <stdint.h>

/* One sub-command; argv[0] is its name. Its result is the exit code. */
struct command {
	const char *name;
	const char *arguments; /* for the usage text */
	int (*run)(int argc, char *argv[]);
};

/* Each file's commands; the list ends with a NULL name. */
extern const struct command process_commands[];
extern const struct command stream_commands[];
extern const struct command attack_commands[];
extern const struct command tree_commands[];
extern const struct command entries_commands[];
extern const struct command schedule_commands[];
extern const struct command stalk_commands[];

/* Prints "probe: WHAT: strerror" on standard error; returns 1. */
int main(int argc, char *argv[]);
int complain(const char *what);
long number(const char *text);

/* JSON on standard output: a comma is put where one is due. */
void json_open(const char *key, char bracket);
void json_close(char bracket);
void json_text(const char *key, const char *value);
void json_bytes(const char *key, const char *value, size_t length);
void json_number(const char *key, uint64_t value);
void json_signed(const char *key, int64_t value);

/* Everything. */
int print_facts(int argc, char *argv[]);
/* Parts of it. */
void facts_ids(void);
void facts_limits(void);
void facts_namespaces(void);
void facts_schedule(void);
void facts_files(void);
void facts_descriptors(void);
void facts_devices(void);
void facts_access(int argc, char *argv[]);
void facts_calls(void);
void facts_mount_roots(void);
void facts_attributes(void);
void facts_network(void);
void facts_mounts(void);

/* The whole of a small file, NUL-terminated, in a static buffer; NULL: cannot be read. */
const char *file_text(const char *path, size_t *ret_length);

#endif
