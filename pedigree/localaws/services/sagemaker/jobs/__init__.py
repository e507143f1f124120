"""Training and processing jobs: processes of this machine that find what a container of SageMaker contains.

plans.py reads a request, purely; sandbox.py makes the folders of a host; metrics.py reads the log; runner.py runs the
job and stores how far it is.
"""
