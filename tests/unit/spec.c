// SPDX-License-Identifier: Apache-2.0
/* What a configuration becomes: every value in its place, numbers and names translated. */
#include <linux/mount.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "oci/plan.h"
#include "tests/unit/config.h"

#define HEAD "{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"r\"},"

static void process(void)
{
	static const char text[] = HEAD
		"\"process\":{\"terminal\":true,\"consoleSize\":{\"height\":24,\"width\":80},"
		"\"args\":[\"sh\",\"-c\",\"\"],\"env\":[\"A=1\",\"B=\"],\"cwd\":\"/srv//x/./\","
		"\"user\":{\"uid\":1000,\"gid\":4294967294,\"umask\":63,\"additionalGids\":[5,0]},"
		"\"noNewPrivileges\":true,\"oomScoreAdj\":-1000}}";
	struct oci_spec spec;

	if (!parse(text, &spec))
		return;
	CHECK(spec.has_process && spec.process.terminal && spec.process.has_console_size);
	CHECK_INT(spec.process.console_rows, 24);
	CHECK_INT(spec.process.console_columns, 80);
	CHECK_INT(spec.process.args.count, 3);
	CHECK_STR(spec.process.args.items[1], "-c");
	CHECK(!spec.process.args.items[3]);
	CHECK_STR(spec.process.env.items[1], "B=");
	CHECK(!spec.process.env.items[2]);
	CHECK_STR(spec.process.cwd, "/srv/x");
	CHECK_INT(spec.process.user.uid, 1000);
	CHECK_INT(spec.process.user.gid, 4294967294);
	CHECK(spec.process.user.has_umask && spec.process.user.umask == 077);
	CHECK_INT(spec.process.user.additional_gid_count, 2);
	CHECK_INT(spec.process.user.additional_gids[0], 5);
	CHECK(spec.process.no_new_privileges && spec.process.has_oom_score_adj);
	CHECK_INT(spec.process.oom_score_adj, -1000);
	oci_spec_finish(&spec);
	CHECK(!spec.arena);
}

/* Also names that begin like another one, and that sort before and after "=". */
static void repeated_variables(void)
{
	static const char text[] =
		HEAD "\"process\":{\"cwd\":\"/\",\"args\":[\"a\"],\"env\":[\"A=1\",\"AB=\","
		     "\"A-B=x\",\"B==\",\"A=2\",\"A-B=y=z\",\"ABC=1\",\"A=\",\"B=B=C\"]}}";
	static const char *const wanted[] = {"A=", "AB=", "A-B=y=z", "B=B=C", "ABC=1"};
	struct oci_spec spec;

	if (!parse(text, &spec))
		return;
	CHECK_INT(spec.process.env.count, 5);
	for (size_t i = 0; i < 5; i++)
		CHECK_STR(spec.process.env.items[i], wanted[i]);
	CHECK(!spec.process.env.items[5]);
	oci_spec_finish(&spec);
}

static void absent_values(void)
{
	struct oci_spec spec;

	if (!parse(HEAD RUN "}", &spec))
		return;
	CHECK(!spec.hostname && !spec.domainname && !spec.mount_count && !spec.device_count);
	CHECK(!spec.process.terminal && !spec.process.has_console_size);
	CHECK(!spec.process.user.has_umask && !spec.process.has_oom_score_adj);
	CHECK(!spec.process.caps.present && !spec.process.rlimit_count);
	CHECK_INT(spec.process.user.uid, 0);
	CHECK_INT(spec.process.env.count, 0);
	CHECK(spec.process.env.items && !spec.process.env.items[0]);
	CHECK_INT(spec.warning_count, 0);
	oci_spec_finish(&spec);
}

static void capabilities(void)
{
	static const char text[] =
		HEAD "\"process\":{\"args\":[\"a\"],\"cwd\":\"/\",\"capabilities\":{"
		     "\"bounding\":[\"CAP_CHOWN\",\"CAP_CHECKPOINT_RESTORE\"],"
		     "\"permitted\":[\"CAP_CHOWN\",\"CAP_KILL\"],\"effective\":[\"CAP_KILL\"],"
		     "\"inheritable\":[\"CAP_CHOWN\"],\"ambient\":[\"CAP_CHOWN\"]}}}";
	struct oci_spec spec;

	if (!parse(text, &spec))
		return;
	CHECK(spec.process.caps.present);
	CHECK(spec.process.caps.bounding == (1ULL << 40 | 1));
	CHECK(spec.process.caps.permitted == (1ULL << 5 | 1));
	CHECK(spec.process.caps.effective == 1ULL << 5);
	CHECK(spec.process.caps.inheritable == 1);
	CHECK(spec.process.caps.ambient == 1);
	oci_spec_finish(&spec);
}

static void limits_to_infinity(void)
{
	static const char text[] =
		HEAD "\"process\":{\"args\":[\"a\"],\"cwd\":\"/\",\"rlimits\":["
		     "{\"type\":\"RLIMIT_NOFILE\",\"soft\":1024,\"hard\":18446744073709551615},"
		     "{\"type\":\"RLIMIT_RTTIME\",\"soft\":9223372036854775807,"
		     "\"hard\":9223372036854775808},"
		     "{\"type\":\"RLIMIT_CPU\",\"soft\":18446744073709551614,"
		     "\"hard\":18446744073709551615}]}}";
	struct oci_spec spec;

	if (!parse(text, &spec))
		return;
	CHECK_INT(spec.process.rlimit_count, 3);
	CHECK_INT(spec.process.rlimits[0].resource, RLIMIT_NOFILE);
	CHECK_INT(spec.process.rlimits[0].soft, 1024);
	CHECK(spec.process.rlimits[0].hard == UINT64_MAX);
	CHECK_INT(spec.process.rlimits[1].resource, 15);
	CHECK(spec.process.rlimits[1].soft == INT64_MAX);
	CHECK(spec.process.rlimits[1].hard == (uint64_t)INT64_MAX + 1);
	CHECK(spec.process.rlimits[2].soft == UINT64_MAX - 1);
	CHECK(spec.process.rlimits[2].hard == UINT64_MAX);
	oci_spec_finish(&spec);
}

static void mounts(void)
{
	static const char text[] = HEAD RUN
		",\"mounts\":[{\"destination\":\"//a/./b/\",\"type\":\"tmpfs\",\"source\":\"t\","
		"\"options\":[\"ro\",\"nosuid\",\"strictatime\",\"size=1k\",\"sync\"]},"
		"{\"destination\":\"/c\",\"source\":\"/d/"
		"\",\"options\":[\"rbind\",\"rw\",\"noatime\","
		"\"rslave\"]}]}";
	struct oci_spec spec;

	if (!parse(text, &spec))
		return;
	CHECK_INT(spec.mount_count, 2);
	CHECK_STR(spec.mounts[0].destination, "/a/b");
	CHECK_STR(spec.mounts[0].type, "tmpfs");
	CHECK_STR(spec.mounts[0].source, "t");
	CHECK(!spec.mounts[0].bind && spec.mounts[0].sb_readonly);
	CHECK_INT(spec.mounts[0].attr_set,
		  MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_STRICTATIME);
	CHECK_INT(spec.mounts[0].data.count, 2);
	CHECK_STR(spec.mounts[0].data.items[0], "size=1k");
	CHECK_STR(spec.mounts[0].data.items[1], "sync");
	CHECK(!spec.mounts[0].data.items[2]);
	CHECK(spec.mounts[1].bind && spec.mounts[1].recursive && !spec.mounts[1].type);
	CHECK_STR(spec.mounts[1].source, "/d");
	CHECK_INT(spec.mounts[1].attr_set, MOUNT_ATTR_NOATIME);
	CHECK_INT(spec.mounts[1].attr_clear, MOUNT_ATTR_RDONLY | MOUNT_ATTR__ATIME);
	CHECK_INT(spec.mounts[1].propagation, OCI_PROPAGATION_SLAVE);
	CHECK(spec.mounts[1].propagation_recursive);
	oci_spec_finish(&spec);
}

static void names_devices_annotations(void)
{
	static const char text[] = HEAD RUN
		",\"hostname\":\"h\",\"domainname\":\"d\",\"annotations\":{\"a/"
		"b\":\"\",\"c\":\"d\"},"
		"\"linux\":{\"devices\":[{\"type\":\"b\",\"path\":\"/dev//"
		"x\",\"major\":7,\"minor\":1,"
		"\"fileMode\":384,\"uid\":3,\"gid\":4},{\"type\":\"p\",\"path\":\"/p\"}]}}";
	struct oci_spec spec;

	if (!parse(text, &spec))
		return;
	CHECK_STR(spec.version, "1.2.0");
	CHECK_STR(spec.root.path, "r");
	CHECK_STR(spec.hostname, "h");
	CHECK_STR(spec.domainname, "d");
	CHECK_INT(spec.annotation_count, 2);
	CHECK_STR(spec.annotations[0].key, "a/b");
	CHECK_STR(spec.annotations[1].value, "d");
	CHECK_INT(spec.device_count, 2);
	CHECK_STR(spec.devices[0].path, "/dev/x");
	CHECK_INT(spec.devices[0].mode, S_IFBLK | 0600);
	CHECK_INT(spec.devices[0].major, 7);
	CHECK_INT(spec.devices[0].uid, 3);
	CHECK_INT(spec.devices[0].gid, 4);
	CHECK_INT(spec.devices[1].mode, S_IFIFO | 0666);
	oci_spec_finish(&spec);
}

static void strings_are_decoded(void)
{
	static const char text[] =
		HEAD "\"process\":{\"cwd\":\"/\",\"args\":[\"A\\u0042C\",\"caf\\u00e9\","
		     "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"\\uD83D\\ude00\\uffff\",\"x\\u20ACy\"]}}";
	struct oci_spec spec;

	if (!parse(text, &spec))
		return;
	CHECK_STR(spec.process.args.items[0], "ABC");
	CHECK_STR(spec.process.args.items[1], "caf\xc3\xa9");
	CHECK_STR(spec.process.args.items[2], "\"\\/\b\f\n\r\t");
	CHECK_STR(spec.process.args.items[3], "\xf0\x9f\x98\x80\xef\xbf\xbf");
	CHECK_STR(spec.process.args.items[4], "x\xe2\x82\xacy");
	oci_spec_finish(&spec);
}

static void failure_leaves_the_result_alone(void)
{
	struct oci_spec spec = {.version = "mine"};
	struct failure f = {.stage = STAGE_NONE};

	CHECK_INT(oci_parse("{}", 2, 5, &spec, &f), -1);
	CHECK_STR(spec.version, "mine");
	CHECK(!spec.arena);
	CHECK_INT(f.stage, STAGE_PARSE);
	CHECK_STR(f.field, "/ociVersion");
}

/* The text need not end with a NUL: the bytes after it are another's. */
static void reads_no_further_than_its_length(void)
{
	static const char text[] = HEAD RUN "}";
	size_t length = sizeof(text) - 1;
	struct oci_spec spec;
	struct failure f;
	char *copy;

	for (size_t cut = 0; cut <= length; cut++) {
		copy = malloc(cut ? cut : 1); /* the sanitizer guards its end */
		memcpy(copy, text, cut);
		f = (struct failure){.stage = STAGE_NONE};
		CHECK_INT(oci_parse(copy, cut, 5, &spec, &f), cut == length ? 0 : -1);
		if (cut == length)
			oci_spec_finish(&spec);
		free(copy);
	}
}

static const struct t_case cases[] = {
	{"process", process},
	{"repeated variables", repeated_variables},
	{"absent values", absent_values},
	{"capabilities", capabilities},
	{"limits to infinity", limits_to_infinity},
	{"mounts", mounts},
	{"names, devices, annotations", names_devices_annotations},
	{"strings are decoded", strings_are_decoded},
	{"failure leaves the result alone", failure_leaves_the_result_alone},
	{"reads no further than its length", reads_no_further_than_its_length},
};
T_MAIN("spec", cases)
