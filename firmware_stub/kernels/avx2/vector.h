/* Requantization of eight sums at a time, for the library that runs on a computer. */
#ifndef TINYCERB_VECTOR_H
#define TINYCERB_VECTOR_H

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

static inline __m256i tc_load_eight(const int32_t *from) {
    return _mm256_loadu_si256((const __m256i *)(const void *)from);
}

/* Eight int8 in 32-bit lanes. */
static inline __m256i tc_widen_eight(const int8_t *from) {
    return _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)from));
}

/* tc_scale of fixed_point.h for eight values with a multiplier and shift each. */
static inline __m256i tc_scale_eight(__m256i x, __m256i multipliers, __m256i shifts) {
    const __m256i zero = _mm256_setzero_si256(), nudge = _mm256_set1_epi64x(1 << 30);
    const __m256i left = _mm256_max_epi32(shifts, zero);
    const __m256i right = _mm256_max_epi32(_mm256_sub_epi32(zero, shifts), zero);
    x = _mm256_sllv_epi32(x, left);
    const __m256i even = _mm256_add_epi64(_mm256_mul_epi32(x, multipliers), nudge);
    const __m256i odd =
        _mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64(x, 32), _mm256_srli_epi64(multipliers, 32)), nudge);
    const __m256i high = _mm256_blend_epi32(_mm256_srli_epi64(even, 31), _mm256_slli_epi64(odd, 1), 0xAA);
    const __m256i half = _mm256_srli_epi32(_mm256_sllv_epi32(_mm256_set1_epi32(1), right), 1);
    const __m256i negative = _mm256_srai_epi32(_mm256_and_si256(high, shifts), 31);
    return _mm256_srav_epi32(_mm256_add_epi32(_mm256_add_epi32(high, half), negative), right);
}

static inline void tc_store_eight(__m256i x, int32_t zero_point, int32_t low, int32_t high, int8_t *to) {
    x = _mm256_add_epi32(x, _mm256_set1_epi32(zero_point));
    x = _mm256_min_epi32(_mm256_max_epi32(x, _mm256_set1_epi32(low)), _mm256_set1_epi32(high));
    const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
    _mm_storel_epi64((__m128i *)(void *)to, _mm_packs_epi16(words, words));
}

#endif
