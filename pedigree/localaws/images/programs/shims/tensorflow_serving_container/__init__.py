"""The parts of the program that serves TensorFlow's models as AWS's tensorflow-inference images do."""
