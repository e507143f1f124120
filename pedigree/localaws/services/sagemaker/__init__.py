"""SageMaker's control plane: what is created, described, listed, changed and removed, as AWS answers it.

A module for each family of resources has a table from an operation's name to the function that answers it;
service.py joins the tables, and validates every request against botocore's model before a function gets it.
"""
