/* activation.h - the activation functions, each as ONNX defines it, except that none gives infinity for zero: padded
 * channels are zero, and a layer after them multiplies them by zero. The square root of a negative value is 0, and so is
 * the reciprocal of 0; the logarithm of anything below 2^-126 is that of 2^-126. */
#ifndef PLEURA_ACTIVATION_H
#define PLEURA_ACTIVATION_H

/* Kernels that take an activation apply ACT_NONE, ACT_RELU and ACT_RELU6 themselves; the others are a pass of their own
 * (kernels.activate). */
typedef enum {
    ACT_NONE,
    ACT_RELU,
    ACT_RELU6,
    ACT_SILU,
    ACT_HARDSWISH,
    ACT_HARDSIGMOID,
    ACT_SIGMOID,
    ACT_TANH,
    ACT_EXP,
    ACT_ERF,
    ACT_SQRT,
    ACT_RECIPROCAL,
    ACT_LOG,
    ACT_UINT8, /* the nearest of 0, 1, ... 255, or the even one of two: QuantizeLinear without its scale */
    ACT_COUNT
} activation;

#endif
