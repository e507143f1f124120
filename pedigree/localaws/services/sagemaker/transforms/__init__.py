"""Batch transform: objects go through a model, request by request, and come back as objects.

records.py cuts objects into records and puts answers together; paths.py and joining.py choose parts of records and join
what went in to what came out; plans.py reads a job's request. All these are pure. work.py runs a job.
"""
