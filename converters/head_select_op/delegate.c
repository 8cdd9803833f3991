/* Runs TinyCerbHeadSelect in tflite-runtime and ai-edge-litert, as an external delegate.
 *
 * The delegate takes over each node of that name. Where the operator draws the head itself, the draw comes from the
 * operating system; the option "seed" replaces it by a repeatable generator and is meant for tests only.
 */
#define _DEFAULT_SOURCE
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tflite_abi.h"

#define OPERATOR_NAME "TinyCerbHeadSelect"
#define OPTION_BYTES 6
enum { OPTIONS_VERSION = 1, MODE_TAKE = 0, MODE_DRAW = 1 };

typedef struct {
  TflDelegate base;
  bool seeded;
  uint32_t state;
} HeadSelectDelegate;

typedef struct {
  HeadSelectDelegate* delegate;
  int table;
  int head;
  int answer;
  bool draws;
  uint32_t heads;
  uint32_t classes;
} HeadSelect;

/* xorshift32 (Marsaglia, 2003). */
static uint32_t next_seeded(uint32_t* state) {
  uint32_t x = *state;
  x ^= x << 13;
  x ^= x >> 17;
  x ^= x << 5;
  *state = x;
  return x;
}

/* Draws 0 to count - 1, each equally likely: the incomplete last cycle of the 32-bit range is drawn again. */
static int draw(HeadSelectDelegate* delegate, uint32_t count, int32_t* drawn) {
  const uint32_t excess = (UINT32_MAX % count + 1u) % count;
  uint32_t word = 0;
  do {
    if (delegate->seeded) {
      word = next_seeded(&delegate->state);
    } else if (getentropy(&word, sizeof word) != 0) {
      return TFL_ERROR;
    }
  } while (word > UINT32_MAX - excess);
  *drawn = (int32_t)(word % count);
  return TFL_OK;
}

static uint32_t read_u16(const uint8_t* bytes) { return (uint32_t)(bytes[0] | (bytes[1] << 8)); }

static bool is_head_select(const TflRegistration* registration) {
  return registration->custom_name != NULL && strcmp(registration->custom_name, OPERATOR_NAME) == 0;
}

static void* init(TflContext* context, const char* buffer, size_t length) {
  (void)length;
  const TflDelegateParams* params = (const TflDelegateParams*)(const void*)buffer;
  TflNode* node = NULL;
  TflRegistration* registration = NULL;
  if (context->GetNodeAndRegistration(context, params->nodes_to_replace->data[0], &node, &registration) != TFL_OK) {
    return NULL;
  }
  const uint8_t* options = node->custom_initial_data;
  if (options == NULL || node->custom_initial_data_size != OPTION_BYTES || options[0] != OPTIONS_VERSION ||
      options[1] > MODE_DRAW) {
    context->ReportError(context, OPERATOR_NAME ": unknown options; convert the model again");
    return NULL;
  }
  const bool draws = options[1] == MODE_DRAW;
  if (node->inputs->size < (draws ? 1 : 2) || node->outputs->size != (draws ? 2 : 1)) {
    context->ReportError(context, OPERATOR_NAME ": wrong number of inputs or outputs");
    return NULL;
  }
  HeadSelect* self = calloc(1, sizeof *self);
  if (self == NULL) {
    return NULL;
  }
  self->delegate = (HeadSelectDelegate*)params->delegate;
  self->table = node->inputs->data[0];
  self->head = draws ? node->outputs->data[1] : node->inputs->data[1];
  self->answer = node->outputs->data[0];
  self->draws = draws;
  self->heads = read_u16(options + 2);
  self->classes = read_u16(options + 4);
  return self;
}

static void release(TflContext* context, void* buffer) {
  (void)context;
  free(buffer);
}

static int prepare(TflContext* context, TflNode* node) {
  const HeadSelect* self = node->user_data;
  if (self == NULL) {
    return TFL_ERROR;
  }
  const TflTensor* table = &context->tensors[self->table];
  const TflTensor* head = &context->tensors[self->head];
  const TflTensor* answer = &context->tensors[self->answer];
  if (table->type != TFL_INT8 || answer->type != TFL_INT8 || head->type != TFL_INT32) {
    context->ReportError(context, OPERATOR_NAME ": the table and the answer must be int8, the head int32");
    return TFL_ERROR;
  }
  if (self->heads == 0 || table->bytes != (size_t)self->heads * self->classes || answer->bytes != self->classes ||
      head->bytes != sizeof(int32_t)) {
    context->ReportError(context, OPERATOR_NAME ": the tensors do not fit %d heads of %d classes", (int)self->heads,
                         (int)self->classes);
    return TFL_ERROR;
  }
  return TFL_OK;
}

static int invoke(TflContext* context, TflNode* node) {
  const HeadSelect* self = node->user_data;
  int32_t* head = context->tensors[self->head].data;
  if (self->draws && draw(self->delegate, self->heads, head) != TFL_OK) {
    context->ReportError(context, OPERATOR_NAME ": the operating system gave no random bytes");
    return TFL_ERROR;
  }
  if (*head < 0 || (uint32_t)*head >= self->heads) {
    context->ReportError(context, OPERATOR_NAME ": head is %d; allowed: 0 to %d", (int)*head, (int)self->heads - 1);
    return TFL_ERROR;
  }
  const int8_t* table = context->tensors[self->table].data;
  memcpy(context->tensors[self->answer].data, table + (size_t)*head * self->classes, self->classes);
  return TFL_OK;
}

static int take_over(TflContext* context, TflDelegate* delegate) {
  TflIntArray* plan = NULL;
  if (context->GetExecutionPlan(context, &plan) != TFL_OK) {
    return TFL_ERROR;
  }
  /* The plan changes while nodes are replaced. */
  const int count = plan->size;
  int* nodes = calloc((size_t)count + 1, sizeof *nodes);
  TflIntArray* one = calloc(1, sizeof *one + sizeof(int));
  int status = nodes == NULL || one == NULL ? TFL_ERROR : TFL_OK;
  if (status == TFL_OK) {
    memcpy(nodes, plan->data, (size_t)count * sizeof *nodes);
    one->size = 1;
  }
  for (int i = 0; status == TFL_OK && i < count; i++) {
    TflNode* node = NULL;
    TflRegistration* registration = NULL;
    status = context->GetNodeAndRegistration(context, nodes[i], &node, &registration);
    if (status != TFL_OK || !is_head_select(registration)) {
      continue;
    }
    TflRegistration kernel = {0};
    kernel.init = init;
    kernel.free = release;
    kernel.prepare = prepare;
    kernel.invoke = invoke;
    kernel.builtin_code = TFL_BUILTIN_DELEGATE;
    kernel.custom_name = OPERATOR_NAME;
    kernel.version = 1;
    one->data[0] = nodes[i];
    status = context->ReplaceNodeSubsetsWithDelegateKernels(context, kernel, one, delegate);
  }
  free(one);
  free(nodes);
  return status;
}

TflDelegate* tflite_plugin_create_delegate(char** keys, char** values, size_t count, void (*report)(const char*)) {
  HeadSelectDelegate* delegate = calloc(1, sizeof *delegate);
  if (delegate == NULL) {
    return NULL;
  }
  for (size_t i = 0; i < count; i++) {
    char* end = NULL;
    const unsigned long seed = strtoul(values[i], &end, 10);
    if (strcmp(keys[i], "seed") != 0 || end == values[i] || *end != '\0' || seed == 0 || seed > UINT32_MAX) {
      if (report != NULL) {
        report(OPERATOR_NAME ": the only option is seed, 1 to 4294967295, for tests");
      }
      free(delegate);
      return NULL;
    }
    delegate->seeded = true;
    delegate->state = (uint32_t)seed;
  }
  delegate->base.Prepare = take_over;
  delegate->base.flags = TFL_DELEGATE_ALLOWS_DYNAMIC_TENSORS;
  return &delegate->base;
}

void tflite_plugin_destroy_delegate(TflDelegate* delegate) { free(delegate); }
