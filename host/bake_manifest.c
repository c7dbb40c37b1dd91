// SPDX-License-Identifier: Apache-2.0
/* manifest.json of a baked directory. */
#include <stdlib.h>
#include <string.h>

#include <smk/contract.h>

#include "bake.h"
#include "oci/writer.h"

static void write_product(struct writer *writer, const char *key, const struct product *product)
{
	AUTO_FREE char *digest = must_format("sha256:%s", product->hex);

	write_open(writer, key, '{');
	write_string(writer, "path", product->name);
	write_uint(writer, "size", product->size);
	write_string(writer, "digest", digest);
}

static void write_layer(struct writer *writer, const struct bake *bake, size_t index)
{
	const struct product *layer = &bake->layers[index];
	AUTO_FREE char *serial = must_format(SMK_SERIAL_LAYER_FORMAT, (unsigned)index);

	write_product(writer, NULL, layer);
	write_string(writer, "serial", serial);
	write_string(writer, "fileSystem", strrchr(layer->name, '.') + 1);
	if (bake->boot.diff_ids.count == bake->boot.layers.count)
		write_string(writer, "diffId", bake->boot.diff_ids.items[index]);
	if (bake->options.verity) {
		write_open(writer, "verity", '{');
		write_string(writer, "algorithm", "sha256");
		write_uint(writer, "blockSize", VERITY_BLOCK);
		write_uint(writer, "dataBlocks", layer->verity.data_blocks);
		write_string(writer, "rootHash", layer->verity.root_hex);
		write_close(writer, '}');
	}
	write_close(writer, '}');
}

static void write_monitor(struct writer *writer, const struct vmm *vmm, const struct product *words)
{
	if (!words->name)
		return;
	write_product(writer, NULL, words);
	write_string(writer, "monitor", vmm->name);
	write_close(writer, '}');
}

size_t bake_manifest_text(const struct bake *bake, const char *line, char *text, size_t size)
{
	struct writer writer = {.text = text, .size = size};

	write_open(&writer, NULL, '{');
	write_uint(&writer, "version", SMK_CONTRACT_VERSION);
	write_string(&writer, "smk", SMK_VERSION);
	write_string(&writer, "platform", "linux/arm64");
	write_uint(&writer, "memoryMiB", bake->boot.memory_mib);
	write_uint(&writer, "cpus", bake->options.cpus);
	write_string(&writer, "commandLine", line);
	write_product(&writer, "kernel", &bake->kernel);
	write_close(&writer, '}');
	write_product(&writer, "initramfs", &bake->initramfs);
	write_close(&writer, '}');
	write_product(&writer, "config", &bake->config);
	write_close(&writer, '}');
	write_open(&writer, "layers", '[');
	for (size_t i = 0; i < bake->boot.layers.count; i++)
		write_layer(&writer, bake, i);
	write_close(&writer, ']');
	if (bake->upper.name) {
		write_product(&writer, "upper", &bake->upper);
		write_string(&writer, "serial", SMK_SERIAL_UPPER);
		write_close(&writer, '}');
	}
	write_open(&writer, "monitors", '[');
	for (size_t i = 0; i < vmm_count; i++)
		write_monitor(&writer, &vmms[i], &bake->words[i]);
	write_close(&writer, ']');
	write_close(&writer, '}');
	return write_finish(&writer);
}
