/* Parameters of the responses, as model.c fills them in, the responses, and what they are made of.
 * All of them run the same instructions for any posterior. */
#ifndef TINYCERB_RESPONSES_H
#define TINYCERB_RESPONSES_H

#include "tinycerb.h"

enum { TC_TOTAL = 256 };

typedef struct {
    const uint16_t *weights; /* of every code, in 1/1024 */
    int32_t threshold;       /* the gate is open where the largest code is below it */
    int32_t units;           /* half the L1 budget */
    int32_t keep;            /* 1: the label stays */
} tc_respond_reverse_sigmoid_parameters;

typedef struct {
    const uint8_t *steps; /* of every code */
} tc_respond_rounding_parameters;

typedef struct {
    const int32_t *surrogate;     /* its posterior, per class */
    const int32_t *inverse_norms; /* 1 / ||e_k - p||, in 2^-20 */
    int32_t total, squares;       /* sums of the posterior and of its squares */
    int32_t units, keep;
} tc_respond_mad_parameters;

typedef struct {
    const int32_t *surprises; /* -ln of every code, in 2^-16 */
    int32_t units;
} tc_respond_modelguard_w_parameters;

typedef struct {
    const uint8_t *matrix; /* [classes, classes], rows sum to 256 */
    int32_t keep;
} tc_respond_ntm_parameters;

typedef struct {
    int32_t units; /* half the L1 budget */
    int32_t keep;  /* 1: the label stays */
} tc_combine_grad_head_parameters;

typedef struct {
    int32_t threshold; /* the second network answers where the first one's largest code is below it */
} tc_combine_am_parameters;

typedef struct {
    const uint8_t *members; /* who answers: [2 * the hash's class + whether it is sure] */
    int32_t hash;           /* the hash network's head */
    int32_t sure;           /* the hash is sure where its largest code is not below it */
} tc_combine_edm_parameters;

/* codes: uint8 [classes], sum 256, before and after; work: uint32 [3 * classes]. */
void tc_respond_top1(const void *parameters, int32_t classes, uint8_t *codes, uint32_t *work);
void tc_respond_rounding(const void *parameters, int32_t classes, uint8_t *codes, uint32_t *work);
void tc_respond_reverse_sigmoid(const void *parameters, int32_t classes, uint8_t *codes, uint32_t *work);
void tc_respond_mad(const void *parameters, int32_t classes, uint8_t *codes, uint32_t *work);
void tc_respond_modelguard_w(const void *parameters, int32_t classes, uint8_t *codes, uint32_t *work);
void tc_respond_ntm(const void *parameters, int32_t classes, uint8_t *codes, uint32_t *work);

/* All heads to one posterior; see tc_combiner. All heads are read whatever they say. */
void tc_combine_grad_head(const void *parameters, const tc_softmax_scale *scales, const int8_t *logits, int32_t classes,
                          uint8_t *codes, uint32_t *work);
void tc_combine_am(const void *parameters, const tc_softmax_scale *scales, const int8_t *logits, int32_t classes,
                   uint8_t *codes, uint32_t *work);
void tc_combine_edm(const void *parameters, const tc_softmax_scale *scales, const int8_t *logits, int32_t classes,
                    uint8_t *codes, uint32_t *work);

/* A head's posterior: softmax, then codes that sum to 256. work: uint32 [2 * classes]. */
void tc_posterior(const tc_softmax_scale *scale, const int8_t *logits, int32_t classes, uint8_t *codes, uint32_t *work);
/* Moves at most `units` to the class with the largest score. scores: int8 [classes]; work as above. */
void tc_redirect(uint8_t *codes, const int8_t *scores, int32_t classes, int32_t units, uint32_t *work);

/* The largest-remainder rule: weights of 2048 at most to codes that sum to 256. keys: uint32 [classes] of work. */
void tc_normalise(uint32_t *weights, int32_t classes, uint32_t *keys, uint8_t *codes);
/* The first largest code's class. */
int32_t tc_first_largest(const uint8_t *codes, int32_t classes);
/* Moves at most `units` of 256 from codes towards a target, in proportion. */
void tc_step_towards(uint8_t *codes, const uint8_t *target, int32_t classes, int32_t units);
/* Makes `top` the first largest again: it changes places with the largest, and takes one from an earlier equal. */
void tc_keep_top(uint8_t *codes, int32_t classes, int32_t top);
/* 255 for the label, 1 for the first other class. */
void tc_one_hot(uint8_t *codes, int32_t classes, int32_t label);

/* value / divisor below 512 and the remainder, in equal steps: a division's time depends on what is divided.
 * 0 < divisor < 2^22, value < 512 * divisor. */
uint32_t tc_divide(uint32_t value, uint32_t divisor, uint32_t *remainder);

/* All ones where a < b, else 0; for values less than 2^31 apart. */
static inline uint32_t tc_is_less(uint32_t a, uint32_t b) {
    return 0u - ((a - b) >> 31);
}

/* One of two values by a mask of all ones or zeros. */
static inline uint32_t tc_choose(uint32_t mask, uint32_t where_set, uint32_t where_clear) {
    return where_clear ^ ((where_set ^ where_clear) & mask);
}

#endif
