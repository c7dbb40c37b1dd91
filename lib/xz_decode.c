// SPDX-License-Identifier: Apache-2.0
/*
 * Decodes the blocks of a parsed stream. Workers take the next block from a shared counter and
 * write straight to its place in the output; the first failure stops the others at their next
 * block. The caller's thread is worker 0, so that threads which cannot be started only make it
 * slower.
 */
#include "xz.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

struct job {
	const struct xz_stream *xz;
	uint8_t *out;
	atomic_size_t next;
	_Atomic(enum smk_result) failure;
};

static enum smk_result result_from_lzma(lzma_ret code)
{
	return code == LZMA_OK          ? SMK_OK
	       : code == LZMA_MEM_ERROR ? SMK_ERROR_NO_MEMORY
					: SMK_ERROR_DATA;
}

/*
 * Prepares block (whose filters point to the caller's array) from the header in the stream; what
 * the header and the index both say must agree. On success the caller frees the filters.
 */
static enum smk_result open_block(const struct xz_stream *xz, const struct xz_block *row,
				  lzma_block *block)
{
	lzma_ret code;

	*block = (lzma_block){.version = 1, .check = xz->check, .filters = block->filters};
	block->header_size = lzma_block_header_size_decode(row->bytes[0]);
	if (row->bytes[0] == 0 || block->header_size > row->unpadded)
		return SMK_ERROR_DATA;
	code = lzma_block_header_decode(block, NULL, row->bytes);
	if (code != LZMA_OK)
		return result_from_lzma(code);
	if (lzma_block_compressed_size(block, row->unpadded) == LZMA_OK &&
	    (block->uncompressed_size == LZMA_VLI_UNKNOWN ||
	     block->uncompressed_size == row->raw_length)) {
		block->uncompressed_size = row->raw_length;
		return SMK_OK;
	}
	lzma_filters_free(block->filters, NULL);
	return SMK_ERROR_DATA;
}

/* Most memory that one of the blocks needs to be decoded. */
static enum smk_result most_memory(const struct xz_stream *xz, uint64_t *ret_bytes)
{
	uint64_t most = 0;

	for (size_t i = 0; i < xz->count; i++) {
		lzma_filter filters[LZMA_FILTERS_MAX + 1];
		lzma_block block = {.filters = filters};
		enum smk_result result = open_block(xz, &xz->blocks[i], &block);
		uint64_t bytes;

		if (result)
			return result;
		bytes = lzma_raw_decoder_memusage(filters);
		lzma_filters_free(filters, NULL);
		if (bytes == UINT64_MAX)
			return SMK_ERROR_DATA;
		most = bytes > most ? bytes : most;
	}
	*ret_bytes = most;
	return SMK_OK;
}

static enum smk_result decode_block(const struct xz_stream *xz, const struct xz_block *row,
				    uint8_t *out)
{
	lzma_filter filters[LZMA_FILTERS_MAX + 1];
	lzma_block block = {.filters = filters};
	enum smk_result result = open_block(xz, row, &block);
	size_t in_position, out_position = 0;

	if (result)
		return result;
	in_position = block.header_size;
	result = result_from_lzma(lzma_block_buffer_decode(
		&block, NULL, row->bytes, &in_position, (row->unpadded + 3) & ~(size_t)3,
		out + row->raw_offset, &out_position, row->raw_length));
	lzma_filters_free(filters, NULL);
	return result;
}

static void *work(void *argument)
{
	struct job *job = argument;
	size_t i;

	while (!atomic_load(&job->failure) &&
	       (i = atomic_fetch_add(&job->next, 1)) < job->xz->count) {
		enum smk_result result = decode_block(job->xz, &job->xz->blocks[i], job->out);
		enum smk_result none = SMK_OK;

		if (result)
			atomic_compare_exchange_strong(&job->failure, &none, result);
	}
	return NULL;
}

/* Signals stay with the program's own threads: helpers are started with all of them blocked. */
static void run(struct job *job, unsigned threads)
{
	pthread_t helpers[XZ_THREADS_MAX];
	unsigned started = 0;
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (started + 1 < threads && !pthread_create(&helpers[started], NULL, work, job))
		started++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	work(job);
	while (started)
		pthread_join(helpers[--started], NULL);
}

static unsigned at_most(unsigned threads, uint64_t limit)
{
	return threads < limit ? threads : (unsigned)limit;
}

enum smk_result xz_decode(const struct xz_stream *xz, void *out, size_t memory_limit,
			  unsigned threads)
{
	struct job job = {.xz = xz, .out = out};
	uint64_t memory = 0;
	enum smk_result result = most_memory(xz, &memory);

	if (result)
		return result;
	if (memory > memory_limit)
		return SMK_ERROR_MEMORY_LIMIT;
	threads = at_most(threads, XZ_THREADS_MAX);
	threads = at_most(threads, xz->count);
	if (memory)
		threads = at_most(threads, memory_limit / memory);
	run(&job, threads);
	return atomic_load(&job.failure);
}
