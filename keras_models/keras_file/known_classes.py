"""What a Keras file may name: classes and functions that compute, and neither carry code nor open files.

Left out on purpose: `Lambda` and the wrappers of TensorFlow 1 (code in the file), `TensorFlowOpLayer` (any operator),
`StringLookup`, `IntegerLookup`, `TextVectorization` and feature columns (files by name), base classes.
"""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Where Keras 2 says that its classes live; files name the module beside the class, and Keras imports what they name.
KERAS_MODULES = frozenset(
    {
        "keras", "keras.layers", "keras.models", "keras.initializers", "keras.regularizers", "keras.constraints",
        "keras.activations", "keras.mixed_precision", "keras.engine.functional", "keras.engine.sequential",
        "keras.src.engine.functional", "keras.src.engine.sequential", "tf_keras.src.engine.functional",
        "tf_keras.src.engine.sequential",
        "keras.src.layers.core.tf_op_layer", "tf_keras.src.layers.core.tf_op_layer",
    }
)  # fmt: skip
QUANTIZATION_PACKAGE = "tensorflow_model_optimization.python.core.quantization.keras."

NETWORKS = frozenset({"Functional", "Model", "Sequential"})

LAYERS = _names(
    """
    InputLayer
    Dense EinsumDense Embedding
    Conv1D Conv2D Conv3D Convolution1D Convolution2D Convolution3D
    Conv1DTranspose Conv2DTranspose Conv3DTranspose DepthwiseConv1D DepthwiseConv2D SeparableConv1D SeparableConv2D
    LocallyConnected1D LocallyConnected2D
    AveragePooling1D AveragePooling2D AveragePooling3D AvgPool1D AvgPool2D AvgPool3D
    MaxPooling1D MaxPooling2D MaxPooling3D MaxPool1D MaxPool2D MaxPool3D
    GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D
    GlobalAvgPool1D GlobalAvgPool2D GlobalAvgPool3D
    GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D GlobalMaxPool1D GlobalMaxPool2D GlobalMaxPool3D
    BatchNormalization BatchNormalizationV1 BatchNormalizationV2 SyncBatchNormalization
    LayerNormalization GroupNormalization UnitNormalization
    Activation ReLU LeakyReLU PReLU ELU ThresholdedReLU Softmax
    Add Subtract Multiply Average Maximum Minimum Concatenate Dot Attention AdditiveAttention MultiHeadAttention
    Dropout AlphaDropout GaussianDropout GaussianNoise SpatialDropout1D SpatialDropout2D SpatialDropout3D
    ActivityRegularization
    Flatten Reshape Permute RepeatVector Masking Identity
    Cropping1D Cropping2D Cropping3D UpSampling1D UpSampling2D UpSampling3D
    ZeroPadding1D ZeroPadding2D ZeroPadding3D
    Rescaling Normalization Resizing CenterCrop
    RandomBrightness RandomContrast RandomCrop RandomFlip RandomHeight RandomRotation RandomTranslation RandomWidth
    RandomZoom
    RNN SimpleRNN SimpleRNNCell LSTM LSTMV1 LSTMV2 LSTMCell LSTMCellV1 LSTMCellV2 GRU GRUV1 GRUV2 GRUCell GRUCellV1
    GRUCellV2 StackedRNNCells ConvLSTM1D ConvLSTM2D ConvLSTM3D Bidirectional TimeDistributed
    """
)

INITIALIZERS = _names(
    """
    Zeros Ones Constant Identity Orthogonal VarianceScaling RandomNormal RandomUniform TruncatedNormal
    GlorotNormal GlorotUniform HeNormal HeUniform LecunNormal LecunUniform
    zeros ones zero one constant identity orthogonal variance_scaling normal uniform random_normal random_uniform
    truncated_normal glorot_normal glorot_uniform he_normal he_uniform lecun_normal lecun_uniform
    """
)
REGULARIZERS = _names("L1 L2 L1L2 OrthogonalRegularizer l1 l2 l1_l2 orthogonal_regularizer")
CONSTRAINTS = _names(
    """
    MaxNorm MinMaxNorm NonNeg UnitNorm RadialConstraint
    max_norm min_max_norm non_neg unit_norm radial_constraint maxnorm nonneg unitnorm
    """
)
ACTIVATIONS = _names(
    """
    linear relu relu6 leaky_relu elu selu gelu mish silu swish exponential sigmoid hard_sigmoid tanh softmax
    log_softmax softplus softsign
    """
)

# TF-MOT's, for models with fake quantization.
QUANTIZATION = _names(
    """
    QuantizeAnnotate QuantizeLayer QuantizeWrapper QuantizeWrapperV2 QuantizeAwareActivation NoOpActivation
    AllValuesQuantizer LastValueQuantizer MovingAverageQuantizer FixedQuantizer NoQuantizer
    OutputOnlyConfig FixedQuantizeConfig NoOpQuantizeConfig
    Default8BitQuantizeConfig Default8BitQuantizeConfigRNN Default8BitActivationQuantizeConfig
    Default8BitConvQuantizeConfig Default8BitConvTransposeQuantizeConfig Default8BitOutputQuantizeConfig
    """
)

# Shapes, tuples and the names of number formats, as Keras writes them into JSON.
PLAIN_VALUES = frozenset({"TensorShape", "__tuple__", "__ellipsis__", "Policy"})

# `x + 1`, `x[:, 0]` and the like become layers that name a function of TensorFlow; these take and give tensors alone.
FUNCTION_LAYERS = frozenset({"TFOpLambda", "SlicingOpLambda"})
FUNCTIONS = _names(
    """
    __operators__.add __operators__.getitem cast clip_by_value concat expand_dims identity pad reshape squeeze stack
    transpose math.abs math.add math.divide math.exp math.log math.maximum math.minimum math.multiply math.negative
    math.pow math.reduce_max math.reduce_mean math.reduce_min math.reduce_sum math.rsqrt math.sigmoid math.sqrt
    math.square math.subtract math.tanh math.truediv nn.avg_pool2d nn.bias_add nn.leaky_relu nn.log_softmax
    nn.max_pool2d nn.relu nn.relu6 nn.sigmoid nn.softmax nn.tanh
    """
)

CLASSES = NETWORKS | LAYERS | INITIALIZERS | REGULARIZERS | CONSTRAINTS | QUANTIZATION | PLAIN_VALUES

# What a string means depends on the name that it stands under; `recurrent_activation` ends as `activation` does.
STRINGS = {
    "activation": ACTIVATIONS | QUANTIZATION,
    "initializer": INITIALIZERS,
    "regularizer": REGULARIZERS,
    "constraint": CONSTRAINTS,
}
