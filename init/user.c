// SPDX-License-Identifier: Apache-2.0
/*
 * The user by name: "USER[:GROUP]", looked up in the image's own passwd and group, as image-spec's
 * config.md says of "User". Without a group, the user's own group and all groups that list him are
 * his; with one, only that is.
 *
 * The files are the image's: lookup_read() reads a regular file's first MiB and nothing else. A
 * name that they do not have is an error; a number that they do not have is fine, and means group 0.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "init/user.h"

#define ID_MAX 4294967294u /* (uid_t)-1 means "no change" to the kernel */

struct text {
	const char *at;
	size_t length;
};

/* The next line, without its end; false: there is none. */
static bool next_line(struct text *rest, struct text *ret)
{
	const char *newline;

	if (!rest->length)
		return false;
	newline = memchr(rest->at, '\n', rest->length);
	*ret = (struct text){rest->at, newline ? (size_t)(newline - rest->at) : rest->length};
	rest->at += ret->length + (newline != NULL);
	rest->length -= ret->length + (newline != NULL);
	return true;
}

/* The next part up to the separator, which is taken off too; false: nothing is left. */
static bool next_part(struct text *rest, char separator, struct text *ret)
{
	const char *end;

	if (!rest->at)
		return false;
	end = memchr(rest->at, separator, rest->length);
	*ret = (struct text){rest->at, end ? (size_t)(end - rest->at) : rest->length};
	rest->length -= ret->length + (end != NULL);
	rest->at = end ? end + 1 : NULL;
	return true;
}

/* The first `count` parts of a line of colon-separated ones; false: there are fewer. */
static bool split(struct text line, struct text *ret, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (!next_part(&line, ':', &ret[i]))
			return false;
	return true;
}

static bool is_same(struct text a, struct text b)
{
	return a.length == b.length && !memcmp(a.at, b.at, a.length);
}

/* Decimal digits and nothing else, an id that the kernel takes. */
static bool parse_id(struct text text, uint32_t *ret)
{
	uint64_t value = 0;

	if (!text.length || text.length > 10)
		return false;
	for (size_t i = 0; i < text.length; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(text.at[i] - '0');
	}
	if (value > ID_MAX)
		return false;
	*ret = (uint32_t)value;
	return true;
}

/* passwd: name:password:uid:gid:... The user's name is left in *ret_name, when there is a line. */
static bool find_user(struct text passwd, struct text wanted, struct oci_user *user,
		      struct text *ret_name)
{
	uint32_t number = 0;
	bool is_number = parse_id(wanted, &number);
	struct text line;

	while (next_line(&passwd, &line)) {
		struct text parts[4];
		uint32_t uid, gid;

		if (!split(line, parts, 4) || !parse_id(parts[2], &uid) ||
		    !parse_id(parts[3], &gid))
			continue;
		if (is_number ? uid != number : !is_same(parts[0], wanted))
			continue;
		user->uid = uid;
		user->gid = gid;
		*ret_name = parts[0];
		return true;
	}
	user->uid = number;
	user->gid = 0;
	return is_number;
}

/* group: name:password:gid:member,member */
static bool find_group(struct text groups, struct text wanted, uint32_t *ret)
{
	struct text line;

	if (parse_id(wanted, ret))
		return true;
	while (next_line(&groups, &line)) {
		struct text parts[3];

		if (split(line, parts, 3) && is_same(parts[0], wanted) && parse_id(parts[2], ret))
			return true;
	}
	return false;
}

static bool has_member(struct text members, struct text name)
{
	struct text member;

	while (next_part(&members, ',', &member))
		if (is_same(member, name))
			return true;
	return false;
}

/* The groups that list the user, at most max of them; the own one is no supplementary one. */
static size_t list_groups(struct text groups, struct text name, uint32_t own, uint32_t *ret,
			  size_t max)
{
	struct text line;
	size_t count = 0;

	while (count < max && next_line(&groups, &line)) {
		struct text parts[4];
		uint32_t gid;

		if (split(line, parts, 4) && has_member(parts[3], name) &&
		    parse_id(parts[2], &gid) && gid != own)
			ret[count++] = gid;
	}
	return count;
}

int user_find(const char *passwd, size_t passwd_length, const char *group, size_t group_length,
	      const char *words, struct user_ids *ret, struct failure *f)
{
	const struct text users = {passwd, passwd_length};
	const struct text groups = {group, group_length};
	struct text rest = {words, strlen(words)};
	struct text name = {NULL, 0}, wanted, wanted_group;
	struct oci_user user = ret->user;

	ret->count = 0;
	if (!next_part(&rest, ':', &wanted) || !find_user(users, wanted, &user, &name))
		return fail_err(f, 0, "", "/etc/passwd", "has no user %.*s",
				(int)(wanted.length < 64 ? wanted.length : 64), wanted.at);
	if (next_part(&rest, ':', &wanted_group)) {
		if (!find_group(groups, wanted_group, &user.gid))
			return fail_err(f, 0, "", "/etc/group", "has no group %.*s",
					(int)(wanted_group.length < 64 ? wanted_group.length : 64),
					wanted_group.at);
	} else if (name.at) {
		ret->count = list_groups(groups, name, user.gid, ret->groups, USER_GROUPS_MAX);
	}
	ret->user = user;
	return 0;
}

static int find(const char *words, struct user_ids *ids, struct failure *f)
{
	size_t passwd_length, group_length;
	char *passwd = NULL, *group = NULL;
	int result = lookup_read("/etc/passwd", &passwd, &passwd_length, f);

	if (result == 0)
		result = lookup_read("/etc/group", &group, &group_length, f);
	if (result == 0)
		result = user_find(passwd, passwd_length, group, group_length, words, ids, f);
	lookup_free(passwd);
	lookup_free(group);
	return result;
}

int user_resolve(const char *words, struct oci_user *user, struct failure *f)
{
	struct user_ids *ids = malloc(sizeof(*ids));
	size_t count;

	if (!ids)
		return fail_err(f, ENOMEM, "malloc", NULL, "groups of the user");
	ids->user = *user;
	if (find(words, ids, f)) {
		free(ids);
		return fail_at(f, STAGE_SPAWN, "/annotations/" OCI_ANNOTATION_USER);
	}
	/* What process.user names as additional comes on top. */
	for (count = 0; count < user->additional_gid_count && ids->count < USER_GROUPS_MAX; count++)
		ids->groups[ids->count++] = user->additional_gids[count];
	*user = ids->user;
	user->additional_gids = ids->groups;
	user->additional_gid_count = ids->count;
	return 0; /* ids lives on: the execve frees all */
}
