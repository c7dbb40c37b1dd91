// SPDX-License-Identifier: Apache-2.0
/*
 * The control channel between init-oci and its host, version 1: one byte stream (a virtio-serial
 * port named SMK_PORT_CONTROL, or vsock) that carries frames in both directions.
 *
 * A frame is an 8-byte header, little-endian, and `length` bytes of payload:
 *
 *   offset 0  u8   type    enum smk_frame_type
 *   offset 1  u8   flags   enum smk_frame_flag
 *   offset 2  u16  stream  which stream a DATA or CREDIT frame belongs to; 0 for CONTROL
 *   offset 4  u32  length  payload bytes, at most SMK_FRAME_MAX_PAYLOAD
 *
 * CONTROL payload: one JSON object; its member "type" names the message. Guest to host: hello,
 * started, ready, oom, exit, error. Host to guest: signal, resize (others as versions come). An
 * unknown message is answered with an error event that names it, an unknown frame type closes the
 * channel.
 *
 * DATA payload: raw bytes. SMK_FRAME_END marks the end of the stream (may carry last bytes). A
 * sender may have at most as many unacknowledged bytes under way as it was given credit for: each
 * stream starts with SMK_STREAM_CREDIT, and a CREDIT frame (payload: u32 bytes) adds to it. One
 * stalled stream so stops no other.
 *
 * The last frame of a run is the exit event; all output of the workload has been sent before it.
 */
#ifndef SMK_CHANNEL_H
#define SMK_CHANNEL_H

#include <stdint.h>

#define SMK_CHANNEL_VERSION   1
#define SMK_FRAME_HEADER_SIZE 8
#define SMK_FRAME_MAX_PAYLOAD 65536u
#define SMK_STREAM_CREDIT     262144u

enum smk_frame_type {
	SMK_FRAME_CONTROL = 1,
	SMK_FRAME_DATA = 2,
	SMK_FRAME_CREDIT = 3,
};

enum smk_frame_flag {
	SMK_FRAME_END = 1, /* DATA: nothing follows on this stream */
};

/* Streams of the entrypoint. With a terminal, OUTPUT carries the terminal's bytes. */
enum smk_stream {
	SMK_STREAM_INPUT = 0,
	SMK_STREAM_OUTPUT = 1,
	SMK_STREAM_ERROR = 2,
};

struct smk_frame {
	uint8_t type;
	uint8_t flags;
	uint16_t stream;
	uint32_t length;
};

static inline void smk_frame_pack(const struct smk_frame *frame, uint8_t out[SMK_FRAME_HEADER_SIZE])
{
	out[0] = frame->type;
	out[1] = frame->flags;
	out[2] = (uint8_t)frame->stream;
	out[3] = (uint8_t)(frame->stream >> 8);
	out[4] = (uint8_t)frame->length;
	out[5] = (uint8_t)(frame->length >> 8);
	out[6] = (uint8_t)(frame->length >> 16);
	out[7] = (uint8_t)(frame->length >> 24);
}

static inline struct smk_frame smk_frame_unpack(const uint8_t in[SMK_FRAME_HEADER_SIZE])
{
	return (struct smk_frame){
		.type = in[0],
		.flags = in[1],
		.stream = (uint16_t)(in[2] | in[3] << 8),
		.length = (uint32_t)in[4] | (uint32_t)in[5] << 8 | (uint32_t)in[6] << 16 |
			  (uint32_t)in[7] << 24,
	};
}

#endif
