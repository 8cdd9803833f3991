/* The parts of the TensorFlow Lite C interface that a delegate touches, as of 2.14 on 64-bit systems.
 * The Python packages ship no headers. The layout is checked below and by running it in both runtimes.
 */
#ifndef TINYCERB_TFLITE_ABI_H
#define TINYCERB_TFLITE_ABI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TFL_OK = 0, TFL_ERROR = 1 };
enum { TFL_INT32 = 2, TFL_INT8 = 9 };
enum { TFL_BUILTIN_DELEGATE = 51 };
/* Without it the graph is prepared first, and that fails on the operator that only the delegate knows. */
enum { TFL_DELEGATE_ALLOWS_DYNAMIC_TENSORS = 1 };

typedef struct {
  int size;
  int data[];
} TflIntArray;

typedef struct {
  int type;
  void* data;
  TflIntArray* dims;
  float scale;
  int32_t zero_point;
  int allocation_type;
  size_t bytes;
  const void* allocation;
  const char* name;
  void* delegate;
  int buffer_handle;
  bool data_is_stale;
  bool is_variable;
  int quantization_type;
  void* quantization_params;
  void* sparsity;
  const TflIntArray* dims_signature;
} TflTensor;

typedef struct {
  TflIntArray* inputs;
  TflIntArray* outputs;
  TflIntArray* intermediates;
  TflIntArray* temporaries;
  void* user_data;
  void* builtin_data;
  const void* custom_initial_data;
  int custom_initial_data_size;
  void* delegate;
  bool might_have_side_effect;
} TflNode;

typedef struct TflContext TflContext;
typedef struct TflDelegate TflDelegate;

typedef struct {
  void* (*init)(TflContext* context, const char* buffer, size_t length);
  void (*free)(TflContext* context, void* buffer);
  int (*prepare)(TflContext* context, TflNode* node);
  int (*invoke)(TflContext* context, TflNode* node);
  const char* (*profiling_string)(const TflContext* context, const TflNode* node);
  int32_t builtin_code;
  const char* custom_name;
  int version;
  void* registration_external;
  void* async_kernel;
  uint64_t inplace_operator;
} TflRegistration;

struct TflContext {
  size_t tensors_size;
  int (*GetExecutionPlan)(TflContext* context, TflIntArray** plan);
  TflTensor* tensors;
  void* impl;
  int (*ResizeTensor)(TflContext* context, TflTensor* tensor, TflIntArray* size);
  void (*ReportError)(TflContext* context, const char* format, ...);
  int (*AddTensors)(TflContext* context, int count, int* first);
  int (*GetNodeAndRegistration)(TflContext* context, int index, TflNode** node, TflRegistration** registration);
  int (*ReplaceNodeSubsetsWithDelegateKernels)(TflContext* context, TflRegistration registration,
                                               const TflIntArray* nodes, TflDelegate* delegate);
};

struct TflDelegate {
  void* data;
  int (*Prepare)(TflContext* context, TflDelegate* delegate);
  int (*CopyFromBufferHandle)(TflContext* context, TflDelegate* delegate, int handle, TflTensor* tensor);
  int (*CopyToBufferHandle)(TflContext* context, TflDelegate* delegate, int handle, TflTensor* tensor);
  void (*FreeBufferHandle)(TflContext* context, TflDelegate* delegate, int* handle);
  int64_t flags;
  void* opaque;
};

typedef struct {
  TflDelegate* delegate;
  TflIntArray* nodes_to_replace;
  TflIntArray* input_tensors;
  TflIntArray* output_tensors;
} TflDelegateParams;

typedef char TflCheckTensorSize[sizeof(TflTensor) == 112 ? 1 : -1];

#endif /* TINYCERB_TFLITE_ABI_H */
