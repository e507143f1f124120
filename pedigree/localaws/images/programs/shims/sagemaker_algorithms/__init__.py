"""SageMaker's built-in algorithms that scikit-learn stands for: training and serving, without a script."""
