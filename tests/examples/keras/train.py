"""Trains a small classifier of chest films in Keras: convolution, pool, convolution, pool, flatten, dense.

    python train.py films/ net.keras

films/ has one sub-folder per label. The labels are printed in the order that `pleura convert --labels` needs.
"""
import sys

import keras
from keras import layers

SIDE = 96

keras.utils.set_random_seed(1)
folder, out = sys.argv[1:]
films = keras.utils.image_dataset_from_directory(
    folder, image_size=(SIDE, SIDE), color_mode="grayscale", batch_size=8, seed=1
)
net = keras.Sequential(
    [
        keras.Input((SIDE, SIDE, 1)),
        layers.Rescaling(1 / 255),
        layers.Conv2D(16, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(32, activation="relu"),
        layers.Dense(len(films.class_names), activation="softmax"),
    ]
)
net.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
net.fit(films, epochs=5, verbose=2)
net.save(out)
print("labels:", ",".join(films.class_names))
