"""What stands before a student's last layer."""

from keras_models.legacy import keras


def features_of(student: keras.Model) -> keras.Model:
    """Returns the part of a student from its images to the input of its last layer, with the same weights."""
    return keras.Model(student.input, student.layers[-1].input)
