// SPDX-License-Identifier: Apache-2.0
/*
 * Small edits of a config.json's text, for the host. The text is spliced, not parsed and printed:
 * what is not edited stays byte for byte, numbers above 2^63 too. Pure.
 *
 * The functions take bytes that oci_parse() has accepted; the caller parses the result again.
 */
#ifndef OCI_EDIT_H
#define OCI_EDIT_H

#include <stdbool.h>
#include <stddef.h>

#include <smk/fail.h>

/* A malloc'd text with process.env replaced by (or, when absent, set to) items[0..count-1]. */
int oci_edit_env(const char *text, size_t length, const char *const *items, size_t count,
		 char **ret_text, size_t *ret_length, struct failure *f) FAIL_MUST_CHECK;
/* A malloc'd text with process.consoleSize set. */
int oci_edit_console_size(const char *text, size_t length, unsigned rows, unsigned columns,
			  char **ret_text, size_t *ret_length, struct failure *f) FAIL_MUST_CHECK;
/* A malloc'd text without those entries i of mounts for which drop[i] is set. */
int oci_edit_drop_mounts(const char *text, size_t length, const bool *drop, size_t count,
			 char **ret_text, size_t *ret_length, struct failure *f) FAIL_MUST_CHECK;
/* A malloc'd text with annotations added, which must not be there yet. */
int oci_edit_annotations(const char *text, size_t length, const char *const *keys,
			 const char *const *values, size_t count, char **ret_text,
			 size_t *ret_length, struct failure *f) FAIL_MUST_CHECK;

#endif
