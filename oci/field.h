// SPDX-License-Identifier: Apache-2.0
/*
 * Typed reading of a JSON tree into structs, driven by tables.
 *
 * An object is described by rows of `struct rule`: a member's key, the function that reads it, and
 * where in the caller's struct the result goes. A `struct field` is a value and how it was reached,
 * as a chain of structs on the stack; the JSON pointer is written out only when a message needs it,
 * so that errors name their field and correct input pays nothing for it.
 */
#ifndef OCI_FIELD_H
#define OCI_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "document.h"
#include "oci.h"

struct field {
	const struct field *up; /* NULL: the document */
	const char *key;        /* NULL: element number index */
	size_t index;
	const struct json_t *value;
	struct document *document;
};

struct rules;
struct names;

struct rule {
	const char *key;
	/* Reads the value into ret, which is the caller's struct plus offset. */
	int (*read)(const struct field *field, const struct rule *rule, void *ret,
		    struct failure *f);
	size_t offset;
	size_t present; /* offset of a bool that becomes true when the member is there; 0: none */
	bool is_required;
	int64_t min; /* of integers; max 0: the type's own limits */
	int64_t max;
	const struct rules *members; /* of field_object */
	const struct names *names;   /* of field_name and field_flags */
};

struct rules {
	const struct rule *rows;
	size_t count;
};

#define RULES(name, rules_rows) \
	static const struct rules name = {rules_rows, sizeof(rules_rows) / sizeof((rules_rows)[0])}

/* Readers to stand in rows. */
int field_bool(const struct field *, const struct rule *, void *ret, struct failure *);
int field_u16(const struct field *, const struct rule *, void *ret, struct failure *);
int field_u32(const struct field *, const struct rule *, void *ret, struct failure *);
int field_u64(const struct field *, const struct rule *, void *ret, struct failure *);
int field_int(const struct field *, const struct rule *, void *ret, struct failure *);
int field_i64(const struct field *, const struct rule *, void *ret, struct failure *);
int field_string(const struct field *, const struct rule *, void *ret, struct failure *);
/* One of rule->names, as an int; or an array of them, or-ed into a uint32_t. */
int field_name(const struct field *, const struct rule *, void *ret, struct failure *);
int field_flags(const struct field *, const struct rule *, void *ret, struct failure *);
int field_strings(const struct field *, const struct rule *, void *ret, struct failure *);
/* A string that is not empty and, being a path, shorter than PATH_MAX. */
int field_path(const struct field *, const struct rule *, void *ret, struct failure *);
/* The same, absolute and cleaned; ".." stays. */
int field_absolute_path(const struct field *, const struct rule *, void *ret, struct failure *);
/* An object, its members by rule->members into the struct at ret. */
int field_object(const struct field *, const struct rule *, void *ret, struct failure *);

/* Reads every member of an object by its rule. Members without one go to the
 * document's read_unknown. */
int field_members(const struct field *field, const struct rules *rules, void *ret,
		  struct failure *f) FAIL_MUST_CHECK;

/* Reads an array into fresh memory: count zeroed elements of size bytes, each by one call; after
 * them comes one that stays zero. */
struct field_list {
	size_t size;
	int (*read)(const struct field *field, void *ret_element, struct failure *f);
};
int field_list(const struct field *field, const struct field_list *list, void *ret_items,
	       size_t *ret_count, struct failure *f) FAIL_MUST_CHECK;

/* Checks the JSON type: 's' string, 'b' boolean, 'i' number, 'a' array, 'o' object. */
int field_expect(const struct field *field, char type, struct failure *f) FAIL_MUST_CHECK;
/* The pointer's text in the arena; NULL: no memory. */
const char *field_pointer_text(const struct field *field);
bool field_is_empty(const struct field *field);    /* "", [] or {} */
const char *field_text(const struct field *field); /* of a string */
/* "/a//b/./c/" -> "/a/b/c"; a relative path gets its "/"; ".." stays. NULL: no memory. */
char *field_clean_path(struct arena *arena, const char *path);
/* Calls read for each member of an object, whatever its key. */
int field_each(const struct field *field,
	       int (*read)(const struct field *member, void *context, struct failure *f),
	       void *context, struct failure *f) FAIL_MUST_CHECK;
size_t field_count(const struct field *field); /* members of an object */

/* The JSON pointer as text, cut at its front when longer than the buffer. */
void field_pointer(const struct field *field, char *buffer, size_t size);
/* fail_config() for this field. */
int field_fail(const struct field *field, struct failure *f, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* A warning about this field. */
int field_warn(const struct field *field, struct failure *f, const char *fmt, ...)
	__attribute__((format(printf, 3, 4))) FAIL_MUST_CHECK;

/* A value shown in a message: in quotes, cut when long. */
#define SHOWN "\"%.40s\""

#endif
