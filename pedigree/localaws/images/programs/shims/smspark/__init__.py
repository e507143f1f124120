"""The parts of smspark-submit, which runs the jobs of SageMaker's Spark images."""
