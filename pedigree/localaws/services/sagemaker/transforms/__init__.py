"""Batch transform jobs: send objects to a model, request by request, and store its answers as objects.

plans.py reads a request; records.py splits objects and assembles answers; data_processing.py and jsonpath.py filter
records and join them with answers. All these are pure. runner.py runs a job.
"""
