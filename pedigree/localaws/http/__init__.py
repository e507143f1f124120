"""HTTP: who is asked, whether they may be asked from there, and how an answer of SageMaker's is written."""
