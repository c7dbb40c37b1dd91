// SPDX-License-Identifier: Apache-2.0
/* Of image.c: the documents that are refused, and in which words. */
#ifndef TESTS_UNIT_IMAGE_REFUSALS_H
#define TESTS_UNIT_IMAGE_REFUSALS_H

#define HEX_A       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX_A_UPPER "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define MANIFEST_SHOWN \
	"application/vnd.oci.image.manifest.v1+js" /* as much as is shown of a text */
#define DIGEST    "sha256:" HEX_A
#define MANIFEST  "application/vnd.oci.image.manifest.v1+json"
#define CONFIG    "application/vnd.oci.image.config.v1+json"
#define LAYER     "application/vnd.oci.image.layer.v1.tar"
#define DIGEST_IS "must be sha256: and 64 lower-case digits, not "

#define DESCRIPTOR(type, more) \
	"{\"mediaType\":\"" type "\",\"digest\":\"" DIGEST "\",\"size\":7" more "}"
#define LAYERS(more)    "\"layers\":[" DESCRIPTOR(LAYER, more) "]"
#define ROOTFS          "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" DIGEST "\"]}"
#define ARM64           "\"os\":\"linux\",\"architecture\":\"arm64\""
#define ENTRY(members)  "{\"schemaVersion\":2,\"manifests\":[{" members "}]}"
#define TYPED(members)  ENTRY("\"mediaType\":\"x\"," members)
#define SIZED(size)     TYPED("\"digest\":\"" DIGEST "\",\"size\":" size)
#define DIGESTED(text)  TYPED("\"size\":1,\"digest\":\"" text "\"")
#define IMAGED(members) "{" ARM64 "," ROOTFS ",\"config\":{" members "}}"
#define PATH(kind)      "/manifests/0/" kind

enum kind { INDEX, MANIFEST_, IMAGE, SAVED, STRINGS, LAYOUT };

/* clang-format off */
static const struct {
	enum kind kind;
	const char *text, *field, *why;
} refusals[] = {
	{INDEX, "[]", "", "expected an object"},
	{INDEX, "{}", "/schemaVersion", "must be given"},
	{INDEX, "{\"schemaVersion\":1,\"manifests\":[]}", "/schemaVersion", "must be 2, not 1"},
	{INDEX, "{\"schemaVersion\":\"2\",\"manifests\":[]}", "/schemaVersion", "must be an integer, not a string"},
	{INDEX, "{\"schemaVersion\":null,\"manifests\":[]}", "/schemaVersion", "must be an integer, not null"},
	{INDEX, "{\"schemaVersion\":2}", "/manifests", "must be given"},
	{INDEX, "{\"schemaVersion\":2,\"manifests\":null}", "/manifests", "must be an array, not null"},
	{INDEX, "{\"schemaVersion\":2,\"manifests\":{}}", "/manifests", "must be an array, not an object"},
	{INDEX, "{\"schemaVersion\":2,\"manifests\":[7]}", "/manifests/0", "must be an object, not a number"},
	{INDEX, "{\"schemaVersion\":2,\"manifests\":[],\"manifests\":[]}", "", "this key is there twice"},
	{INDEX, "{\"schemaVersion\":2,\"mediaType\":7,\"manifests\":[]}", "/mediaType", "must be a string, not a number"},
	{INDEX, "{\"schemaVersion\":2,\"mediaType\":\"" MANIFEST "\",\"manifests\":[]}", "/mediaType",
		"must be an image index's, not \"" MANIFEST_SHOWN "\""},
	{INDEX, "{\"schemaVersion\":2,\"layers\":[],\"manifests\":[]}", "/layers", "is not for a document of this kind"},
	{INDEX, "{\"schemaVersion\":2,\"config\":null,\"manifests\":[]}", "/config", "is not for a document of this kind"},
	{MANIFEST_, "{\"schemaVersion\":2,\"mediaType\":\"x\",\"layers\":[]}", "/mediaType",
		"must be an image manifest's, not \"x\""},
	{MANIFEST_, "{\"schemaVersion\":2,\"manifests\":[],\"layers\":[]}", "/manifests", "is not for a document of this kind"},
	{IMAGE, "{" ARM64 ",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[7]}}", "/rootfs/diff_ids/0",
		"must be a string, not a number"},
	{LAYOUT, "{}", "/imageLayoutVersion", "must be given"},
	{LAYOUT, "{\"imageLayoutVersion\":1}", "/imageLayoutVersion", "must be a string, not a number"},
	{LAYOUT, "{\"imageLayoutVersion\":\"1.0.1\"}", "/imageLayoutVersion", "must be 1.0.0, not \"1.0.1\""},
	{INDEX, DIGESTED("sha512:" HEX_A HEX_A "a"), PATH("digest"), DIGEST_IS "\"sha512:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""},
	{INDEX, DIGESTED("sha512:" HEX_A HEX_A_UPPER), PATH("digest"), DIGEST_IS "\"sha512:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""},
	{INDEX, ENTRY(""), PATH("mediaType"), "must be given"},
	{INDEX, ENTRY("\"mediaType\":null"), PATH("mediaType"), "must be a string, not null"},
	{INDEX, TYPED("\"size\":1"), PATH("digest"), "must be given"},
	{INDEX, TYPED("\"digest\":\"" DIGEST "\""), PATH("size"), "must be given"},
	{INDEX, TYPED("\"digest\":7"), PATH("digest"), "must be a string, not a number"},
	{INDEX, DIGESTED(""), PATH("digest"), DIGEST_IS "\"\""},
	{INDEX, DIGESTED("sha256:"), PATH("digest"), DIGEST_IS "\"sha256:\""},
	{INDEX, DIGESTED("sha256:aaaa"), PATH("digest"), DIGEST_IS "\"sha256:aaaa\""},
	{INDEX, DIGESTED(DIGEST "a"), PATH("digest"), DIGEST_IS "\"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""},
	{INDEX, DIGESTED("sha512:" HEX_A), PATH("digest"), DIGEST_IS "\"sha512:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""},
	{INDEX, DIGESTED("sha256:AAAAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), PATH("digest"),
		DIGEST_IS "\"sha256:AAAAaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\""},
	{INDEX, DIGESTED("sha256:../../../../../../../../../../../../../../../../../../../../../x"), PATH("digest"),
		DIGEST_IS "\"sha256:../../../../../../../../../../../\""},
	{INDEX, SIZED("-1"), PATH("size"), "must be an integer from 0 to 18446744073709551615"},
	{INDEX, SIZED("18446744073709551616"), PATH("size"), "must be an integer from 0 to 18446744073709551615"},
	{INDEX, SIZED("1.5"), PATH("size"), "must be an integer from 0 to 18446744073709551615"},
	{INDEX, SIZED("\"1\""), PATH("size"), "must be an integer, not a string"},
	{INDEX, SIZED("1,\"platform\":7"), PATH("platform"), "must be an object, not a number"},
	{INDEX, SIZED("1,\"platform\":{\"os\":7}"), PATH("platform/os"), "must be a string, not a number"},
	{INDEX, SIZED("1,\"annotations\":[]"), PATH("annotations"), "must be an object, not an array"},
	{INDEX, SIZED("1,\"annotations\":{\"a/b\":{}}"), PATH("annotations/a~1b"), "must be a string, not an object"},
	{MANIFEST_, "{\"schemaVersion\":2,\"layers\":[]}", "/config", "must be given"},
	{MANIFEST_, "{\"schemaVersion\":2,\"config\":null}", "/config", "must be an object, not null"},
	{MANIFEST_, "{\"schemaVersion\":2,\"config\":" DESCRIPTOR(CONFIG, "") "}", "/layers", "must be given"},
	{MANIFEST_, "{\"schemaVersion\":2,\"layers\":null}", "/layers", "must be an array, not null"},
	{MANIFEST_, "{\"schemaVersion\":2,\"layers\":[{}]}", "/layers/0/mediaType", "must be given"},
	{MANIFEST_, "{\"schemaVersion\":3,\"layers\":[]}", "/schemaVersion", "must be 2, not 3"},
	{MANIFEST_, "", "", "expected an object"},
	{IMAGE, "", "", "expected an object"},
	{IMAGE, "{}", "/os", "must be given"},
	{IMAGE, "{\"os\":null}", "/os", "must be a string, not null"},
	{IMAGE, "{\"os\":\"linux\"}", "/architecture", "must be given"},
	{IMAGE, "{" ARM64 "}", "/rootfs", "must be given"},
	{IMAGE, "{" ARM64 ",\"rootfs\":null}", "/rootfs", "must be an object, not null"},
	{IMAGE, "{" ARM64 ",\"rootfs\":{}}", "/rootfs/type", "must be given"},
	{IMAGE, "{" ARM64 ",\"rootfs\":{\"type\":\"layer\"}}", "/rootfs/type", "must be \"layers\", not \"layer\""},
	{IMAGE, "{" ARM64 ",\"rootfs\":{\"type\":1}}", "/rootfs/type", "must be a string, not a number"},
	{IMAGE, "{" ARM64 ",\"rootfs\":{\"type\":\"layers\"}}", "/rootfs/diff_ids", "must be given"},
	{IMAGE, "{" ARM64 ",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":null}}", "/rootfs/diff_ids",
		"must be an array, not null"},
	{IMAGE, "{" ARM64 ",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"x\"]}}", "/rootfs/diff_ids/0",
		DIGEST_IS "\"x\""},
	{IMAGE, "{" ARM64 ",\"config\":[]}", "/config", "must be an object, not an array"},
	{IMAGE, IMAGED("\"Entrypoint\":\"sh\""), "/config/Entrypoint", "must be an array, not a string"},
	{IMAGE, IMAGED("\"Cmd\":[null]"), "/config/Cmd/0", "must be a string, not null"},
	{IMAGE, IMAGED("\"Env\":{}"), "/config/Env", "must be an array, not an object"},
	{IMAGE, IMAGED("\"User\":0"), "/config/User", "must be a string, not a number"},
	{IMAGE, IMAGED("\"Volumes\":[\"/v\"]"), "/config/Volumes", "must be an object, not an array"},
	{IMAGE, IMAGED("\"Volumes\":{\"/v\":1}"), "/config/Volumes/~1v", "must be a string, not a number"},
	{IMAGE, IMAGED("\"Labels\":{\"a\":true}"), "/config/Labels/a", "must be a string, not a boolean"},
	{SAVED, "", "", "expected a value"},
	{SAVED, "{}", "", "must be an array, not an object"},
	{SAVED, "null", "", "must be an array, not null"},
	{SAVED, "[1]", "/0", "must be an object, not a number"},
	{SAVED, "[],\"b\":[]", "", "must be one value"},
	{SAVED, "[],\"\":[]", "", "this key is there twice"},
	{SAVED, "[]},{\"a\":[]", "", "expected the end of the text"},
	{SAVED, "[] []", "", "expected \",\" or \"}\""},
	{SAVED, "[{}]", "/0/Config", "must be given"},
	{SAVED, "[{\"Config\":\"\",\"Layers\":[]}]", "/0/Config", "must not be empty"},
	{SAVED, "[{\"Config\":\"a\"}]", "/0/Layers", "must be given"},
	{SAVED, "[{\"Config\":\"a\",\"Layers\":null}]", "/0/Layers", "must be an array, not null"},
	{SAVED, "[{\"Config\":\"a\",\"RepoTags\":[1],\"Layers\":[]}]", "/0/RepoTags/0", "must be a string, not a number"},
	{STRINGS, "[1]", "/0", "must be a string, not a number"},
	{STRINGS, "\"sh\"", "", "must be an array, not a string"},
	{STRINGS, "[\"a\"", "", "expected \",\" or \"]\""},
	{STRINGS, "[\"a\"],\"b\":1", "", "must be one value"},
};
/* clang-format on */

#endif
