/* TinyCerb's int8 runtime: the one header that an application needs.
 *
 * A generated model.c defines `tc_model_instance`. All memory is static and sized when the model is converted:
 *
 *     int8_t logits[TC_OUTPUT_BYTES];                            // model.h
 *     tc_select_head(&tc_model_instance, &selector, image, &head);
 *     tc_infer(&tc_model_instance, image, head, logits);         // int8 [height, width, channels]
 *     tc_answer(&tc_model_instance, logits, head, codes);        // uint8 [TC_ANSWER_BYTES], k/256, sum 256
 *
 * One inference at a time: the working memory belongs to the model, not to the call.
 */
#ifndef TINYCERB_H
#define TINYCERB_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { TC_OK = 0, TC_BAD_HEAD = 1, TC_BAD_ARGUMENT = 2 } tc_status;

typedef struct tc_layer tc_layer;
typedef void (*tc_kernel)(const tc_layer *layer, int32_t head);

/* One step of the inference. Addresses are fixed when the image is linked. */
struct tc_layer {
    tc_kernel run;
    const void *parameters;
    const int8_t *input;
    const int8_t *second_input;
    int8_t *output;
    void *scratch;
};

/* How one head's int8 logits become codes: TFLite's SOFTMAX with this head's scale. */
typedef struct {
    int32_t multiplier;
    int32_t shift;
    int32_t smallest;
} tc_softmax_scale;

/* What is done to every posterior: uint8 codes [classes] that sum to 256, in place. work: uint32 [3 * classes]. */
typedef struct {
    void (*run)(const void *parameters, int32_t classes, uint8_t *codes, uint32_t *work);
    const void *parameters;
} tc_response;

/* Makes one posterior of all heads, where none of them answers alone: uint8 codes [classes] that sum to 256.
 * scales: one per head; logits: int8 [heads, classes]; work: uint32 [3 * classes]. */
typedef struct {
    void (*run)(const void *parameters, const tc_softmax_scale *scales, const int8_t *logits, int32_t classes,
                uint8_t *codes, uint32_t *work);
    const void *parameters;
} tc_combiner;

typedef struct {
    uint8_t hash[32]; /* SHA-256 of the .tflite file */
    const tc_layer *layers;
    int32_t layer_count;
    int8_t *arena;
    int32_t arena_bytes;
    int8_t *input;
    int32_t input_bytes;
    const int8_t *output;
    int32_t output_bytes;
    int32_t answer_bytes; /* classes; output_bytes are several times as many where a combiner reads all heads */
    int32_t heads;        /* to choose from: 1 where a combiner reads all of them */
    /* One per head; NULL where the model's own output is already a posterior (its last layer is SOFTMAX). */
    const tc_softmax_scale *answer_scales;
    const tc_combiner *combiner;  /* NULL: one head answers alone */
    const tc_response *responses; /* the defence's, in order */
    int32_t response_count;
} tc_model;

extern const tc_model tc_model_instance;

/* Called after each layer where a profile is wanted; NULL otherwise. */
typedef void (*tc_layer_done)(int32_t layer);

/* Runs the model on one image.
 *
 * image: int8 [input_bytes]; output: int8 [output_bytes]. Only the selected head is computed, and all of
 * them where a combiner reads them.
 * TC_BAD_HEAD: head is not in 0 .. heads - 1; the output is then untouched. */
tc_status tc_infer(const tc_model *model, const int8_t *image, int32_t head, int8_t *output);

/* tc_infer of the image that stands in model->input already: a camera or a serial line may write there, and no second
 * copy of the image takes memory. The inference overwrites it, and so does tc_answer. */
tc_status tc_infer_in_place(const tc_model *model, int32_t head, int8_t *output);

/* tc_infer that calls `done` (not NULL) after each layer. */
tc_status tc_infer_profiled(const tc_model *model, const int8_t *image, int32_t head, int8_t *output,
                            tc_layer_done done);

/* Turns a head's int8 logits into the answer: uint8 [answer_bytes], k/256 each, sum 256, as the model's response leaves
 * it. Works in the model's memory: call it after tc_infer, not during. TC_BAD_ARGUMENT: fewer than two classes. */
tc_status tc_answer(const tc_model *model, const int8_t *logits, int32_t head, uint8_t *codes);

/* Which head answers. */
typedef enum {
    TC_SELECT_FIXED = 0,        /* always head 0: for tests */
    TC_SELECT_RANDOM = 1,       /* a fresh draw for every question */
    TC_SELECT_KEYED = 2,        /* SipHash-2-4 of the input under the device's secret */
    TC_SELECT_COARSE_KEYED = 3, /* the same over 16 bits that small changes of the input leave alone */
} tc_selection;

typedef struct {
    tc_selection selection;
    const uint8_t *secret; /* 16 bytes, of this device alone */
    /* Fills with true random bytes and returns 1, or returns 0 where it cannot: the draw is then keyed. */
    int (*random)(uint8_t *bytes, size_t count);
} tc_selector;

/* Draws the head for an image, without bias. TC_BAD_ARGUMENT: a keyed draw without a secret. */
tc_status tc_select_head(const tc_model *model, const tc_selector *selector, const int8_t *image, int32_t *head);

/* SipHash-2-4 (Aumasson and Bernstein, 2012) of `count` bytes under a 16-byte key. */
uint64_t tc_siphash(const uint8_t *key, const uint8_t *message, size_t count);

#ifdef __cplusplus
}
#endif

#endif
