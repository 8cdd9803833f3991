/* The firmware: tests itself with the golden vectors, then answers questions on the serial line (protocol.h). */
#include "frame.h"
#include "golden.h"
#include "golden_check.h"
#include "head_draw.h"
#include "image_pieces.h"
#include "model.h"
#include "protocol.h"
#include "reply.h"
#include "target.h"
#ifdef TC_QUERY_LIMIT
#include "limited_questions.h"
#endif
#include <string.h>

enum { IN_PIECES = TC_INPUT_BYTES > FRAME_IMAGE_BYTES };
enum { LARGEST_REQUEST = IN_PIECES ? PIECE_OFFSET_BYTES + PIECE_BYTES : TC_INPUT_BYTES, CRC_BYTES = 4 };

static uint8_t buffer[LARGEST_REQUEST + FRAME_OVERHEAD];
static int8_t logits[TC_OUTPUT_BYTES];
static uint8_t codes[TC_ANSWER_BYTES];
static uint64_t layer_ends[TC_LAYERS + 1];
static uint32_t layers_began;

/* An image in pieces is put together where the model reads it. */
static image_pieces pieces = {0, TC_INPUT_BYTES, 0};
/* The last question in pieces, while its codes are there: the answer may get lost, the image is gone by then. */
static struct {
    uint32_t crc;
    uint8_t known, sequence;
} answered;

/* Whatever runs the model overwrites an image that is half there. */
static void forget_image(void) {
    pieces.received = 0;
    answered.known = 0;
}

static void hello(uint8_t sequence) {
    uint8_t reply[51] = {VERSION, TC_SELECTION, TC_HEADS};
    memcpy(reply + 3, TC_KERNELS, sizeof TC_KERNELS - 1);
    uint8_t *to = frame_put(reply + 11, TC_INPUT_BYTES, 4);
    to = frame_put(to, TC_ANSWER_BYTES, 2);
    to = frame_put(to, TC_LAYERS, 2);
    memcpy(to, tc_model_instance.hash, 32);
    send(HELLO | REPLY, sequence, reply, sizeof reply);
}

static void test(uint8_t sequence) {
    uint8_t reply[8];
    forget_image();
    const uint32_t wrong = count_wrong(logits);
    frame_put(frame_put(frame_put(reply, TC_GOLDEN_COUNT, 2), wrong, 2), target_stack_used(), 4);
    send(TEST | REPLY, sequence, reply, sizeof reply);
}

/* What is measured begins with the clock at zero. */
static uint32_t restart_clock(void) {
#ifdef TC_QUERY_LIMIT
    pass_time();
    limit_clock = 0;
#endif
    target_ticks_start();
    return target_ticks_now();
}

static tc_status answer(const int8_t *image, int32_t *head, uint64_t ticks[3]) {
    uint32_t began = restart_clock();
    tc_status status = tc_select_head(&tc_model_instance, &selector, image, head);
    ticks[0] = target_ticks_since(began);
    began = restart_clock();
    if (status == TC_OK)
        status = IN_PIECES && image == tc_model_instance.input
                     ? tc_infer_in_place(&tc_model_instance, *head, logits)
                     : tc_infer(&tc_model_instance, image, *head, logits);
    ticks[1] = target_ticks_since(began);
    began = restart_clock();
    /* Outputs that are no classes go out as they are. */
    if (status == TC_OK && TC_ANSWERED)
        status = tc_answer(&tc_model_instance, logits, *head, codes);
    else
        memcpy(codes, logits, TC_ANSWER_BYTES);
    ticks[2] = target_ticks_since(began);
    return status;
}

static void take_piece(const frame *request) {
    uint8_t reply[4];
    answered.known = 0;
    if (!image_pieces_take(&pieces, request->payload, request->length)) {
        send(FAILED | REPLY, request->sequence, 0, 0);
        return;
    }
    frame_put(reply, pieces.received, 4);
    send(PIECE | REPLY, request->sequence, reply, sizeof reply);
}

static int is_question(const frame *request) {
    if (!IN_PIECES)
        return request->length == TC_INPUT_BYTES;
    return request->length == CRC_BYTES && image_pieces_whole(&pieces, frame_get(request->payload));
}

static int is_answered(const frame *request) {
    return IN_PIECES && answered.known && request->length == CRC_BYTES && request->sequence == answered.sequence &&
           frame_get(request->payload) == answered.crc;
}

static void ask(const frame *request) {
    uint64_t ticks[3];
    int32_t head;
    if (!is_answered(request)) {
        const int question = is_question(request);
#ifdef TC_QUERY_LIMIT
        if (question && !may_answer(request))
            return;
#endif
        const int8_t *image = IN_PIECES ? tc_model_instance.input : (const int8_t *)request->payload;
        if (!question || answer(image, &head, ticks) != TC_OK) {
            send(FAILED | REPLY, request->sequence, 0, 0);
            return;
        }
        if (IN_PIECES) {
            forget_image();
            answered.crc = frame_get(request->payload);
            answered.sequence = request->sequence;
            answered.known = 1;
        }
    }
    send(ASK | REPLY, request->sequence, codes, TC_ANSWER_BYTES);
}

static void layer_done(int32_t layer) {
    layer_ends[layer] = target_ticks_since(layers_began);
}

static uint8_t *put_ticks(uint8_t *to, uint64_t ticks) {
    return frame_put(frame_put(to, (uint32_t)ticks, 4), (uint32_t)(ticks >> 32), 4);
}

static void profile(uint8_t sequence) {
    static uint8_t reply[8 * (3 + TC_LAYERS + 1)];
    uint64_t ticks[3];
    int32_t head = 0;
    forget_image();
    answer(tc_golden_images[0], &head, ticks);
    layers_began = restart_clock();
    tc_infer_profiled(&tc_model_instance, tc_golden_images[0], head, logits, layer_done);
    layer_ends[TC_LAYERS] = target_ticks_since(layers_began);
    uint8_t *to = reply;
    for (int i = 0; i < 3; i++)
        to = put_ticks(to, ticks[i]);
    for (int i = 0; i <= TC_LAYERS; i++)
        to = put_ticks(to, layer_ends[i]);
    send(PROFILE | REPLY, sequence, reply, sizeof reply);
}

int main(void) {
    frame_parser parser = {buffer, sizeof buffer, 0, 0};
    frame request;
    pieces.image = (uint8_t *)tc_model_instance.input;
    serial_start();
    target_ticks_start();
    const uint8_t boot_wrong = (uint8_t)count_wrong(logits);
    send(TEST | REPLY, 0, &boot_wrong, 1);
#ifdef TC_QUERY_LIMIT
    query_limit_start(&limit, TC_QUERY_LIMIT, TC_QUERY_PERIOD);
    limit_clock = target_ticks_since(0);
#endif
    for (;;) {
#ifdef TC_QUERY_LIMIT
        do
            pass_time();
        while (!serial_ready());
#endif
        int found = frame_feed(&parser, serial_read(), &request);
        for (; found; found = frame_next(&parser, &request)) {
            if (request.type == HELLO)
                hello(request.sequence);
            else if (request.type == TEST)
                test(request.sequence);
            else if (request.type == ASK)
                ask(&request);
            else if (request.type == PROFILE)
                profile(request.sequence);
            else if (IN_PIECES && request.type == PIECE)
                take_piece(&request);
#ifdef TC_QUERY_LIMIT
            else if (request.type == COUNT)
                count(request.sequence);
#endif
            else
                send(FAILED | REPLY, request.sequence, 0, 0);
        }
    }
}
