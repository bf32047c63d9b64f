/* activation.h - the activation functions, each as ONNX defines it. */
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
    ACT_TANH
} activation;

#endif
