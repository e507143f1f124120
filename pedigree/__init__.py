"""Work with any SageMaker pipeline: check its definition, draw it, run it on this machine, follow it in an account."""
